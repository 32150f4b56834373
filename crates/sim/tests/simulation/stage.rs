//! What stories need: objects written as a user would, past all faults.

use object::{Key, Object, Value, json};
use runtime::{Patch, Resource, Subresource, resources};
use sim::World;

/// Gateway API routes.
pub const ROUTES: Resource = Resource::builtin("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute");

/// A key in the namespace that all stories play in.
pub fn key(name: &str) -> Key {
    Key::new("default", name)
}

/// Creates an object.
pub async fn create(world: &World, resource: &Resource, mut value: Value) {
    value["apiVersion"] = json!(resource.api_version());
    value["kind"] = json!(resource.kind);
    if resource.namespaced {
        value["metadata"]["namespace"] = json!("default");
    }
    world.cluster().create(resource, &Object::from_value(value)).await.unwrap();
}

/// Creates the Services `live` and `next`.
pub async fn services(world: &World) {
    for name in ["live", "next"] {
        let service =
            json!({"metadata": {"name": name}, "spec": {"selector": {"app": "r"}, "ports": [{"port": 80}]}});
        create(world, &resources::SERVICES, service).await;
    }
}

/// Creates the definition of HTTPRoutes and the route `shop`.
pub async fn route(world: &World) {
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
}

/// Creates the AnalysisTemplate `check`: the new version's Service says that it is well.
pub async fn template(world: &World) {
    let metric = json!({
        "name": "well", "interval": "5s", "count": 2, "failureLimit": 1, "successCondition": "result == \"ok\"",
        "provider": {"web": {"url": "http://next.default", "jsonPath": "{$.status}"}}
    });
    let spec = json!({"metadata": {"name": "check"}, "spec": {"metrics": [metric]}});
    create(world, &resources::ANALYSIS_TEMPLATES, spec).await;
}

/// Returns a Rollout with this strategy.
pub fn rollout(strategy: &Value, replicas: u64) -> Value {
    json!({"metadata": {"name": "r"}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": "r"}}, "strategy": strategy,
        "template": {"metadata": {"labels": {"app": "r"}}, "spec": {"containers": [{"name": "c", "image": "shop:1"}]}}}})
}

/// Returns the Rollout as it is.
pub async fn get(world: &World) -> Object {
    world.cluster().get(&resources::ROLLOUTS, &key("r")).await.unwrap().unwrap()
}

/// Changes the Rollout.
pub async fn change(world: &World, patch: Value) {
    world.invariants().acting();
    world.cluster().patch(&resources::ROLLOUTS, &key("r"), &Patch::merge(patch)).await.unwrap();
}

/// Changes the image.
pub async fn image(world: &World, image: &str) {
    let containers = json!([{"name": "c", "image": image}]);
    change(world, json!({"spec": {"template": {"spec": {"containers": containers}}}})).await;
}

/// Changes the status, as the commands do.
pub async fn status(world: &World, status: Value) {
    world.invariants().acting();
    let patch = Patch::merge(json!({"status": status})).on(Subresource::Status);
    world.cluster().patch(&resources::ROLLOUTS, &key("r"), &patch).await.unwrap();
}

/// Returns whether the phase is this one, and about the current generation.
pub fn is(rollout: &Object, phase: &str) -> bool {
    rollout.str(&["status", "phase"]) == phase
        && rollout.str(&["status", "observedGeneration"]) == rollout.generation().to_string()
}
