//! Blue-green and a routed canary in seeded worlds: without faults, and with them for some seeds.

use std::path::Path;
use std::time::Duration;

use object::{Object, json};
use runtime::{Selection, resources};
use sim::{Rates, User, World, WorldConfig};

use super::stage::{ROUTES, create, image, key, rollout, route, services, status};

/// Seeds that are played with faults; `users` plays more, with other stories.
const SEEDS: u64 = 10;

async fn world(seed: u64, faults: Option<Rates>, dir: &Path) -> World {
    let config = WorldConfig { faults, user: User::Told, ..WorldConfig::new(seed, dir) };
    World::start(config).await.unwrap()
}

/// Waits for a phase that is about the current generation, and returns the Rollout.
async fn phase(world: &World, phase: &str) -> Object {
    let clock = world.cluster().clock().clone();
    let end = clock.now().after(Duration::from_secs(3600));
    loop {
        let rollout = world.cluster().get(&resources::ROLLOUTS, &key("r")).await.unwrap().unwrap();
        if rollout.str(&["status", "phase"]) == phase
            && rollout.str(&["status", "observedGeneration"]) == rollout.generation().to_string()
        {
            return rollout;
        }
        assert!(clock.now() < end, "never {phase}: {}", rollout.into_value()["status"]);
        clock.sleep(Duration::from_millis(500)).await;
    }
}

/// Waits until the Service selects ready pods, and returns their hash: a process may die between a status and a switch.
async fn carries(world: &World, service: &str) -> String {
    let clock = world.cluster().clock().clone();
    let end = clock.now().after(Duration::from_secs(60));
    loop {
        let (hash, available) = selected(world, service).await;
        if available >= 3 {
            return hash;
        }
        assert!(clock.now() < end, "{hash}: {available}");
        clock.sleep(Duration::from_millis(500)).await;
    }
}

/// The hash that a Service selects, and how many pods of it are available.
async fn selected(world: &World, service: &str) -> (String, i64) {
    let service = world.cluster().get(&resources::SERVICES, &key(service)).await.unwrap().unwrap();
    let hash = service.str(&["spec", "selector", "rollouts-pod-template-hash"]).to_owned();
    let labels = Selection::labels(&format!("rollouts-pod-template-hash={hash}"));
    let sets = world.cluster().list(&resources::REPLICA_SETS, Some("default"), &labels).await.unwrap();
    let available = sets.iter().filter_map(|set| set.int(&["status", "availableReplicas"])).sum::<i64>();
    let available = if hash.is_empty() { 0 } else { available };
    (hash, available)
}

async fn blue_green(world: &World) {
    services(world).await;
    let strategy = json!({"blueGreen": {"activeService": "live", "previewService": "next",
        "autoPromotionEnabled": false, "abortScaleDownDelaySeconds": 5}});
    create(world, &resources::ROLLOUTS, rollout(&strategy, 4)).await;
    phase(world, "Healthy").await;
    let first = carries(world, "live").await;
    image(world, "shop:2").await;
    phase(world, "Paused").await;
    assert_eq!(carries(world, "live").await, first);
    status(world, json!({"abort": true})).await;
    phase(world, "Degraded").await;
    assert_eq!(carries(world, "live").await, first);
    status(world, json!({"abort": false})).await;
    phase(world, "Paused").await;
    status(world, json!({"pauseConditions": null})).await;
    let rollout = phase(world, "Healthy").await;
    assert_eq!(carries(world, "live").await, rollout.str(&["status", "stableRS"]));
    image(world, "shop:3").await;
    phase(world, "Paused").await;
    image(world, "shop:2").await;
    phase(world, "Healthy").await;
}

async fn routed(world: &World) {
    services(world).await;
    route(world).await;
    let strategy = json!({"canary": {"stableService": "live", "canaryService": "next",
        "steps": [{"setWeight": 25}, {"pause": {}}, {"setWeight": 75}, {"pause": {"duration": 20}}],
        "trafficRouting": {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "shop", "namespace": "default"}}}}});
    create(world, &resources::ROLLOUTS, rollout(&strategy, 4)).await;
    phase(world, "Healthy").await;
    let first = carries(world, "live").await;
    image(world, "shop:2").await;
    phase(world, "Paused").await;
    assert_eq!((carries(world, "live").await, weight(world).await), (first.clone(), 25));
    status(world, json!({"abort": true})).await;
    phase(world, "Degraded").await;
    assert_eq!((carries(world, "live").await, weight(world).await), (first, 0));
    status(world, json!({"abort": false})).await;
    phase(world, "Paused").await;
    status(world, json!({"pauseConditions": null})).await;
    phase(world, "Healthy").await;
}

/// Share of the new version in the route.
async fn weight(world: &World) -> i64 {
    let route = world.cluster().get(&ROUTES, &key("shop")).await.unwrap().unwrap();
    route.items(&["spec", "rules"])[0]["backendRefs"][1]["weight"].as_i64().unwrap()
}

/// Plays a story in a runtime of its own under a paused clock, looks that it comes to rest and that no traffic is left
/// astray.
fn play(seed: u64, faults: Option<Rates>, is_blue_green: bool) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let world = world(seed, faults, dir.path()).await;
        if is_blue_green {
            blue_green(&world).await;
        } else {
            routed(&world).await;
        }
        if let Some(faults) = world.faults() {
            assert!(faults.struck() > 0, "no fault struck: the seed proves nothing");
            faults.stop();
        }
        world.settle(Duration::from_secs(600)).await.unwrap();
        assert_eq!(world.invariants().broken(), Vec::<String>::new());
        carries(&world, "live").await;
        if !is_blue_green {
            assert_eq!(weight(&world).await, 0);
        }
        world.stop().await;
    });
}

#[test]
fn blue_green_and_routed_without_faults() {
    play(1, None, true);
    play(1, None, false);
}

#[test]
fn blue_green_with_faults() {
    (1..=SEEDS).for_each(|seed| play(seed, Some(Rates::ROUGH), true));
}

#[test]
fn a_routed_canary_with_faults() {
    (1..=SEEDS).for_each(|seed| play(seed, Some(Rates::ROUGH), false));
}
