//! Canaries whose pods are told apart by the subsets of a DestinationRule, without Services of their own.

use object::{Object, json};

use crate::world::World;

const STRATEGY: &str = "
trafficRouting:
  istio:
    virtualService: {name: v}
    destinationRule: {name: d, canarySubsetName: canary, stableSubsetName: stable}
steps:
- setWeight: 50
- pause: {}
";

fn world() -> World {
    let mut world = World::new(2, STRATEGY);
    let to = |subset: &str, weight: i64| json!({"destination": {"host": "shop", "subset": subset}, "weight": weight});
    world.route(json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "VirtualService",
        "metadata": {"name": "v", "namespace": "n"},
        "spec": {"hosts": ["shop"], "http": [{"route": [to("stable", 100), to("canary", 0)]}]}
    }));
    world.route(json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "DestinationRule",
        "metadata": {"name": "d", "namespace": "n"},
        "spec": {"host": "shop", "subsets": [{"name": "stable", "labels": {"app": "shop"}}, {"name": "canary", "labels": {"app": "shop"}}]}
    }));
    world
}

fn subset(rule: &Object, index: usize) -> String {
    let labels = &rule.items(&["spec", "subsets"])[index]["labels"];
    labels["rollouts-pod-template-hash"].as_str().unwrap_or_default().to_owned()
}

/// Hashes of the stable and the canary subset, and the weight of the latter.
fn carried(world: &World) -> (String, String, i64) {
    let rule = world.route_of("DestinationRule");
    let service = world.route_of("VirtualService");
    let weight = service.items(&["spec", "http"])[0]["route"][1]["weight"].as_i64().unwrap();
    (subset(rule, 0), subset(rule, 1), weight)
}

fn hash(world: &World) -> String {
    world.status()["currentPodHash"].as_str().unwrap().to_owned()
}

#[test]
fn subsets_follow_the_versions() {
    let mut world = world();
    world.settle();
    let first = hash(&world);
    assert_eq!(carried(&world), (first.clone(), first.clone(), 0));
    world.set_image("shop:2");
    world.settle();
    let second = hash(&world);
    assert_eq!((world.phase(), carried(&world)), ("Paused".to_owned(), (first.clone(), second.clone(), 50)));
    world.patch_status(&json!({"abort": true}));
    world.settle();
    assert_eq!(carried(&world), (first.clone(), first.clone(), 0), "#3125");
    world.patch_status(&json!({"abort": false}));
    world.settle();
    world.promote();
    world.settle();
    assert_eq!((world.phase(), carried(&world)), ("Healthy".to_owned(), (second.clone(), second, 0)));
    assert_eq!(world.sizes(), [2, 2], "the old pods go after their delay");
    world.wake();
    world.settle();
    assert_eq!(world.sizes(), [0, 2]);
}

#[test]
fn a_version_that_loses_its_pods_loses_its_share_before_its_subset_changes() {
    let mut world = world();
    world.settle();
    world.set_image("shop:2");
    world.settle();
    let second = hash(&world);
    world.broken.insert("shop:2".to_owned());
    world.broken.insert("shop:3".to_owned());
    world.settle();
    world.set_image("shop:3");
    for _ in 0..6 {
        world.pass();
        let (_, canary, weight) = carried(&world);
        assert!(weight == 0 || canary == second, "{canary} carries {weight}");
    }
    world.settle();
    assert_eq!(carried(&world).2, 0);
}
