//! Blue-green, routed canaries, workloads and configuration through the API server.

use object::{Object, Value, json};
use rollout::keys;
use runtime::{Resource, Subresource, resources};

use crate::world::{World, half_and_pause, rollout};

const ROUTES: Resource = Resource::builtin("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute");

async fn services(world: &World, names: [&str; 2], app: &str) {
    for name in names {
        let service =
            json!({"metadata": {"name": name}, "spec": {"selector": {"app": app}, "ports": [{"port": 80}]}});
        world.create(&resources::SERVICES, service).await;
    }
}

async fn selects(world: &World, service: &str) -> String {
    let service = world.get(&resources::SERVICES, service).await.unwrap();
    service.str(&["spec", "selector", keys::HASH]).to_owned()
}

fn current(rollout: &Object) -> String {
    rollout.str(&["status", "currentPodHash"]).to_owned()
}

async fn promote(world: &World) {
    world.patch_on(Subresource::Status, "r", json!({"status": {"pauseConditions": null}})).await;
}

#[tokio::test(start_paused = true)]
async fn blue_green_pauses_switches_and_drops_the_old_pods_later() {
    let world = World::start().await;
    services(&world, ["live", "next"], "r").await;
    let mut value = rollout("r", Value::Null);
    value["spec"]["strategy"] = json!({"blueGreen": {
        "activeService": "live", "previewService": "next", "autoPromotionEnabled": false, "previewReplicaCount": 1
    }});
    world.create(&resources::ROLLOUTS, value).await;
    let first = current(&world.phase("r", "Healthy").await);
    assert_eq!(
        (selects(&world, "live").await, selects(&world, "next").await),
        (first.clone(), first.clone())
    );
    world.image("r", "shop:2").await;
    let paused = world.phase("r", "Paused").await;
    assert_eq!(paused.str(&["status", "message"]), "BlueGreenPause");
    let second = current(&paused);
    assert_eq!(world.sizes().await, [4, 1]);
    assert_eq!((selects(&world, "live").await, selects(&world, "next").await), (first, second.clone()));
    assert_eq!(paused.int(&["status", "HPAReplicas"]), Some(4));
    promote(&world).await;
    world.phase("r", "Healthy").await;
    assert_eq!((selects(&world, "live").await, world.sizes().await), (second, vec![4, 4]));
    world.pass(45).await;
    assert_eq!(world.sizes().await, [0, 4]);
    let before = world.writes();
    world.pass(1200).await;
    assert_eq!(world.writes(), before, "at rest nothing is written");
    world.stop().await;
}

