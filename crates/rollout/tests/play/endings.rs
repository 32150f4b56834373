//! How `status.duration` says that updates end, and the Events of an abort.

use object::json;

use super::world::World;

#[track_caller]
fn ended(world: &World, as_: &str) {
    let duration = &world.status()["duration"];
    assert_eq!(duration["completionStatus"], json!(as_), "{duration}");
    assert!(duration["finishedAt"].is_string() && duration["rolloutStartedAt"].is_string(), "{duration}");
}

/// Rolls `image` out through all steps.
#[track_caller]
fn roll_out(world: &mut World, image: &str) {
    world.tick(60);
    world.set_image(image);
    world.settle();
    world.promote();
    world.settle();
    assert_eq!(world.phase(), "Healthy");
}

fn world() -> World {
    let mut world = World::new(4, "{steps: [{setWeight: 50}, {pause: {}}]}");
    world.settle();
    ended(&world, "Promoted");
    world
}

#[test]
fn a_rollback_through_the_steps_is_told_from_an_update() {
    let mut world = world();
    roll_out(&mut world, "shop:2");
    ended(&world, "Promoted");
    roll_out(&mut world, "shop:3");
    roll_out(&mut world, "shop:1");
    ended(&world, "RolledBack");
    roll_out(&mut world, "shop:2");
    ended(&world, "Promoted");
}

#[test]
fn a_rollback_that_skips_steps_is_fast() {
    let mut world = world();
    world.set_image("shop:2");
    world.settle();
    world.set_image("shop:1");
    world.settle();
    ended(&world, "FastRolledBack");
}

#[test]
fn a_full_promotion_is_one_also_of_a_rollback() {
    let mut world = world();
    roll_out(&mut world, "shop:2");
    world.set_image("shop:1");
    world.settle();
    world.patch_status(&json!({"promoteFull": true}));
    world.settle();
    ended(&world, "FastPromoted");
}

#[test]
fn a_promotion_is_noted_before_all_pods_are_there() {
    let mut world = World::new(4, "{}");
    while world.rollout.str(&["status", "stableRS"]).is_empty() {
        world.pass();
    }
    let duration = &world.status()["duration"];
    assert_eq!(duration["completionStatus"], json!("Promoted"));
    assert_eq!(duration["finishedAt"], json!(null));
    world.settle();
    ended(&world, "Promoted");
}

#[test]
fn an_abort_is_no_resume() {
    let mut world = world();
    world.set_image("shop:2");
    world.settle();
    world.patch_status(&json!({"abort": true}));
    world.settle();
    ended(&world, "Aborted");
    assert!(world.said("RolloutAborted", "Rollout aborted update to revision 2"));
    assert!(!world.said("RolloutResumed", "Rollout is resumed"));
    world.set_image("shop:3");
    world.settle();
    world.set_image("shop:4");
    world.settle();
    assert!(world.said("RolloutResumed", "Rollout is resumed"), "another version ends the pause");
}

#[test]
fn what_was_done_before_a_failure_is_told() {
    let world = World::new(4, "{steps: [{setWeight: 50}, {pause: {}}]}");
    let plan = world.plan();
    let reasons = |done: usize| plan.told(done).iter().map(|event| event.reason.clone()).collect::<Vec<_>>();
    assert_eq!(plan.actions.len(), 2, "{:?}", plan.actions);
    assert_eq!(reasons(0), Vec::<String>::new());
    assert_eq!(reasons(1), ["NewReplicaSetCreated"]);
    assert_eq!(reasons(2), ["RolloutUpdated", "NewReplicaSetCreated"]);
}
