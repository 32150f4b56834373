//! What is at rest costs nothing, and what ends leaves nothing.

use object::json;
use runtime::resources;

use crate::world::{World, half_and_pause};

const COUNT: usize = 100;

#[tokio::test(start_paused = true)]
async fn a_hundred_rollouts_at_rest_write_nothing() {
    let world = World::start().await;
    for at in 0..COUNT {
        world.rollout(&format!("r{at}"), half_and_pause()).await;
    }
    for at in 0..COUNT {
        world.phase(&format!("r{at}"), "Healthy").await;
    }
    for at in 0..COUNT / 2 {
        world.image(&format!("r{at}"), "shop:2").await;
    }
    for at in 0..COUNT / 2 {
        world.phase(&format!("r{at}"), "Paused").await;
    }
    world.pass(60).await;
    let before = world.writes();
    world.pass(600).await;
    assert_eq!(world.writes() - before, 0, "writes of {COUNT} Rollouts in 10 minutes at rest");
    world.image("r99", "shop:3").await;
    world.phase("r99", "Paused").await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_controller_does_not_know_survives_its_writes() {
    let world = World::start().await;
    world.healthy_rollout("r", half_and_pause()).await;
    let strange = json!({"status": {"later": {"a": 1}, "canary": {"later": [1]}}});
    world.patch_on(runtime::Subresource::Status, "r", strange).await;
    let note = json!({"metadata": {"annotations": {"later": "x"}}});
    world.patch(&resources::ROLLOUTS, "r", note).await;
    world.image("r", "shop:2").await;
    world.phase("r", "Paused").await;
    world.patch_on(runtime::Subresource::Status, "r", json!({"status": {"pauseConditions": null}})).await;
    let done = world.phase("r", "Healthy").await;
    assert_eq!(done.get(&["status", "later"]), Some(&json!({"a": 1})));
    assert_eq!(done.get(&["status", "canary", "later"]), Some(&json!([1])));
    assert_eq!(done.annotation("later"), Some("x"));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_rollout_leaves_no_timers() {
    let world = World::start().await;
    world.healthy_rollout("r", json!([{"setWeight": 50}, {"pause": {"duration": "1h"}}])).await;
    world.image("r", "shop:2").await;
    world.phase("r", "Paused").await;
    world.delete(&resources::ROLLOUTS, "r").await;
    world.pass(60).await;
    assert!(world.sets().await.is_empty());
    assert!(world.list(&resources::PODS).await.is_empty());
    let before = world.writes();
    world.pass(2 * 3600).await;
    assert_eq!(world.writes(), before);
    world.stop().await;
}
