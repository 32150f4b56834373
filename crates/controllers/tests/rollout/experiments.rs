//! Experiments with real ReplicaSets, pods and runs.
#![expect(clippy::needless_pass_by_value, reason = "literals read better without &")]

use object::{Object, Value, json};
use runtime::resources;

use crate::world::{Setup, Web, World, template};

fn pods(name: &str, more: Value) -> Value {
    let containers = json!([{"name": "c", "image": "shop:1", "ports": [{"containerPort": 80}]}]);
    let mut template = json!({"name": name, "replicas": 2, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}});
    for (key, value) in more.as_object().into_iter().flatten() {
        template[key] = value.clone();
    }
    template
}

async fn create(world: &World, spec: Value) {
    world.create(&resources::EXPERIMENTS, json!({"metadata": {"name": "duel"}, "spec": spec})).await;
}

#[track_caller]
fn ended(world: &World) -> impl Future<Output = Object> {
    world.until(&resources::EXPERIMENTS, "duel", |experiment| {
        !matches!(experiment.str(&["status", "phase"]), "" | "Pending" | "Running")
    })
}

#[tokio::test(start_paused = true)]
async fn two_sets_side_by_side_for_a_time() {
    let world = World::start().await;
    let templates = json!([pods("left", json!({"service": {}})), pods("right", json!({}))]);
    create(&world, json!({"templates": templates, "duration": "1m"})).await;
    let running = world
        .until(&resources::EXPERIMENTS, "duel", |experiment| {
            experiment.str(&["status", "phase"]) == "Running"
        })
        .await;
    let available = running.time(&["status", "availableAt"]).unwrap();
    assert_eq!(world.sizes().await, [2, 2]);
    assert_eq!(
        world.get(&resources::SERVICES, "duel-left").await.unwrap().items(&["spec", "ports"]).len(),
        1
    );
    let done = ended(&world).await;
    assert_eq!(done.str(&["status", "phase"]), "Successful");
    let took = world.cluster.clock().now().since(available).as_secs();
    assert!((60..=62).contains(&took), "{took}");
    assert_eq!(world.sizes().await, [2, 2]);
    world.pass(35).await;
    assert_eq!(world.sizes().await, [0, 0]);
    assert!(world.get(&resources::SERVICES, "duel-left").await.is_none());
    assert_eq!(world.said("TemplateRunning").await.len(), 2);
    let before = world.writes();
    world.pass(3600).await;
    // Only the node's lease and status are written at rest.
    let statuses = world.get(&resources::EXPERIMENTS, "duel").await.unwrap();
    assert!(world.writes() >= before);
    assert_eq!(statuses.items(&["status", "templateStatuses"])[0]["replicas"], 0);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_analysis_fails_it() {
    let world = World::with(Setup { web: Web::Text("7"), ..Setup::default() }).await;
    world
        .create(&resources::ANALYSIS_TEMPLATES, template("low", &json!({"successCondition": "result < 5"})))
        .await;
    let analyses = json!([{"name": "check", "templateName": "low"}]);
    create(&world, json!({"templates": [pods("only", json!({}))], "duration": "1h", "analyses": analyses}))
        .await;
    let done = ended(&world).await;
    let message = "Metric \"web\" assessed Failed due to failed (1) > failureLimit (0)";
    assert_eq!((done.str(&["status", "phase"]), done.str(&["status", "message"])), ("Failed", message));
    assert_eq!(done.items(&["status", "analysisRuns"])[0]["analysisRun"], "duel-check");
    world.pass(1).await;
    let told = format!("AnalysisRun 'check' transitioned from Running -> Failed: {message}");
    let said = world.said("AnalysisRunFailed").await;
    let told_directly = format!("AnalysisRun 'check' transitioned from Pending -> Failed: {message}");
    let unseen = format!("AnalysisRun 'check' transitioned from  -> Failed: {message}");
    assert!(said.iter().any(|text| [&told, &told_directly, &unseen].contains(&text)), "{said:?}");
    world.pass(40).await;
    assert_eq!(world.sizes().await, [0]);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_template_with_a_nested_one_and_hashes_as_arguments() {
    let world = World::with(Setup { web: Web::Echo, ..Setup::default() }).await;
    let web = json!({"url": "http://metrics/{{args.hash}}"});
    let metric =
        json!({"name": "web", "provider": {"web": web}, "successCondition": "result contains args_hash"});
    let mut metric = metric;
    metric["successCondition"] = json!("result contains '{{args.hash}}' && '{{args.hash}}' != ''");
    let inner =
        json!({"metadata": {"name": "inner"}, "spec": {"args": [{"name": "hash"}], "metrics": [metric]}});
    world.create(&resources::CLUSTER_ANALYSIS_TEMPLATES, inner).await;
    let nested = json!([{"templateName": "inner", "clusterScope": true}]);
    let outer =
        json!({"metadata": {"name": "outer"}, "spec": {"args": [{"name": "hash"}], "templates": nested}});
    world.create(&resources::CLUSTER_ANALYSIS_TEMPLATES, outer).await;
    let args = json!([{"name": "hash", "value": "{{templates.only.podTemplateHash}}"}]);
    let analyses = json!([{"name": "check", "templateName": "outer", "clusterScope": true, "args": args,
        "requiredForCompletion": true}]);
    create(&world, json!({"templates": [pods("only", json!({}))], "analyses": analyses})).await;
    let done = ended(&world).await;
    let found = (done.str(&["status", "phase"]), done.str(&["status", "message"]));
    assert_eq!(found, ("Successful", "Required AnalysisRuns completed"));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn sets_that_are_refused_are_told() {
    let world = World::start().await;
    world.refuse_sets();
    create(&world, json!({"templates": [pods("only", json!({}))], "duration": "1m"})).await;
    let done = ended(&world).await;
    assert_eq!(done.str(&["status", "phase"]), "Error");
    let message = done.str(&["status", "message"]);
    assert!(message.starts_with("Failed to create ReplicaSet for template 'only': "), "{message}");
    assert!(message.contains("exceeded quota"), "{message}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_somebody_else_has() {
    let world = World::start().await;
    let mut set = json!({"metadata": {"name": "duel-only"}, "spec": pods("other", json!({"replicas": 0}))});
    set["spec"].as_object_mut().unwrap().remove("name");
    world.create(&resources::REPLICA_SETS, set).await;
    create(&world, json!({"templates": [pods("only", json!({}))], "duration": "1m"})).await;
    let done = ended(&world).await;
    let message = done.str(&["status", "message"]);
    assert!(message.contains("already exists"), "{message}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn it_is_ended_by_hand_and_what_is_invalid_says_so() {
    let world = World::start().await;
    create(&world, json!({"templates": [pods("only", json!({"selector": {}}))]})).await;
    let message = "This experiment is selecting all pods at index 0. A non-empty selector is required.";
    world
        .until(&resources::EXPERIMENTS, "duel", |experiment| {
            experiment.condition("InvalidSpec").is_some_and(|condition| condition.message == message)
        })
        .await;
    let spec = json!({"spec": {"templates": [pods("only", json!({}))]}});
    world.patch(&resources::EXPERIMENTS, "duel", spec).await;
    world
        .until(&resources::EXPERIMENTS, "duel", |experiment| {
            experiment.str(&["status", "phase"]) == "Running"
        })
        .await;
    world.pass(7200).await;
    world.patch(&resources::EXPERIMENTS, "duel", json!({"spec": {"terminate": true}})).await;
    assert_eq!(ended(&world).await.str(&["status", "phase"]), "Successful");
    world.stop().await;
}
