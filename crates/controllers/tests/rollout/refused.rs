//! ReplicaSets that the API server refuses to create.

use object::{Object, json};
use runtime::resources;

use crate::world::{World, half_and_pause, rollout};

fn failed_to_create(rollout: &Object) -> bool {
    rollout.condition("Progressing").is_some_and(|condition| condition.reason == "ReplicaSetCreateError")
}

/// The definition and the check of the spec let a time through that the API server does not.
#[tokio::test(start_paused = true)]
async fn an_invalid_template_is_told_once_and_its_remedy_goes_on() {
    let world = World::start().await;
    let mut value = rollout("r", half_and_pause());
    value["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(-1);
    world.create(&resources::ROLLOUTS, value).await;
    let refused = world.until(&resources::ROLLOUTS, "r", failed_to_create).await;
    let condition = refused.condition("Progressing").unwrap();
    assert_eq!(condition.status, object::ConditionStatus::False);
    assert!(condition.message.starts_with("Failed to create new replica set \"r-"), "{}", condition.message);
    assert!(condition.message.contains("terminationGracePeriodSeconds"), "{}", condition.message);
    world.pass(30).await;
    assert_eq!(world.said("ReplicaSetCreateError").await, [condition.message]);
    let before = world.writes();
    world.pass(600).await;
    assert_eq!(world.writes(), before, "trying again writes nothing");

    let remedy = json!({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": null}}}});
    world.patch(&resources::ROLLOUTS, "r", remedy).await;
    let healthy = world.phase("r", "Healthy").await;
    assert_eq!(healthy.condition("Progressing").unwrap().reason, "NewReplicaSetAvailable");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_changes_the_hash() {
    let world = World::start().await;
    let first = world.healthy_rollout("r", half_and_pause()).await;
    let hash = first.str(&["status", "stableRS"]).to_owned();
    let set = world.sets().await.remove(0);
    world.delete(&resources::ROLLOUTS, "r").await;
    world.pass(30).await;
    // Somebody else's ReplicaSet of that name, with other labels.
    let labels = json!({"app": "other"});
    let taken = json!({"metadata": {"name": set.name()}, "spec": {"replicas": 0,
        "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "c", "image": "other:1"}]}}}});
    let taken = world.create(&resources::REPLICA_SETS, taken).await;
    let again = world.healthy_rollout("r", half_and_pause()).await;
    assert_eq!(again.int(&["status", "collisionCount"]), Some(1));
    assert_ne!(again.str(&["status", "stableRS"]), hash);
    let kept = world.get(&resources::REPLICA_SETS, set.name()).await.unwrap();
    assert_eq!(kept.get(&["spec"]), taken.get(&["spec"]));
    assert!(kept.owners().is_empty());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_quota_is_told_and_room_lets_it_go_on() {
    let world = World::start().await;
    world.refuse_sets();
    world.rollout("r", half_and_pause()).await;
    let refused = world.until(&resources::ROLLOUTS, "r", failed_to_create).await;
    let message = refused.condition("Progressing").unwrap().message;
    assert!(message.ends_with("exceeded quota: sets, requested: count/replicasets.apps=1"), "{message}");
    assert!(world.sets().await.is_empty());
    world.accept_sets();
    world.phase("r", "Healthy").await;
    assert_eq!(world.said("ReplicaSetCreateError").await, [message]);
    world.stop().await;
}
