//! AnalysisRuns whose metrics hang, talk nonsense, or need secrets.

use base64::Engine as _;
use object::{Object, Value, json};
use runtime::resources;

use crate::world::{Setup, Web, World};

/// Creates an AnalysisRun with one web metric and waits until it is decided.
async fn decided(world: &World, web: Value, more: Value, args: Value) -> Object {
    let mut metric = json!({"name": "web", "provider": {"web": web}});
    for (key, value) in more.as_object().into_iter().flatten() {
        metric[key] = value.clone();
    }
    let run = json!({"metadata": {"name": "run"}, "spec": {"metrics": [metric], "args": args}});
    world.create(&resources::ANALYSIS_RUNS, run).await;
    world.until(&resources::ANALYSIS_RUNS, "run", |run| !run.str(&["status", "completedAt"]).is_empty()).await
}

fn measurements(run: &Object) -> &[Value] {
    run.items(&["status", "metricResults"])[0]["measurements"].as_array().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_metric_that_hangs_is_an_error_after_five_attempts() {
    let world = World::with(Setup { web: Web::Silent, ..Setup::default() }).await;
    let start = world.cluster.clock().now();
    let web = json!({"url": "http://metrics/", "timeoutSeconds": 3});
    let run = decided(&world, web, json!({"interval": "1m"}), json!([])).await;
    assert_eq!(run.str(&["status", "phase"]), "Error");
    assert_eq!(
        run.str(&["status", "message"]),
        "Metric \"web\" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4): \
         \"Error Message: GET http://metrics/: no answer within 3s\""
    );
    assert_eq!(measurements(&run).len(), 5);
    assert!(measurements(&run).iter().all(|one| one["phase"] == "Error"));
    assert_eq!(world.asked(), 5);
    // 5 timeouts of 3 s, 4 waits of 10 s whatever the interval.
    let took = run.time(&["status", "completedAt"]).unwrap().since(start).as_secs();
    assert!((55..=57).contains(&took), "{took}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_json() {
    let world = World::with(Setup { web: Web::Text("<html>busy</html>"), ..Setup::default() }).await;
    let web = json!({"url": "http://metrics/", "jsonPath": "{$.status}"});
    let more = json!({"successCondition": "result == 'ok'"});
    let run = decided(&world, web, more, json!([])).await;
    assert_eq!(run.str(&["status", "phase"]), "Failed");
    assert_eq!(measurements(&run)[0]["value"], "<html>busy</html>");
    assert_eq!(
        run.str(&["status", "message"]),
        "Metric \"web\" assessed Failed due to failed (1) > failureLimit (0)"
    );
    world.stop().await;
}

fn secret_args() -> Value {
    json!([{"name": "token", "valueFrom": {"secretKeyRef": {"name": "web", "key": "token"}}}])
}

#[tokio::test(start_paused = true)]
async fn a_missing_secret_is_named() {
    let world = World::start().await;
    let run = decided(&world, json!({"url": "http://{{args.token}}/"}), json!({}), secret_args()).await;
    assert_eq!(run.str(&["status", "phase"]), "Error");
    let message = "Unable to resolve metric arguments: secrets \"web\" not found";
    assert_eq!(run.str(&["status", "message"]), message);
    assert_eq!(world.asked(), 0);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_without_the_key_is_named() {
    let world = World::start().await;
    world
        .create(&resources::SECRETS, json!({"metadata": {"name": "web"}, "stringData": {"other": "x"}}))
        .await;
    let run = decided(&world, json!({"url": "http://{{args.token}}/"}), json!({}), secret_args()).await;
    let message = "Unable to resolve metric arguments: key 'token' does not exist in secret 'web'";
    assert_eq!(run.str(&["status", "message"]), message);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_sent_and_never_shown() {
    let world = World::with(Setup { web: Web::Echo, ..Setup::default() }).await;
    let token = base64::engine::general_purpose::STANDARD.encode("hunter2");
    world.create(&resources::SECRETS, json!({"metadata": {"name": "web"}, "data": {"token": token}})).await;
    let headers = json!([{"key": "Authorization", "value": "Bearer {{args.token}}"}]);
    let web = json!({"url": "http://metrics/?t={{args.token}}", "headers": headers});
    let more = json!({"successCondition": "result matches 'Bearer h.nter2'"});
    let run = decided(&world, web, more, secret_args()).await;
    // The condition saw what was sent; what is written down is not it.
    assert_eq!(run.str(&["status", "phase"]), "Successful");
    assert!(measurements(&run)[0]["value"].as_str().unwrap().contains("Bearer *****"));
    world.pass(10).await;
    for resource in [&resources::ANALYSIS_RUNS, &resources::EVENTS] {
        for object in world.list(resource).await {
            assert!(!object.to_value().to_string().contains("hunter2"));
        }
    }
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_in_a_query_is_not_shown() {
    let answer = r#"{"status":"success","data":{"resultType":"scalar","result":[0,"1"]}}"#;
    let world = World::with(Setup { web: Web::Text(answer), ..Setup::default() }).await;
    world
        .create(&resources::SECRETS, json!({"metadata": {"name": "web"}, "stringData": {"token": "hunter2"}}))
        .await;
    let prometheus = json!({"address": "http://metrics/", "query": "up{token=\"{{args.token}}\"}"});
    let metric =
        json!({"name": "web", "successCondition": "result == 1", "provider": {"prometheus": prometheus}});
    let spec = json!({"metrics": [metric], "args": secret_args()});
    world.create(&resources::ANALYSIS_RUNS, json!({"metadata": {"name": "run"}, "spec": spec})).await;
    let over = |run: &Object| run.str(&["status", "phase"]) == "Successful";
    let run = world.until(&resources::ANALYSIS_RUNS, "run", over).await;
    let result = &run.items(&["status", "metricResults"])[0];
    assert_eq!(result["metadata"], json!({"ResolvedPrometheusQuery": "up{token=\"*****\"}"}));
    assert_eq!(measurements(&run)[0]["value"], "1");
    world.stop().await;
}
