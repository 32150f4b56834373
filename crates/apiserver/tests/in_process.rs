//! The server in process, through `kube::Client`, under virtual time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use apiserver::{ApiServer, Config};
use kube::client::Body;
use object::Time;
use runtime::Clock;
use serde_json::{Value, json};
use store::Store;

fn server(store: Store) -> ApiServer {
    let clock = Clock::starting_at(Time::parse("2026-01-01T00:00:00Z").unwrap());
    ApiServer::new(store, clock, Config { seed: 1, ..Config::default() })
}

async fn client(store: Store) -> kube::Client {
    let server = server(store);
    server.bootstrap().await.unwrap();
    kube::Client::new(server.router(), "default")
}

async fn ask(client: &kube::Client, method: &str, path: &str, body: Value) -> (u16, Value) {
    let media = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(client, method, path, media, body).await
}

async fn send(client: &kube::Client, method: &str, path: &str, media: &str, body: String) -> (u16, Value) {
    let request = http::Request::builder().method(method).uri(path).header("content-type", media);
    let answer = client.send(request.body(Body::from(body.into_bytes())).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    let bytes = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
    (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"nodeName": "n", "containers": [{"name": "a", "image": "a:1"}]}})
}

const PODS: &str = "/api/v1/namespaces/default/pods";

