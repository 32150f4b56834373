//! Specs that cannot be acted on: the field is named, nothing changes, and a better spec goes on.

use object::{Key, Value, json};
use runtime::{Patch, Subresource, resources};

use crate::world::{World, half_and_pause, rollout, template};

/// Changes a healthy Rollout by `patch` together with a new image, waits for the refusal `why`, checks that nothing
/// else moved, and that `remedy` lets the update go on.
async fn refuses(patch: Value, why: &str, remedy: Value) {
    let world = World::start().await;
    world.healthy_rollout("r", half_and_pause()).await;
    let sets = world.sets().await;
    let pods = world.list(&resources::PODS).await;
    world.patch(&resources::ROLLOUTS, "r", patch).await;
    world.image("r", "shop:2").await;
    let refused = world.refused("r", why).await;
    assert_eq!(refused.str(&["status", "observedGeneration"]), refused.generation().to_string());
    world.pass(120).await;
    assert_eq!(world.sets().await, sets, "{why}");
    assert_eq!(world.list(&resources::PODS).await, pods, "{why}");
    let before = world.writes();
    world.pass(1200).await;
    assert_eq!(world.writes(), before, "a refused spec is written once: {why}");
    world.patch(&resources::ROLLOUTS, "r", remedy).await;
    let on = world.phase("r", "Paused").await;
    assert!(on.condition("InvalidSpec").is_none());
    assert_eq!(world.sizes().await, [2, 2]);
    world.stop().await;
}

const NOT_YET: &str = "Unsupported value: this version does not act on this field yet";

#[tokio::test(start_paused = true)]
async fn fields_that_are_not_acted_on_yet() {
    let steps = |steps: Value| json!({"spec": {"strategy": {"canary": {"steps": steps}}}});
    let plugin = steps(json!([{"plugin": {"name": "a/b"}}]));
    let why = format!("spec.strategy.canary.steps[0].plugin: {NOT_YET}");
    refuses(plugin, &why, steps(json!(half_and_pause()))).await;
}

#[tokio::test(start_paused = true)]
async fn another_strategy() {
    let to = json!({"spec": {"strategy": {"canary": null, "blueGreen": {"activeService": "a"}}}});
    let back = json!({"spec": {"strategy": {"blueGreen": null, "canary": {"steps": half_and_pause()}}}});
    let why = r#"spec.strategy.blueGreen.activeService: Invalid value: "a": services "a" not found"#;
    refuses(to, why, back).await;
}

#[tokio::test(start_paused = true)]
async fn a_template_that_kubernetes_refuses() {
    let dns = |policy: Value| json!({"spec": {"template": {"spec": {"dnsPolicy": policy}}}});
    let why = r#"spec.template.spec.dnsPolicy: Unsupported value: "Foo": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None""#;
    refuses(dns(json!("Foo")), why, dns(Value::Null)).await;
}

#[tokio::test(start_paused = true)]
async fn a_misspelt_field_at_the_top_of_the_spec() {
    let why = "spec.minReadySecond: Unsupported value: this version does not know this field";
    let patch = json!({"spec": {"minReadySecond": 30}});
    refuses(patch, why, json!({"spec": {"minReadySecond": null}})).await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_field_of_the_spec_is_kept_all_the_same() {
    let world = World::start().await;
    let mut value = rollout("r", half_and_pause());
    value["spec"]["later"] = json!({"mode": "new"});
    world.create(&resources::ROLLOUTS, value).await;
    let refused =
        world.refused("r", "spec.later: Unsupported value: this version does not know this field").await;
    assert_eq!(refused.get(&["spec", "later"]), Some(&json!({"mode": "new"})));
    assert!(world.sets().await.is_empty());
    world.stop().await;
}

/// Our definition refuses wrong types; one of another origin may let them through.
#[tokio::test(start_paused = true)]
async fn a_field_of_another_type_is_named() {
    let world = World::start().await;
    let mut value = rollout("r", half_and_pause());
    value["spec"]["minReadySeconds"] = json!("soon");
    let error = world.try_create(&resources::ROLLOUTS, value.clone()).await.unwrap_err();
    assert!(error.is_invalid() && error.message.contains("spec.minReadySeconds"), "{error}");

    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/minReadySeconds";
    let any = json!({"x-kubernetes-preserve-unknown-fields": true});
    let looser = Patch::json(json!([{"op": "replace", "path": path, "value": any}]));
    let definition = Key::new("", "rollouts.argoproj.io");
    world.cluster.patch(&resources::CRDS, &definition, &looser).await.unwrap();
    world.pass(5).await;
    world.create(&resources::ROLLOUTS, value).await;
    world.refused("r", "spec.minReadySeconds: invalid type: string \"soon\", expected i32").await;
    assert!(world.sets().await.is_empty());
    world.patch(&resources::ROLLOUTS, "r", json!({"spec": {"minReadySeconds": 1}})).await;
    world.phase("r", "Healthy").await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_appears_later() {
    let world = World::start().await;
    let mut value = rollout("r", half_and_pause());
    value["spec"]["strategy"]["canary"]["stableService"] = json!("stable");
    value["spec"]["strategy"]["canary"]["canaryService"] = json!("canary");
    world.create(&resources::ROLLOUTS, value).await;
    let missing = |field: &str, name: &str| {
        format!("spec.strategy.canary.{field}: Invalid value: \"{name}\": services \"{name}\" not found")
    };
    world.refused("r", &missing("canaryService", "canary")).await;
    world.create(&resources::SERVICES, service("canary", "r")).await;
    world.refused("r", &missing("stableService", "stable")).await;
    assert!(world.sets().await.is_empty());
    world.create(&resources::SERVICES, service("stable", "r")).await;
    let healthy = world.phase("r", "Healthy").await;
    let hash = healthy.str(&["status", "stableRS"]);
    for name in ["stable", "canary"] {
        let selects =
            |service: &object::Object| service.str(&["spec", "selector", rollout::keys::HASH]) == hash;
        world.until(&resources::SERVICES, name, selects).await;
    }
    world.stop().await;
}

fn service(name: &str, app: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"selector": {"app": app}, "ports": [{"port": 80}]}})
}

#[tokio::test(start_paused = true)]
async fn a_template_that_appears_later() {
    let world = World::start().await;
    let analysis = json!({"templates": [{"templateName": "check"}]});
    world.rollout("r", json!([{"setWeight": 50}, {"analysis": analysis}, {"pause": {}}])).await;
    let path = "spec.strategy.canary.steps[1].analysis.templates: Invalid value: \"templateNames: [check]\"";
    world.refused("r", &format!("{path}: AnalysisTemplate 'check' not found")).await;
    world.create(&resources::ANALYSIS_TEMPLATES, template("check", &json!({}))).await;
    world.phase("r", "Healthy").await;
    world.image("r", "shop:2").await;
    world.phase("r", "Paused").await;
    let runs = world.list(&resources::ANALYSIS_RUNS).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].str(&["status", "phase"]), "Successful");
    world.patch_on(Subresource::Status, "r", json!({"status": {"promoteFull": true}})).await;
    world.phase("r", "Healthy").await;
    world.stop().await;
}