async fn serve_routes(world: &World) {
    let definition = json!({
        "metadata": {"name": "httproutes.gateway.networking.k8s.io"},
        "spec": {"group": "gateway.networking.k8s.io", "scope": "Namespaced",
            "names": {"plural": "httproutes", "singular": "httproute", "kind": "HTTPRoute", "listKind": "HTTPRouteList"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}
    });
    world.create(&resources::CRDS, definition).await;
}

fn route() -> Value {
    let backend = |name: &str| json!({"name": name, "port": 80});
    json!({"metadata": {"name": "shop"},
        "spec": {"parentRefs": [{"name": "front"}], "rules": [{"backendRefs": [backend("old"), backend("new")]}]}})
}

/// Weights of the stable and the new Service.
fn weights(route: &Object) -> (i64, i64) {
    let rules = route.items(&["spec", "rules"]);
    let weight = |index: usize| rules[0]["backendRefs"][index]["weight"].as_i64().unwrap_or(-1);
    (weight(0), weight(1))
}

#[tokio::test(start_paused = true)]
async fn a_routed_canary_whose_router_comes_late_goes_and_is_edited() {
    let world = World::start().await;
    services(&world, ["old", "new"], "r").await;
    let mut value = rollout("r", json!([{"setWeight": 25}, {"pause": {}}]));
    let canary = &mut value["spec"]["strategy"]["canary"];
    (canary["stableService"], canary["canaryService"]) = (json!("old"), json!("new"));
    canary["trafficRouting"] =
        json!({"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "shop", "namespace": "shop"}}});
    world.create(&resources::ROLLOUTS, value).await;
    let routing = "spec.strategy.canary.trafficRouting";
    let why = "Invalid value: the cluster does not serve HTTPRoute of gateway.networking.k8s.io/v1";
    world.refused("r", &format!("{routing}: {why}")).await;
    serve_routes(&world).await;
    world.pass(60).await;
    let invalid = world.get(&resources::ROLLOUTS, "r").await.unwrap();
    assert!(invalid.str(&["status", "message"]).contains("not found"), "{invalid:?}");
    world.create(&ROUTES, route()).await;
    world.phase("r", "Healthy").await;
    world.until(&ROUTES, "shop", |route| weights(route) == (100, 0)).await;

    world.image("r", "shop:2").await;
    world.phase("r", "Paused").await;
    let held = world.get(&ROUTES, "shop").await.unwrap();
    assert_eq!((weights(&held), world.sizes().await), ((75, 25), vec![4, 1]));
    assert!(held.get(&["spec", "parentRefs"]).is_some(), "what is not ours stays");
    // Edited by hand, then deleted.
    let mut rules = held.items(&["spec", "rules"]).to_vec();
    rules[0]["backendRefs"][0]["weight"] = json!(1);
    world.patch(&ROUTES, "shop", json!({"spec": {"rules": rules}})).await;
    world.until(&ROUTES, "shop", |route| weights(route) == (75, 25)).await;
    world.delete(&ROUTES, "shop").await;
    world.until(&resources::ROLLOUTS, "r", |rollout| rollout.condition("InvalidSpec").is_some()).await;
    world.create(&ROUTES, route()).await;
    world.until(&ROUTES, "shop", |route| weights(route) == (75, 25)).await;

    promote(&world).await;
    let healthy = world.phase("r", "Healthy").await;
    world.until(&ROUTES, "shop", |route| weights(route) == (100, 0)).await;
    assert_eq!(selects(&world, "old").await, current(&healthy));
    world.pass(45).await;
    assert_eq!(world.sizes().await, [0, 4]);
    let before = world.writes();
    world.pass(1200).await;
    assert_eq!(world.writes(), before, "at rest nothing is written");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_deployment_hands_over_to_a_rollout() {
    let world = World::start().await;
    let mut value = rollout("r", half_and_pause());
    let spec = value["spec"].as_object_mut().unwrap();
    let (template, selector) = (spec.remove("template").unwrap(), spec.remove("selector").unwrap());
    spec.insert(
        "workloadRef".into(),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "scaleDown": "onsuccess"}),
    );
    world.create(&resources::ROLLOUTS, value).await;
    world.refused("r", r#"deployments.apps "d" not found"#).await;
    let deployment = json!({"metadata": {"name": "d"},
        "spec": {"replicas": 4, "selector": selector, "template": template}});
    world.create(&resources::DEPLOYMENTS, deployment).await;
    world.phase("r", "Healthy").await;
    world
        .until(&resources::DEPLOYMENTS, "d", |deployment| deployment.int(&["spec", "replicas"]) == Some(0))
        .await;
    let containers = json!([{"name": "c", "image": "shop:2"}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    world.patch(&resources::DEPLOYMENTS, "d", patch).await;
    let paused = world.until(&resources::ROLLOUTS, "r", |it| it.str(&["status", "phase"]) == "Paused").await;
    let generation = paused.annotation(keys::WORKLOAD_GENERATION).map(str::to_owned);
    assert_eq!(generation.as_deref(), Some(paused.str(&["status", "workloadObservedGeneration"])));
    assert_eq!(paused.get(&["spec", "template"]), None);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn another_content_of_a_config_map_is_another_version() {
    let world = World::start().await;
    let content = |color: &str| json!({"metadata": {"name": "settings"}, "data": {"color": color}});
    world.create(&resources::CONFIG_MAPS, content("blue")).await;
    let mut value = rollout("r", half_and_pause());
    value["metadata"]["annotations"] = json!({keys::TRACK_CONFIG: "true"});
    value["spec"]["template"]["spec"]["containers"][0]["envFrom"] =
        json!([{"configMapRef": {"name": "settings"}}]);
    world.create(&resources::ROLLOUTS, value).await;
    let first = current(&world.phase("r", "Healthy").await);
    world.patch(&resources::CONFIG_MAPS, "settings", json!({"data": {"color": "green"}})).await;
    let paused = world.until(&resources::ROLLOUTS, "r", |it| it.str(&["status", "phase"]) == "Paused").await;
    assert_ne!(current(&paused), first);
    assert_eq!(world.sizes().await, [2, 2]);
    world.patch(&resources::CONFIG_MAPS, "settings", json!({"data": {"color": "blue"}})).await;
    let back = world.until(&resources::ROLLOUTS, "r", |it| it.str(&["status", "phase"]) == "Healthy").await;
    assert_eq!(current(&back), first);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn labels_of_the_role_reach_the_pods() {
    let world = World::start().await;
    let mut value = rollout("r", half_and_pause());
    value["spec"]["strategy"]["canary"]["canaryMetadata"] = json!({"labels": {"role": "canary"}});
    value["spec"]["strategy"]["canary"]["stableMetadata"] = json!({"labels": {"role": "stable"}});
    world.create(&resources::ROLLOUTS, value).await;
    world.phase("r", "Healthy").await;
    world.image("r", "shop:2").await;
    world.phase("r", "Paused").await;
    let roles =
        |pods: Vec<Object>, role: &str| pods.iter().filter(|pod| pod.label("role") == Some(role)).count();
    let pods = world.list(&resources::PODS).await;
    assert_eq!((roles(pods.clone(), "canary"), roles(pods, "stable")), (2, 2));
    promote(&world).await;
    world.phase("r", "Healthy").await;
    let pods = world.list(&resources::PODS).await;
    assert_eq!(roles(pods, "stable"), 4);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_ingress_is_given_back_when_no_rollout_names_it() {
    let world = World::start().await;
    let action = r#"{"Type":"forward","ForwardConfig":{"TargetGroups":[{"ServiceName":"new","ServicePort":"80","Weight":30},{"ServiceName":"old","ServicePort":"80","Weight":70}]}}"#;
    let ingress = |name: &str| {
        json!({"metadata": {"name": name, "annotations": {
                "alb.ingress.kubernetes.io/actions.old": action,
                "rollouts.argoproj.io/managed-alb-annotations": r#"{"gone":["alb.ingress.kubernetes.io/actions.old"]}"#}},
            "spec": {"rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": "old", "port": {"name": "use-annotation"}}}}]}}]}})
    };
    world.create(&resources::INGRESSES, ingress("shop")).await;
    let given = world
        .until(&resources::INGRESSES, "shop", |it| {
            it.annotation("rollouts.argoproj.io/managed-alb-annotations").is_none()
        })
        .await;
    let action = given.annotation("alb.ingress.kubernetes.io/actions.old").unwrap_or_default();
    assert!(!action.contains("30"), "{action}");
    world.stop().await;
}
