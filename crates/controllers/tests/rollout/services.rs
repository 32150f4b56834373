//! Services of a Rollout, and its first and last Event.

use object::{Object, Value, json};
use rollout::keys;
use runtime::resources;

use crate::world::{World, half_and_pause, rollout};

async fn with_services(world: &World) -> Object {
    for name in ["stable", "canary"] {
        let service =
            json!({"metadata": {"name": name}, "spec": {"selector": {"app": "r"}, "ports": [{"port": 80}]}});
        world.create(&resources::SERVICES, service).await;
    }
    let mut value = rollout("r", half_and_pause());
    value["spec"]["strategy"]["canary"]["stableService"] = json!("stable");
    value["spec"]["strategy"]["canary"]["canaryService"] = json!("canary");
    world.create(&resources::ROLLOUTS, value).await;
    world.phase("r", "Healthy").await;
    for name in ["stable", "canary"] {
        world.until(&resources::SERVICES, name, is_taken).await;
    }
    world.phase("r", "Healthy").await
}

fn is_taken(service: &Object) -> bool {
    service.get(&["spec", "selector", keys::HASH]).is_some()
        && service.annotation(keys::MANAGED_BY) == Some("r")
}

fn is_free(service: &Object) -> bool {
    service.get(&["spec", "selector"]) == Some(&json!({"app": "r"}))
        && service.annotation(keys::MANAGED_BY).is_none()
}

#[tokio::test(start_paused = true)]
async fn services_are_given_back_when_the_rollout_goes() {
    let world = World::start().await;
    with_services(&world).await;
    world.delete(&resources::ROLLOUTS, "r").await;
    for name in ["stable", "canary"] {
        world.until(&resources::SERVICES, name, is_free).await;
    }
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_service_is_given_back_when_it_is_no_longer_named() {
    let world = World::start().await;
    with_services(&world).await;
    let patch = json!({"spec": {"strategy": {"canary": {"canaryService": Value::Null}}}});
    world.patch(&resources::ROLLOUTS, "r", patch).await;
    world.until(&resources::SERVICES, "canary", is_free).await;
    world.pass(60).await;
    assert!(is_taken(&world.get(&resources::SERVICES, "stable").await.unwrap()));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_service_is_given_back_that_was_left_while_no_controller_ran() {
    let world = World::start().await;
    let left = json!({"metadata": {"name": "left", "annotations": {keys::MANAGED_BY: "gone"}},
        "spec": {"selector": {"app": "r", keys::HASH: "abc"}, "ports": [{"port": 80}]}});
    world.create(&resources::SERVICES, left).await;
    // Nobody's but its user's: no Rollout has taken it.
    let own = json!({"metadata": {"name": "own"},
        "spec": {"selector": {"app": "r", keys::HASH: "abc"}, "ports": [{"port": 80}]}});
    world.create(&resources::SERVICES, own).await;
    world.until(&resources::SERVICES, "left", is_free).await;
    world.pass(60).await;
    let own = world.get(&resources::SERVICES, "own").await.unwrap();
    assert_eq!(own.str(&["spec", "selector", keys::HASH]), "abc");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_first_and_the_last_event() {
    let world = World::start().await;
    world.healthy_rollout("r", half_and_pause()).await;
    world.pass(10).await;
    assert_eq!(world.said("RolloutAddedToInformer").await, ["Rollout resource added to informer: shop/r"]);
    assert!(world.said("RolloutDeleted").await.is_empty());
    world.delete(&resources::ROLLOUTS, "r").await;
    world.pass(10).await;
    assert_eq!(world.said("RolloutDeleted").await, ["Rollout r/shop is deleted."]);
    world.stop().await;
}
