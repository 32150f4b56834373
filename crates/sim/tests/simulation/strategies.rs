//! Blue-green and a routed canary in seeded worlds: without faults, and with them for some seeds.

use std::path::Path;
use std::time::Duration;

use object::{Key, Object, Value, json};
use runtime::{Patch, Resource, Selection, Subresource, resources};
use sim::{Rates, World, WorldConfig};

/// Seeds that are played with faults.
const SEEDS: u64 = 25;

const ROUTES: Resource = Resource::builtin("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute");

fn key(name: &str) -> Key {
    Key::new("default", name)
}

async fn world(seed: u64, faults: Option<Rates>, dir: &Path) -> World {
    let config = WorldConfig { faults, ..WorldConfig::new(seed, dir) };
    World::start(config).await.unwrap()
}

async fn create(world: &World, resource: &Resource, mut value: Value) {
    value["apiVersion"] = json!(resource.api_version());
    value["kind"] = json!(resource.kind);
    if resource.namespaced {
        value["metadata"]["namespace"] = json!("default");
    }
    world.cluster().create(resource, &Object::from_value(value)).await.unwrap();
}

async fn services(world: &World) {
    for name in ["live", "next"] {
        let service =
            json!({"metadata": {"name": name}, "spec": {"selector": {"app": "r"}, "ports": [{"port": 80}]}});
        create(world, &resources::SERVICES, service).await;
    }
}

fn rollout(strategy: &Value) -> Value {
    json!({"metadata": {"name": "r"}, "spec": {
        "replicas": 4, "selector": {"matchLabels": {"app": "r"}}, "strategy": strategy,
        "template": {"metadata": {"labels": {"app": "r"}}, "spec": {"containers": [{"name": "c", "image": "shop:1"}]}}}})
}

async fn image(world: &World, image: &str) {
    let containers = json!([{"name": "c", "image": image}]);
    let patch = Patch::merge(json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    world.cluster().patch(&resources::ROLLOUTS, &key("r"), &patch).await.unwrap();
}

async fn status(world: &World, status: Value) {
    let patch = Patch::merge(json!({"status": status})).on(Subresource::Status);
    world.cluster().patch(&resources::ROLLOUTS, &key("r"), &patch).await.unwrap();
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

/// The hash that a Service selects has pods that are ready.
async fn carries(world: &World, service: &str) -> String {
    let service = world.cluster().get(&resources::SERVICES, &key(service)).await.unwrap().unwrap();
    let hash = service.str(&["spec", "selector", "rollouts-pod-template-hash"]).to_owned();
    let labels = Selection::labels(&format!("rollouts-pod-template-hash={hash}"));
    let sets = world.cluster().list(&resources::REPLICA_SETS, Some("default"), &labels).await.unwrap();
    let available = sets.iter().filter_map(|set| set.int(&["status", "availableReplicas"])).sum::<i64>();
    assert!(available >= 3, "{hash}: {available}");
    hash
}

async fn blue_green(world: &World) {
    services(world).await;
    let strategy = json!({"blueGreen": {"activeService": "live", "previewService": "next",
        "autoPromotionEnabled": false, "abortScaleDownDelaySeconds": 5}});
    create(world, &resources::ROLLOUTS, rollout(&strategy)).await;
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
    create(world, &resources::CRDS, json!({
        "metadata": {"name": "httproutes.gateway.networking.k8s.io"},
        "spec": {"group": "gateway.networking.k8s.io", "scope": "Namespaced",
            "names": {"plural": "httproutes", "singular": "httproute", "kind": "HTTPRoute", "listKind": "HTTPRouteList"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}
    })).await;
    let backend = |name: &str| json!({"name": name, "port": 80});
    create(
        world,
        &ROUTES,
        json!({"metadata": {"name": "shop"},
        "spec": {"rules": [{"backendRefs": [backend("live"), backend("next")]}]}}),
    )
    .await;
    let strategy = json!({"canary": {"stableService": "live", "canaryService": "next",
        "steps": [{"setWeight": 25}, {"pause": {}}, {"setWeight": 75}, {"pause": {"duration": 20}}],
        "trafficRouting": {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "shop", "namespace": "default"}}}}});
    create(world, &resources::ROLLOUTS, rollout(&strategy)).await;
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
