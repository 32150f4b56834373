//! The webhook held to what the reference implementation does with the same requests and Applications.
//!
//! The recordings are not part of the project; where they are absent, these tests say so and pass.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use object::{Object, Value, json, yaml};
use server::webhook::payload::{self, revision};
use server::webhook::{
    Event, EventKind, PATHS_ANNOTATION, PushEvent, Pushed, Refresh, Relevance, RepoMatcher, Signing, Webhook,
    revision_matches,
};
use tower::ServiceExt as _;

fn folder() -> PathBuf {
    let shared = std::env::var_os("SLIPWAY_SHARED").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    shared.unwrap_or_else(beside).join("golden/webhooks")
}

/// Returns a section of the recorded cases, none when they are absent.
fn cases(section: &str) -> Vec<Value> {
    let path = folder().join("api-cases.yaml");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is absent", path.display());
        return Vec::new();
    };
    let cases = yaml::document(&text).unwrap()[section].as_array().unwrap().clone();
    assert!(!cases.is_empty(), "{section}");
    cases
}

fn text<'c>(case: &'c Value, field: &str) -> &'c str {
    case[field].as_str().unwrap_or_default()
}

struct Nothing;

impl Refresh for Nothing {
    fn refresh(&self, _: &dyn Fn(&Object) -> bool) -> usize {
        0
    }
}

fn body(case: &Value) -> Vec<u8> {
    match case["payload"].as_str() {
        Some(file) => std::fs::read(folder().join(file)).unwrap(),
        None => text(case, "body").into(),
    }
}

async fn send(case: &Value) -> Response<Body> {
    let mut request =
        Request::builder().uri("/api/webhook").method(case["method"].as_str().unwrap_or("POST"));
    for (name, value) in case["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    let router = Webhook::new(Nothing, || Signing::Open).router();
    router.oneshot(request.body(Body::from(body(case))).unwrap()).await.unwrap()
}

/// Hosts whose payloads are not read yet.
const UNSUPPORTED: [(&str, &str); 4] = [
    ("X-Vss-Activityid", "Azure DevOps"),
    ("X-Event-Key", "Bitbucket Server"),
    ("X-Gogs-Event", "Gogs"),
    ("X-Gitlab-Event", "GitLab"),
];

#[tokio::test]
async fn requests_are_answered_as_recorded() {
    for case in cases("requests") {
        let response = send(&case).await;
        let status = response.status().as_u16();
        let answer = response.into_body().collect().await.unwrap().to_bytes();
        let answer = String::from_utf8_lossy(&answer);
        let host = UNSUPPORTED.iter().find(|(header, _)| !case["headers"][*header].is_null());
        if let Some((_, host)) = host {
            assert_eq!(status, 400, "{case}");
            assert!(answer.contains(host) && answer.contains("not supported yet"), "{answer}");
            continue;
        }
        assert_eq!(u64::from(status), case["status"].as_u64().unwrap(), "{case}: {answer}");
        if let Some(expected) = case["responseBody"].as_str() {
            assert_eq!(answer, expected, "{case}");
        }
        if case["event"] == "push" {
            check_push(&case);
        }
    }
}

#[track_caller]
fn check_push(case: &Value) {
    let Event::Push(push) = payload::parse(EventKind::Push, &body(case)).unwrap() else { panic!("{case}") };
    assert_eq!(json!(push.urls), case["repos"], "{case}");
    assert_eq!(json!(push.revision), case["revision"], "{case}");
    assert_eq!(json!(push.touched_head), case["touchedHead"], "{case}");
}

#[test]
fn revisions_match_as_recorded() {
    for case in cases("revisionMatch") {
        let push = PushEvent {
            revision: text(&case, "pushed").into(),
            touched_head: case["touchedHead"] == true,
            ..PushEvent::default()
        };
        assert_eq!(json!(revision_matches(text(&case, "targetRevision"), &push)), case["refresh"], "{case}");
    }
}

#[test]
fn references_are_read_as_recorded() {
    for case in cases("refFromPayload").iter().filter(|case| case["provider"] == "github") {
        let revision = revision(text(case, "refInPayload")).to_owned();
        let push = PushEvent { revision, ..PushEvent::default() };
        assert_eq!(json!(revision_matches(text(case, "targetRevision"), &push)), case["match"], "{case}");
    }
}

#[test]
fn urls_match_as_recorded() {
    for case in cases("urlMatch") {
        let matcher = RepoMatcher::new(text(&case, "webURL"));
        let matches = matcher.is_some_and(|matcher| matcher.matches(text(&case, "repoURL")));
        assert_eq!(json!(matches), case["match"], "{case}");
    }
}

#[test]
fn files_are_filtered_as_recorded() {
    let push = |case: &Value| PushEvent {
        urls: vec!["https://example.com/org/repo".into()],
        revision: "master".into(),
        touched_head: true,
        files: BTreeSet::from([text(case, "changedFile").to_owned()]),
    };
    for case in cases("pathFilter") {
        let push = push(&case);
        let relevance = Pushed::new(&push).relevance(&application(&case));
        let expected = match (case["refresh"] == true, case["hydrate"] == true, case["cacheMoved"] == true) {
            (true, false, false) => Relevance::Refresh,
            (true, true, false) => Relevance::Hydrate,
            (false, false, true) => Relevance::Untouched,
            _ => panic!("{case}"),
        };
        assert_eq!(relevance, expected, "{case}");
    }
}

/// Returns the Application of a case, its sources in the repository that is pushed to.
fn application(case: &Value) -> Object {
    let mut spec = json!({"sources": case["sources"], "sourceHydrator": case["sourceHydrator"]});
    let sources = spec["sources"].as_array_mut().into_iter().flatten();
    sources.for_each(|source| source["repoURL"] = json!("git@example.com:org/repo.git"));
    if spec["sourceHydrator"].is_object() {
        spec["sourceHydrator"]["drySource"]["repoURL"] = json!("https://example.com/org/repo.git");
    }
    let mut application = Object::from_value(json!({"spec": spec, "metadata": {"name": "app"}}));
    if let Some(paths) = case["manifestGeneratePaths"].as_str() {
        application.set_annotation(PATHS_ANNOTATION, paths);
    }
    application
}