#[tokio::test(start_paused = true)]
async fn a_watch_gets_bookmarks_and_ends_in_virtual_time() {
    let client = client(Store::memory()).await;
    let path = "/api/v1/namespaces?watch=1&allowWatchBookmarks=true&sendInitialEvents=true\
                &resourceVersionMatch=NotOlderThan&timeoutSeconds=90";
    let request = http::Request::get(path).body(Body::empty()).unwrap();
    let body = client.send(request).await.unwrap().into_body();
    let bytes = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
    let events: Vec<Value> =
        String::from_utf8_lossy(&bytes).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ADDED", "ADDED", "ADDED", "ADDED", "BOOKMARK", "BOOKMARK", "BOOKMARK"]);
    assert_eq!(events[4]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
}

#[tokio::test(start_paused = true)]
async fn a_bound_pod_waits_for_the_last_delete_of_its_node() {
    let client = client(Store::memory()).await;
    assert_eq!(ask(&client, "POST", PODS, pod("p")).await.0, 201);
    let one = format!("{PODS}/p");
    let (code, marked) = ask(&client, "DELETE", &one, Value::Null).await;
    assert_eq!((code, &marked["metadata"]["deletionGracePeriodSeconds"]), (200, &json!(30)));
    assert_eq!(marked["metadata"]["deletionTimestamp"], "2026-01-01T00:00:30Z");
    assert_eq!(ask(&client, "GET", &one, Value::Null).await.0, 200);
    let last = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0});
    assert_eq!(ask(&client, "DELETE", &one, last).await.0, 200);
    assert_eq!(ask(&client, "GET", &one, Value::Null).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn an_eviction_asks_the_budget() {
    let client = client(Store::memory()).await;
    ask(&client, "POST", PODS, pod("p")).await;
    ask(&client, "PATCH", &format!("{PODS}/p/status"), json!({"status": {"phase": "Running"}})).await;
    let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}});
    assert_eq!(ask(&client, "POST", budgets, budget).await.0, 201);
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}});
    let path = format!("{PODS}/p/eviction");
    let status = |allowed: u32| json!({"status": {"disruptionsAllowed": allowed, "observedGeneration": 1, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}});
    ask(&client, "PATCH", &format!("{budgets}/b/status"), status(0)).await;
    assert_eq!(ask(&client, "POST", &path, eviction.clone()).await.0, 429);
    ask(&client, "PATCH", &format!("{budgets}/b/status"), status(1)).await;
    assert_eq!(ask(&client, "POST", &path, eviction).await.0, 201);
    let (_, evicted) = ask(&client, "GET", &format!("{PODS}/p"), Value::Null).await;
    assert!(evicted["metadata"]["deletionTimestamp"].is_string());
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let maps = "/api/v1/namespaces/default/configmaps";
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "b"}});
    let first = {
        let client = client(Store::open(directory.path()).unwrap()).await;
        ask(&client, "POST", maps, map).await.1
    };
    let mut store = Store::open(directory.path());
    for _ in 0..100 {
        if store.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
        store = Store::open(directory.path());
    }
    let client = client(store.unwrap()).await;
    assert_eq!(ask(&client, "GET", &format!("{maps}/m"), Value::Null).await.1, first);
    let old = format!("{maps}?watch=1&resourceVersion=1");
    let (code, event) = ask(&client, "GET", &old, Value::Null).await;
    assert_eq!((code, &event["type"], &event["object"]["code"]), (200, &json!("ERROR"), &json!(410)));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_deep_to_be_read_back_is_not_kept() {
    let client = client(Store::memory()).await;
    let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "boats.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "boats", "kind": "Boat"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}
    });
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(ask(&client, "POST", path, definition).await.0, 201);
    let boats = "/apis/example.com/v1/namespaces/default/boats";
    let boat = |depth: usize| {
        let spec = nested(depth);
        format!(r#"{{"apiVersion":"example.com/v1","kind":"Boat","metadata":{{"name":"a"}},"spec":{spec}}}"#)
    };
    let refused = send(&client, "POST", boats, "application/json", boat(100_000)).await;
    assert_eq!((refused.0, &refused.1["reason"]), (400, &json!("BadRequest")));
    assert_eq!(refused.1["message"], "the object is nested too deep: limit is 100 levels");
    assert_eq!(send(&client, "POST", boats, "application/yaml", boat(120)).await.0, 400);
    assert_eq!(send(&client, "POST", boats, "application/yaml", boat(100_000)).await.0, 400);
    assert_eq!(send(&client, "POST", boats, "application/json", boat(90)).await.0, 201);
    let path = format!("{}/b", "/a".repeat(60));
    let patch = format!(r#"[{{"op":"add","path":"/spec{path}","value":{}}}]"#, nested(90));
    let one = format!("{boats}/a");
    let grown = send(&client, "PATCH", &one, "application/json-patch+json", patch).await;
    assert_eq!(grown.1["message"], "the object is nested too deep: limit is 100 levels");
    assert_eq!(ask(&client, "GET", &one, Value::Null).await.1["spec"]["a"]["a"]["b"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn broken_documents_are_refused_with_what_is_wrong() {
    let client = client(Store::memory()).await;
    for (media, body, why) in [
        ("application/json", "{\"kind\": ", "unexpected end of JSON input"),
        ("application/json", "{\"kind\": nope}", "invalid character 'o' looking for beginning of value"),
        ("application/yaml", "a: [1, 2", "unrecognized"),
        ("application/yaml", "a: &a [*a, *a]", "unrecognized"),
        ("application/json", "[]", "cannot unmarshal array"),
        ("application/cbor", "{}", "unknown format"),
    ] {
        let (code, answer) = send(&client, "POST", PODS, media, body.to_owned()).await;
        assert!([400, 415].contains(&code), "{body}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(why), "{body}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_or_does_not_come_is_refused() {
    let client = client(Store::memory()).await;
    let large = format!("{{\"a\": \"{}\"}}", "x".repeat(3 << 20));
    let (code, answer) = send(&client, "POST", PODS, "application/json", large).await;
    assert_eq!((code, &answer["reason"]), (413, &json!("RequestEntityTooLarge")));
    let never = futures::stream::pending::<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>();
    let request = http::Request::post(PODS)
        .body(axum::body::Body::new(http_body_util::StreamBody::new(never)))
        .unwrap();
    let answer = tower::ServiceExt::oneshot(server(Store::memory()).router(), request).await.unwrap();
    assert_eq!(answer.status(), 504);
}
