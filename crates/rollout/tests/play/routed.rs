//! Canaries whose traffic a router shares, in a world of objects in memory. The router is a Gateway API route.

use object::{Value, json};
use rollout::Reason;

use crate::world::World;

const ROUTING: &str = "
canaryService: new
stableService: old
trafficRouting:
  plugins: {argoproj-labs/gatewayAPI: {httpRoute: shop, namespace: 'n'}}
  managedRoutes: [{name: testers}]
";

const STEPS: &str = "
- setWeight: 20
- pause: {}
- setWeight: 60
- pause: {}
";

fn world(extra: &str, steps: &str) -> World {
    let mut world = World::new(5, &format!("{ROUTING}{extra}\nsteps:{steps}"));
    world.service("new");
    world.service("old");
    let backend = |name: &str| json!({"name": name, "port": 80});
    world.route(json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "n", "resourceVersion": "1"},
        "spec": {"parentRefs": [{"name": "front"}], "rules": [{"backendRefs": [backend("old"), backend("new")]}]}
    }));
    world
}

fn hash(world: &World) -> String {
    world.status()["currentPodHash"].as_str().unwrap().to_owned()
}

/// Weights of the stable and the new Service in the route's last rule.
#[track_caller]
fn weights(world: &World) -> (i64, i64) {
    let rules = world.only_route().items(&["spec", "rules"]);
    let backends = rules.last().unwrap()["backendRefs"].as_array().unwrap();
    let weight = |name: &str| {
        let backend = backends.iter().find(|backend| backend["name"] == name).unwrap();
        backend["weight"].as_i64().unwrap()
    };
    (weight("old"), weight("new"))
}

fn reasons(world: &World) -> Vec<&str> {
    world.events.iter().map(|event| event.reason.as_str()).collect()
}

#[test]
fn step_by_step_the_traffic_follows_the_pods() {
    let mut world = world("", STEPS);
    world.settle();
    let first = hash(&world);
    assert_eq!((world.phase(), weights(&world)), ("Healthy".to_owned(), (100, 0)));
    let stable = json!({"weight": 100, "serviceName": "old", "podTemplateHash": first});
    assert_eq!(world.status()["canary"]["weights"]["stable"], stable);
    world.events.clear();
    world.set_image("shop:2");
    world.settle();
    let second = hash(&world);
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![5, 1]));
    assert_eq!(weights(&world), (80, 20));
    let canary = json!({"weight": 20, "serviceName": "new", "podTemplateHash": second});
    assert_eq!(world.status()["canary"]["weights"]["canary"], canary);
    assert!(world.said("TrafficWeightUpdated", "Traffic weight updated from 0 to 20"));
    assert_eq!(
        reasons(&world),
        [
            "RolloutUpdated",
            "NewReplicaSetCreated",
            "RolloutNotCompleted",
            "TrafficWeightUpdated",
            "ScalingReplicaSet",
            "SwitchService",
            "TrafficWeightUpdated",
            "RolloutStepCompleted",
            "RolloutPaused"
        ]
    );
    world.promote();
    world.settle();
    assert_eq!((world.sizes(), weights(&world)), (vec![5, 3], (40, 60)));
    world.promote();
    world.settle();
    assert_eq!((world.phase(), world.sizes(), weights(&world)), ("Healthy".to_owned(), vec![5, 5], (100, 0)));
    assert_eq!((world.selected("old"), world.selected("new")), (second.clone(), second));
    // The old pods go half a minute later.
    world.wake();
    world.settle();
    assert_eq!((world.sizes(), world.last_wake()), (vec![0, 5], None));
}

#[test]
fn an_abort_takes_the_traffic_at_once_and_the_pods_later() {
    let mut world = world("", STEPS);
    world.settle();
    let first = hash(&world);
    world.set_image("shop:2");
    world.settle();
    world.patch_status(&json!({"abort": true}));
    world.settle();
    assert_eq!(
        (world.phase(), world.sizes(), weights(&world)),
        ("Degraded".to_owned(), vec![5, 1], (100, 0))
    );
    assert_eq!(world.selected("new"), first);
    assert!(world.said("TrafficWeightUpdated", "Traffic weight updated from 20 to 0"));
    assert!(world.set_of(&hash(&world)).annotation("scale-down-deadline").is_some());
    world.wake();
    world.settle();
    assert_eq!(world.sizes(), [5, 0]);
    world.patch_status(&json!({"abort": false}));
    world.settle();
    assert_eq!((world.phase(), world.sizes(), weights(&world)), ("Paused".to_owned(), vec![5, 1], (80, 20)));
    assert_eq!(world.selected("new"), hash(&world));
}

