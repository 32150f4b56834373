//! The player against a server of three routes: what it sends, follows, waits for and keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{Answer, PlayError, Script, play};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::json;

const UID: &str = "0fd1b0a2-57f5-4a36-8a54-6a2d0fd1b0a2";

fn server() -> Router {
    let asked = Arc::new(AtomicUsize::new(0));
    let slow = move || async move {
        let ready = asked.fetch_add(1, Ordering::Relaxed) == 2;
        axum::Json(json!({"ready": ready}))
    };
    let object = || async {
        let headers = [("content-type", "application/json"), ("warning", "299 - \"careful\"")];
        let metadata =
            json!({"uid": UID, "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z"});
        (StatusCode::CREATED, headers, json!({"metadata": metadata}).to_string())
    };
    Router::new()
        .route("/api/v1/namespaces", post(async || StatusCode::CREATED))
        .route("/objects", post(object))
        .route("/slow", get(slow))
        .route(
            "/events",
            get(async || "{\"type\":\"ADDED\"}\n{\"type\":\"DELETED\"}\n{\"type\":\"ADDED\"}\n"),
        )
        .route("/echo/{name}", get(async |request: Request| request.uri().to_string()))
}

async fn played(steps: &str) -> Result<Vec<Answer>, PlayError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("theme.yaml");
    std::fs::write(&path, format!("about: a test\nsteps:\n{steps}")).unwrap();
    let script = Script::read(&path).unwrap();
    play(&kube::Client::new(server(), "default"), &script).await
}

#[tokio::test(start_paused = true)]
async fn answers_are_normalised_and_later_steps_refer_to_the_raw_ones() {
    let answers = played(
        "- {name: make, method: POST, path: /objects, body: {}}\n\
         - {name: echo, path: '/echo/${make.metadata.uid}', query: {v: '${make.metadata.resourceVersion} &'}}\n",
    )
    .await
    .unwrap();
    assert_eq!(
        (answers[0].status, answers[0].warnings.as_slice()),
        (201, &["299 - \"careful\"".to_owned()][..])
    );
    let metadata = json!({"uid": "<uid-1>", "resourceVersion": "<rv-1>", "creationTimestamp": "<time>"});
    assert_eq!(answers[0].body, Some(json!({"metadata": metadata})));
    assert_eq!(answers[1].text.as_deref(), Some("/echo/<uid-1>?v=7%20%26"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_after_its_events() {
    let answers = played("- {name: w, path: /events, watch: {seconds: 1, events: 2}}\n").await.unwrap();
    assert_eq!(answers[0].events, Some(vec![json!({"type": "ADDED"}), json!({"type": "DELETED"})]));
}

#[tokio::test(start_paused = true)]
async fn eventually_asks_until_the_answer_fits() {
    let step = "- {name: s, path: /slow, eventually: {status: 200, has: {/ready: true}}}\n";
    assert_eq!(played(step).await.unwrap()[0].body, Some(json!({"ready": true})));
    let step = "- {name: s, path: /slow, eventually: {status: 404}}\n";
    assert!(
        played(step).await.unwrap_err().to_string().starts_with("theme, step s: the answer never fitted")
    );
}

#[tokio::test(start_paused = true)]
async fn a_reference_to_nothing_is_an_error() {
    let error = played("- {name: s, path: '/echo/${other.x}'}\n").await.unwrap_err();
    assert_eq!(error.to_string(), "theme, step s: nothing is named ${other.x}");
}
