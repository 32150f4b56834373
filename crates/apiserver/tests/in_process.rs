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
    let request = http::Request::builder().method(method).uri(path).header("content-type", media);
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = client.send(request.body(Body::from(body)).unwrap()).await.unwrap();
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