#[test]
fn an_abort_delay_of_zero_keeps_the_pods_and_leaves_the_service_alone() {
    let mut world = world("abortScaleDownDelaySeconds: 0", STEPS);
    world.settle();
    let first = hash(&world);
    world.set_image("shop:2");
    world.settle();
    world.patch_status(&json!({"abort": true}));
    world.settle();
    world.tick(86_400);
    world.events.clear();
    world.settle();
    assert_eq!((world.sizes(), world.selected("new")), (vec![5, 1], first));
    assert!(world.events.is_empty(), "#3078: {:?}", world.events);
}

#[test]
fn pods_apart_from_the_weight() {
    let steps = "
- setCanaryScale: {replicas: 3}
- pause: {}
- setWeight: 20
- pause: {}
- setCanaryScale: {matchTrafficWeight: true}
- pause: {}
";
    let mut world = world("", steps);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    assert_eq!((world.sizes(), weights(&world)), (vec![5, 3], (100, 0)));
    assert!(world.said("RolloutStepCompleted", "Rollout step 1/6 completed (setCanaryScale{replicas: 3})"));
    world.promote();
    world.settle();
    assert_eq!((world.sizes(), weights(&world)), (vec![5, 3], (80, 20)));
    world.promote();
    world.settle();
    assert_eq!((world.sizes(), weights(&world)), (vec![5, 1], (80, 20)));
}

#[test]
fn stable_pods_that_follow_the_traffic() {
    let mut world = world("dynamicStableScale: true", STEPS);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    assert_eq!((world.sizes(), weights(&world)), (vec![4, 1], (80, 20)));
    world.promote();
    world.settle();
    assert_eq!((world.sizes(), weights(&world)), (vec![2, 3], (40, 60)));
    world.patch_status(&json!({"abort": true}));
    world.settle();
    assert_eq!((world.sizes(), weights(&world)), (vec![5, 0], (100, 0)));
    assert_eq!(world.selected("new"), world.selected("old"));
    world.patch_status(&json!({"abort": false}));
    world.settle();
    world.promote();
    world.settle();
    world.promote();
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Healthy".to_owned(), vec![0, 5]));
}

#[test]
fn taken_back_midway_the_traffic_waits_for_the_stable_pods() {
    let mut world = world("dynamicStableScale: true", STEPS);
    world.settle();
    let first = hash(&world);
    world.set_image("shop:2");
    world.settle();
    world.promote();
    world.settle();
    let second = hash(&world);
    assert_eq!(world.sizes(), [2, 3]);
    world.slow = true;
    world.set_image("shop:1");
    for _ in 0..3 {
        world.pass();
    }
    assert_eq!(world.selected("new"), second, "#3020: the stable pods are not there yet");
    assert!(weights(&world).1 > 0);
    world.settle();
    assert_eq!((world.phase(), world.sizes(), weights(&world)), ("Healthy".to_owned(), vec![5, 0], (100, 0)));
    assert_eq!(world.selected("new"), first);
}

#[test]
fn a_third_version_takes_the_place_of_the_second() {
    let mut world = world("", STEPS);
    world.settle();
    let first = hash(&world);
    world.set_image("shop:2");
    world.settle();
    world.set_image("shop:3");
    world.settle();
    assert_eq!((world.phase(), weights(&world)), ("Paused".to_owned(), (80, 20)));
    assert_eq!(world.sizes(), [5, 0, 1]);
    assert_eq!(world.selected("old"), first);
    assert_eq!(world.selected("new"), hash(&world));
}

#[test]
fn a_full_promotion_moves_the_traffic_once_the_pods_are_there() {
    let mut world = world("", STEPS);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.slow = true;
    world.patch_status(&json!({"promoteFull": true}));
    world.pass();
    world.pass();
    assert_eq!(weights(&world), (80, 20));
    world.settle();
    assert_eq!((world.phase(), weights(&world)), ("Healthy".to_owned(), (100, 0)));
    assert_eq!(world.selected("old"), hash(&world));
}

#[test]
fn a_router_that_is_not_there_stops_the_update_until_it_is() {
    let mut world = world("", STEPS);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    let route = world.only_route().to_value();
    world.lose_routes();
    let problems = world.problems();
    assert!(problems.iter().any(|problem| problem.contains("httproutes")), "{problems:?}");
    world.route(route);
    world.promote();
    world.settle();
    assert_eq!((world.sizes(), weights(&world)), (vec![5, 3], (40, 60)));
}

