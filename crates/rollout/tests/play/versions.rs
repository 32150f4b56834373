//! Changes of the spec while one is under way.

use crate::world::World;
use object::json;
use rollout::Action;

#[test]
fn a_third_version_supersedes_the_second() {
    let mut world = World::new(5, "{steps: [{setWeight: 40}, {pause: {}}]}");
    world.settle();
    world.set_image("shop:2");
    world.settle();
    assert_eq!(world.sizes(), [3, 2]);
    world.tick(60);
    let begin = world.now.to_string();
    world.set_image("shop:3");
    world.settle();
    // The status tells of one update, the current one: how the old one ended is not in it, as upstream.
    assert!(world.status()["duration"]["rolloutStartedAt"].as_str() >= Some(begin.as_str()));
    assert_eq!(world.status()["duration"].get("completionStatus"), None);
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![3, 0, 2]));
    assert_eq!(world.rollout.annotation("rollout.argoproj.io/revision"), Some("3"));
    world.promote();
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Healthy".to_owned(), vec![0, 0, 5]));
}

#[test]
fn a_change_of_the_steps_alone_begins_anew() {
    let mut world = World::new(5, "{steps: [{setWeight: 20}, {pause: {}}]}");
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.rollout.set(&["spec", "strategy", "canary", "steps"], json!([{"setWeight": 60}, {"pause": {}}]));
    world.bump();
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![2, 3]));
    assert_eq!(world.status()["currentStepIndex"], json!(1));
    assert_eq!(world.sets.len(), 2);
}

#[test]
fn an_orphan_that_matches_is_adopted() {
    let mut world = World::new(2, "{}");
    world.settle();
    let set = world.sets.values_mut().next().unwrap();
    set.remove(&["metadata", "ownerReferences"]);
    world.settle();
    let set = world.sets.values().next().unwrap();
    assert_eq!(set.controller_uid(), Some("u"));
    assert_eq!(world.sets.len(), 1);
}

#[test]
fn a_third_version_ends_as_any_other() {
    let mut world = World::new(2, "{steps: [{setWeight: 50}, {pause: {}}]}");
    for image in ["shop:1", "shop:2", "shop:3"] {
        world.set_image(image);
        world.settle();
    }
    world.promote();
    world.settle();
    assert_eq!(world.phase(), "Healthy");
    assert_eq!(world.status()["duration"]["completionStatus"], json!("Promoted"), "{:?}", world.status());
}

#[test]
fn a_new_replica_set_comes_at_the_size_of_the_pass_after() {
    let mut world = World::new(5, "{maxUnavailable: 0, steps: [{setWeight: 40}, {pause: {}}]}");
    world.through = true;
    let told = |third, fourth| ["RolloutUpdated", "NewReplicaSetCreated", third, fourth];
    let first = ("shop:1", 5, told("ScalingReplicaSet", "RolloutCompleted"));
    let second = ("shop:2", 2, told("RolloutNotCompleted", "ScalingReplicaSet"));
    for (image, size, wanted) in [first, second] {
        world.set_image(image);
        let plan = world.plan();
        let Some(Action::CreateReplicaSet(set)) = plan.actions.first() else { panic!("{:?}", plan.actions) };
        assert_eq!(set.int(&["spec", "replicas"]), Some(size));
        let told: Vec<&str> = plan.events.iter().map(|event| event.reason.as_str()).collect();
        assert_eq!(told, wanted);
        world.settle();
    }
}

/// What is paused makes its ReplicaSet and leaves it without pods.
#[test]
fn a_new_replica_set_without_pods_to_come_is_made_without() {
    let mut world = World::new(5, "{steps: [{pause: {}}]}");
    world.through = true;
    world.set_image("shop:1");
    world.settle();
    world.set_image("shop:2");
    let plan = world.plan();
    let Some(Action::CreateReplicaSet(set)) = plan.actions.first() else { panic!("{:?}", plan.actions) };
    assert_eq!(set.int(&["spec", "replicas"]), Some(0));
}