#[test]
fn an_edit_by_hand_is_taken_back() {
    let mut world = world("", STEPS);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    let mut route = world.only_route().clone();
    let mut rules = route.items(&["spec", "rules"]).to_vec();
    rules[0]["backendRefs"][0]["weight"] = json!(1);
    route.set(&["spec", "rules"], rules);
    world.route(route.to_value());
    world.settle();
    assert_eq!(weights(&world), (80, 20));
}

#[test]
fn a_header_route_comes_and_goes() {
    let steps = "
- setCanaryScale: {replicas: 1}
- setHeaderRoute: {name: testers, match: [{headerName: X-Tester, headerValue: {exact: 'yes'}}]}
- pause: {}
- setWeight: 50
- pause: {}
";
    let mut world = world("", steps);
    world.settle();
    let rules = |world: &World| world.only_route().items(&["spec", "rules"]).len();
    assert_eq!(rules(&world), 1);
    world.set_image("shop:2");
    world.settle();
    assert!(world.said("RolloutStepCompleted", "Rollout step 2/5 completed (setHeaderRoute: testers)"));
    assert_eq!((rules(&world), weights(&world)), (2, (100, 0)));
    world.promote();
    world.settle();
    assert_eq!(rules(&world), 2, "it stays with the next step");
    world.patch_status(&json!({"abort": true}));
    world.settle();
    assert_eq!(rules(&world), 1);
}

#[test]
fn pods_that_are_lost_lose_the_traffic() {
    let mut world = world("", STEPS);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.broken.insert("shop:2".to_owned());
    world.settle();
    world.settle();
    assert_eq!(weights(&world), (100, 0));
    world.broken.clear();
    world.settle();
    world.settle();
    assert_eq!(weights(&world), (80, 20));
}

#[test]
fn another_number_of_pods_keeps_the_weights() {
    for paused in [false, true] {
        let mut world = world("", STEPS);
        world.settle();
        world.set_image("shop:2");
        world.settle();
        world.rollout.set(&["spec", "paused"], Value::Bool(paused));
        world.rollout.set(&["spec", "replicas"], 10);
        world.bump();
        world.settle();
        assert_eq!((world.sizes(), weights(&world)), (vec![10, 2], (80, 20)), "#4261: {paused}");
    }
}

#[test]
fn a_stable_version_without_its_pods_is_not_given_more() {
    let mut world = world("", "\n- setWeight: 60\n- pause: {}\n- setWeight: 20\n- pause: {}\n");
    world.settle();
    world.set_image("shop:2");
    world.settle();
    assert_eq!(weights(&world), (40, 60));
    world.broken.insert("shop:1".to_owned());
    world.promote();
    world.settle();
    assert_eq!(weights(&world), (40, 60));
    assert!(world.waits_for(|reason| matches!(reason, Reason::WaitingOnStable { wanted: 4, .. })));
    // An abort does not wait.
    world.patch_status(&json!({"abort": true}));
    world.settle();
    assert_eq!(weights(&world), (100, 0));
}

#[test]
fn ping_and_pong_take_turns() {
    let ping_pong = "
pingPong: {pingService: ping, pongService: pong}
trafficRouting:
  plugins: {argoproj-labs/gatewayAPI: {httpRoute: shop, namespace: 'n'}}
steps:
- setWeight: 50
- pause: {}
";
    let mut world = World::new(2, ping_pong);
    world.service("ping");
    world.service("pong");
    let backend = |name: &str| json!({"name": name, "port": 80});
    world.route(json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "n"},
        "spec": {"rules": [{"backendRefs": [backend("ping"), backend("pong")]}]}
    }));
    world.settle();
    let first = hash(&world);
    assert_eq!(world.status()["canary"]["stablePingPong"], json!("ping"));
    assert_eq!(world.selected("ping"), first);
    world.set_image("shop:2");
    world.settle();
    assert_eq!((world.selected("ping"), world.selected("pong")), (first, hash(&world)));
    world.promote();
    world.settle();
    assert_eq!(
        (world.phase(), world.status()["canary"]["stablePingPong"].clone()),
        ("Healthy".to_owned(), json!("pong"))
    );
}

#[test]
fn an_experiment_gets_its_share() {
    let steps = "
- experiment: {templates: [{name: trial, specRef: canary, weight: 10}]}
- setWeight: 20
- pause: {}
";
    let mut world = world("", steps);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.service("trial");
    let running = json!({"phase": "Running", "templateStatuses": [
        {"name": "trial", "status": "Running", "serviceName": "trial", "podTemplateHash": "abc"}]});
    world.experiments.values_mut().next().unwrap().set(&["status"], running);
    world.settle();
    let weights = world.status()["canary"]["weights"].clone();
    let trial = json!([{"weight": 10, "serviceName": "trial", "podTemplateHash": "abc"}]);
    assert_eq!((&weights["stable"]["weight"], &weights["additional"]), (&json!(90), &trial));
    let backends = world.only_route().items(&["spec", "rules"])[0]["backendRefs"].as_array().unwrap().clone();
    assert!(
        backends.iter().any(|backend| backend["name"] == "trial" && backend["weight"] == 10),
        "{backends:?}"
    );
    world.experiments.values_mut().next().unwrap().set(&["status", "phase"], "Successful");
    world.settle();
    assert_eq!(
        (world.phase(), world.status()["canary"]["weights"].get("additional")),
        ("Paused".to_owned(), None)
    );
    assert!(world.said("TrafficWeightUpdated", "Traffic weight updated additional: [{10 trial abc}]"));
}

/// Found by simulation: a step that the user skipped gave its weight to the pods of an earlier one.
#[test]
fn a_skipped_step_gives_no_weight() {
    let mut world =
        world("", " [{setWeight: 20}, {pause: {}}, {setWeight: 100}, {setWeight: 80}, {pause: {}}]");
    world.settle();
    world.few.insert("shop:2".to_owned(), 1);
    world.set_image("shop:2");
    world.settle();
    assert_eq!(weights(&world), (80, 20));
    world.promote();
    world.settle();
    assert_eq!((weights(&world), world.sizes()), ((80, 20), vec![5, 5]));
    world.patch_status(&json!({"currentStepIndex": 3}));
    world.settle();
    assert_eq!((weights(&world), world.sizes()), ((80, 20), vec![5, 4]));
}

/// Found by simulation: the pods went first.
#[test]
fn where_weights_go_down_the_traffic_goes_before_the_pods() {
    let mut world = world("", " [{setWeight: 100}, {pause: {}}, {setWeight: 40}, {pause: {}}]");
    world.settle();
    world.set_image("shop:2");
    world.settle();
    assert_eq!((weights(&world), world.sizes()), ((0, 100), vec![5, 5]));
    world.promote();
    while world.pass() {
        let (weight, pods) = (weights(&world).1, world.sizes()[1]);
        assert!(pods * 100 >= 5 * weight, "{pods} pods carry {weight} %");
    }
    world.settle();
    assert_eq!((weights(&world), world.sizes()), ((60, 40), vec![5, 2]));
}

/// Found by simulation (seed 188): the new pods went while the stable ones were still to come.
#[test]
fn where_weights_go_down_the_new_pods_wait_for_the_stable_ones() {
    let steps = " [{setWeight: 80}, {pause: {}}, {setWeight: 40}, {pause: {}}]";
    let mut world = world("dynamicStableScale: true", steps);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    assert_eq!((weights(&world), world.sizes()), ((20, 80), vec![1, 4]));
    world.slow = true;
    world.promote();
    while world.pass() {
        let (weight, pods) = (weights(&world).1, world.sizes()[1]);
        assert!(pods * 100 >= 5 * weight, "{pods} pods carry {weight} %");
    }
    world.settle();
    assert_eq!((weights(&world), world.sizes()), ((60, 40), vec![3, 2]));
}

/// Found by simulation (seed 854): the stable pods went for the step that the third version is at, in the very pass that
/// gave them the traffic of the second one back.
#[test]
fn stable_pods_stay_for_the_traffic_that_a_lost_version_gives_back() {
    let mut world = world("dynamicStableScale: true", " [{setWeight: 80}, {setWeight: 50}, {pause: {}}]");
    world.settle();
    world.set_image("shop:2");
    while weights(&world) != (20, 80) {
        assert!(world.pass());
    }
    assert_eq!(world.sizes(), [5, 4]);
    world.set_image("shop:3");
    world.pass();
    world.patch_status(&json!({"currentStepIndex": 1}));
    while world.pass() {
        let (weight, pods) = (weights(&world).0, world.sizes()[0]);
        assert!(pods * 100 >= 5 * weight, "{pods} stable pods carry {weight} %");
    }
    assert_eq!((weights(&world), world.phase()), ((50, 50), "Paused".to_owned()));
}
