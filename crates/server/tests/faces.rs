//! The faces as clients see them: the routers in process, and all of them on ports with the embedded API server behind.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use apiserver::ApiServer;
use axum::body::Body;
use base64::Engine as _;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use object::{Key, Object, Value, json};
use runtime::{
    Cache, Clock, Cluster, Controller, Failure, Next, Patch, Reconcile, Selection, Tasks, Watches,
    resources as r,
};
use server::webhook::{MAX_PAYLOAD, Refresh, SECRET, Signing, Webhook};
use server::{Caches, Config, Faces, Readiness, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

/// Applications that write down which of them were asked for.
#[derive(Clone, Default)]
struct Asked {
    applications: Arc<Vec<Object>>,
    names: Arc<Mutex<Vec<String>>>,
}

impl Asked {
    fn of(applications: &[(&str, Value)]) -> Self {
        let object = |(name, source): &(&str, Value)| {
            Object::from_value(json!({"metadata": {"name": name}, "spec": {"source": source}}))
        };
        Self { applications: Arc::new(applications.iter().map(object).collect()), names: Arc::default() }
    }

    fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }
}

impl Refresh for Asked {
    fn refresh(&self, wanted: &dyn Fn(&Object) -> bool) -> usize {
        let picked = self.applications.iter().filter(|object| wanted(object)).map(|o| o.name().to_owned());
        let mut names = self.names.lock().unwrap();
        names.extend(picked);
        names.len()
    }
}

fn push(reference: &str, files: &[&str]) -> String {
    json!({"ref": reference, "repository": {"html_url": "https://git.example/org/repo", "default_branch": "main"},
        "commits": [{"added": [], "removed": [], "modified": files}]})
    .to_string()
}

async fn post(webhook: &Webhook, headers: &[(&str, &str)], body: impl Into<Body>) -> (u16, String) {
    let mut request = Request::builder().method(Method::POST).uri("/api/webhook");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = webhook.router().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

const PUSH: (&str, &str) = ("X-GitHub-Event", "push");

#[tokio::test]
async fn a_push_asks_for_the_applications_that_follow_it() {
    let repo = "https://git.example/org/repo.git";
    let asked = Asked::of(&[
        ("head", json!({"repoURL": repo, "path": "."})),
        ("main", json!({"repoURL": "git@git.example:org/repo", "targetRevision": "main"})),
        ("dev", json!({"repoURL": repo, "targetRevision": "dev"})),
        ("other", json!({"repoURL": "https://git.example/org/other"})),
        ("wrong", json!({"repoURL": 7, "targetRevision": {}})),
    ]);
    let webhook = Webhook::new(asked.clone(), || Signing::Open);
    assert_eq!(post(&webhook, &[PUSH], push("refs/heads/main", &["a"])).await, (200, String::new()));
    assert_eq!(asked.names(), ["head", "main"]);
}

#[tokio::test]
async fn with_a_secret_only_signed_payloads_count() {
    let asked = Asked::of(&[("head", json!({"repoURL": "https://git.example/org/repo"}))]);
    let webhook = Webhook::new(asked.clone(), || Signing::Secret(b"hush".to_vec()));
    let body = push("refs/heads/main", &[]);
    let sign = |secret: &[u8]| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        let tag = ring::hmac::sign(&key, body.as_bytes());
        tag.as_ref().iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    };
    let (status, text) = post(&webhook, &[PUSH], body.clone()).await;
    assert_eq!(status, 400, "{text}");
    let wrong = sign(b"other");
    let (status, text) = post(&webhook, &[PUSH, ("X-Hub-Signature-256", &wrong)], body.clone()).await;
    assert!(status == 400 && text.contains("signature") && !text.contains("hush"), "{text}");
    assert!(asked.names().is_empty());
    let right = sign(b"hush");
    let (status, text) = post(&webhook, &[PUSH, ("X-Hub-Signature-256", &right)], body.clone()).await;
    assert_eq!(status, 200, "{text}");
    assert_eq!(asked.names(), ["head"]);
}

#[tokio::test]
async fn while_the_secret_is_not_known_nothing_is_taken() {
    let asked = Asked::of(&[("head", json!({"repoURL": "https://git.example/org/repo"}))]);
    for signing in [Signing::Unknown, Signing::Unreadable] {
        let webhook = Webhook::new(asked.clone(), move || signing.clone());
        assert_eq!(post(&webhook, &[PUSH], push("refs/heads/main", &[])).await.0, 503);
    }
    let webhook = Webhook::with_secrets(asked.clone(), Cache::new(), "argocd");
    assert_eq!(post(&webhook, &[PUSH], push("refs/heads/main", &[])).await.0, 503);
    assert!(asked.names().is_empty());
}

#[tokio::test]
async fn bad_requests_are_refused_and_never_repeated() {
    let webhook = Webhook::new(Asked::default(), || Signing::Open);
    let evil = "<script>";
    for (headers, body) in [
        (vec![("X-GitHub-Event", evil)], "{}".to_owned()),
        (vec![("X-Gitlab-Event", evil)], "{}".to_owned()),
        (vec![PUSH], format!("{{\"{evil}\"")),
        (vec![PUSH], format!("{{\"x\": \"{evil}\"}}")),
        (vec![], evil.to_owned()),
    ] {
        let (status, text) = post(&webhook, &headers, body).await;
        assert!(status == 400 && !text.contains("script"), "{headers:?}: {status} {text}");
    }
}

#[tokio::test]
async fn other_hosts_and_other_forms_are_told_what_is_wrong() {
    let webhook = Webhook::new(Asked::default(), || Signing::Open);
    let cases = [
        (("X-Vss-Activityid", "1"), "webhooks of Azure DevOps are not supported yet"),
        (("X-Gogs-Event", "push"), "webhooks of Gogs and Gitea are not supported yet"),
        (("X-Gitlab-Event", "Push Hook"), "webhooks of GitLab are not supported yet"),
        (("X-Hook-UUID", "1"), "webhooks of Bitbucket Cloud are not supported yet"),
        (("X-Event-Key", "repo:refs_changed"), "webhooks of Bitbucket Server are not supported yet"),
        (("X-GitHub-Event", "release"), "only push and ping are supported"),
        (("Content-Type", "application/json"), "Unknown webhook event"),
    ];
    for (header, told) in cases {
        let (status, text) = post(&webhook, &[header], push("refs/heads/main", &[])).await;
        assert!(status == 400 && text.contains(told), "{header:?}: {status} {text}");
    }
    let form = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    let (status, text) = post(&webhook, &[PUSH, form], "payload=%7B%7D").await;
    assert!(status == 400 && text.contains("must be application/json"), "{status} {text}");
    let (status, text) =
        post(&webhook, &[PUSH, ("Content-Type", "text/plain")], push("refs/heads/x", &[])).await;
    assert_eq!(status, 200, "{text}");
}

#[tokio::test]
async fn a_payload_over_the_limit_is_refused() {
    let webhook = Webhook::new(Asked::default(), || Signing::Open);
    let (status, text) = post(&webhook, &[PUSH], vec![b' '; MAX_PAYLOAD + 1]).await;
    assert_eq!(
        (status, text.as_str()),
        (400, "Webhook processing failed: payload must be valid JSON under 50 MB\n")
    );
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_never_ends_is_given_up() {
    let webhook = Webhook::new(Asked::default(), || Signing::Open);
    let (_keep, open) = tokio::io::duplex(64);
    let stalled = axum::body::Body::new(http_body_util::StreamBody::new(stalled(open)));
    assert_eq!(post(&webhook, &[PUSH], stalled).await.0, 400);
}

/// Returns a stream that yields nothing as long as the other end of `io` is kept.
fn stalled(
    io: tokio::io::DuplexStream,
) -> impl futures::Stream<Item = std::io::Result<hyper::body::Frame<bytes::Bytes>>> {
    futures::stream::once(async move {
        let mut io = io;
        let mut byte = [0];
        io.read_exact(&mut byte).await?;
        Ok(hyper::body::Frame::data(bytes::Bytes::new()))
    })
}

async fn world() -> (Cluster, Watches, Tasks) {
    let server = ApiServer::new(store::Store::memory(), Clock::system(), apiserver::Config::default());
    server.bootstrap().await.unwrap();
    let cluster = Cluster::new(kube::Client::new(server.router(), "default"), Clock::system());
    controllers::install(&cluster, "argocd").await.unwrap();
    let tasks = Tasks::new();
    (cluster.clone(), Watches::new(cluster, &tasks), tasks)
}

async fn create(cluster: &Cluster, resource: &runtime::Resource, object: Value) {
    cluster.create(resource, &Object::from_value(object)).await.unwrap();
}

/// Sends one request over a connection of its own; returns the whole answer.
async fn ask(address: SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn loopback() -> Config {
    Config { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), healthz_port: 0, metrics_port: 0, webhook_port: 0 }
}

#[tokio::test]
async fn all_faces_answer_on_their_ports() {
    let (cluster, watches, tasks) = world().await;
    let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": 2, "strategy": {"canary": {}}, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web"}]}}}});
    create(&cluster, &r::ROLLOUTS, rollout).await;
    let caches = Caches::new(&watches, &Selection::default(), &Selection::default(), "argocd");
    for cache in &caches.needed {
        cache.synced().await;
    }
    let secrets = Caches::webhook_secret(&watches, "argocd");
    secrets.synced().await;
    let webhook = Webhook::with_secrets(Asked::default(), secrets.clone(), "argocd");
    let addresses = serve(&loopback(), Faces::all(caches, webhook), &tasks).await.unwrap();

    let health = addresses.health.unwrap();
    assert!(ask(health, "GET /healthz HTTP/1.1", "").await.starts_with("HTTP/1.1 200"));
    assert!(ask(health, "GET /readyz HTTP/1.1", "").await.starts_with("HTTP/1.1 200"));
    let text = ask(addresses.metrics.unwrap(), "GET /metrics HTTP/1.1", "").await;
    assert!(text.contains(r#"rollout_info_replicas_desired{namespace="default",name="web"} 2"#), "{text}");

    let head = "POST /api/webhook HTTP/1.1\r\nx-github-event: push";
    let address = addresses.webhook.unwrap();
    let body = push("refs/heads/main", &[]);
    assert!(ask(address, head, &body).await.starts_with("HTTP/1.1 200"));
    let mut changes = secrets.subscribe();
    let value = base64::engine::general_purpose::STANDARD.encode("hush");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": "argocd"},
        "data": {"webhook.github.secret": value}});
    create(&cluster, &r::SECRETS, secret).await;
    changes.next().await.unwrap();
    assert!(ask(address, head, &body).await.starts_with("HTTP/1.1 400"));
    let key = Key::new("argocd", SECRET);
    let cleared = Patch::merge(json!({"data": {"webhook.github.secret": null}}));
    cluster.patch(&r::SECRETS, &key, &cleared).await.unwrap();
    changes.next().await.unwrap();
    assert!(ask(address, head, &body).await.starts_with("HTTP/1.1 200"));

    tasks.stop().await;
    assert!(TcpStream::connect(address).await.is_err(), "the port is closed");
}

#[tokio::test]
async fn a_process_that_still_lists_is_not_ready() {
    let tasks = Tasks::new();
    let faces = Faces { health: Some(vec![Cache::new()].into()), ..Faces::default() };
    let addresses = serve(&loopback(), faces, &tasks).await.unwrap();
    assert_eq!((addresses.metrics, addresses.webhook), (None, None));
    let health = addresses.health.unwrap();
    assert!(ask(health, "GET /readyz HTTP/1.1", "").await.starts_with("HTTP/1.1 503"));
    assert!(ask(health, "GET /healthz HTTP/1.1", "").await.starts_with("HTTP/1.1 200"));
    let taken = Config { healthz_port: health.port(), ..loopback() };
    let faces = Faces { health: Some(Readiness::standby()), ..Faces::default() };
    let error = serve(&taken, faces, &tasks).await.unwrap_err();
    assert!(error.to_string().contains(&health.to_string()), "{error}");
}

#[tokio::test]
async fn a_replica_that_stands_by_is_healthy_and_ready_and_serves_the_rest_once_it_leads() {
    let (_cluster, watches, tasks) = world().await;
    let readiness = Readiness::standby();
    let addresses = serve(&loopback(), Faces::standby(&readiness), &tasks).await.unwrap();
    let health = addresses.health.unwrap();
    assert_eq!((addresses.metrics, addresses.webhook), (None, None));
    assert!(ask(health, "GET /healthz HTTP/1.1", "").await.starts_with("HTTP/1.1 200"));
    assert!(ask(health, "GET /readyz HTTP/1.1", "").await.starts_with("HTTP/1.1 200"));

    let mut caches = Caches::new(&watches, &Selection::default(), &Selection::default(), "argocd");
    caches.needed = vec![Cache::new()];
    let webhook = Webhook::new(Asked::default(), || Signing::Open);
    let faces = Faces::leading(caches, webhook, &readiness);
    let addresses = serve(&loopback(), faces, &tasks).await.unwrap();
    assert!(addresses.health.is_none() && addresses.metrics.is_some() && addresses.webhook.is_some());
    assert!(ask(health, "GET /healthz HTTP/1.1", "").await.starts_with("HTTP/1.1 200"));
    assert!(ask(health, "GET /readyz HTTP/1.1", "").await.starts_with("HTTP/1.1 503"));
    tasks.stop().await;
}

/// Fails for one object and is content with the others.
struct Picky;

impl Reconcile for Picky {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        if key.name == "bad" { Err(Failure::new("no")) } else { Ok(Next::Done) }
    }
}

#[tokio::test]
async fn what_controllers_do_is_counted() {
    let (cluster, watches, tasks) = world().await;
    for name in ["good", "bad"] {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
            "spec": {"ports": [{"port": 80}]}});
        create(&cluster, &r::SERVICES, service).await;
    }
    let services = watches.cache(&r::SERVICES);
    for name in ["rollout", "application"] {
        Controller::new(name, Clock::system())
            .report_to(watches.activity())
            .reconcile_each(&services)
            .run(Picky, &tasks);
    }
    let done = |name: &str| {
        let work = watches.activity().work();
        let passes = |key: &str| work[name].by_object.contains_key(&Key::new("default", key));
        work.contains_key(name) && passes("good") && passes("bad")
    };
    while !(done("rollout") && done("application")) {
        tokio::task::yield_now().await;
    }
    let caches = Caches::new(&watches, &Selection::default(), &Selection::default(), "argocd");
    let text = caches.metrics.text().unwrap();
    for line in [
        "# TYPE rollout_reconcile histogram",
        r#"rollout_reconcile_count{namespace="default",name="good"} 1"#,
        r#"rollout_reconcile_bucket{le="+Inf",namespace="default",name="good"} 1"#,
        r#"controller_runtime_reconcile_total{controller="rollout",result="success"} "#,
        r#"controller_runtime_reconcile_errors_total{controller="application"} "#,
        r#"workqueue_depth{name="rollout"} "#,
        r#"workqueue_retries_total{name="application"} "#,
        r#"argocd_app_reconcile_count{namespace="default",dest_server="https://kubernetes.default.svc"} "#,
        r#"rollout_reconcile_error{namespace="default",name="bad"} "#,
        "# TYPE controller_runtime_reconcile_time_seconds histogram",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "no line {line}\n{text}");
    }
    assert!(!text.contains(r#"rollout_reconcile_error{namespace="default",name="good"}"#), "{text}");
    assert!(!text.contains("argocd_app_reconcile_bucket{le=\"0.01\""), "its classes are upstream's: {text}");
    tasks.stop().await;
}

#[tokio::test]
async fn syncs_that_end_while_it_serves_are_counted() {
    let (cluster, watches, tasks) = world().await;
    let app = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"project": "default", "destination": {"server": "https://kubernetes.default.svc"}}});
    create(&cluster, &r::APPLICATIONS, app).await;
    let caches = Caches::new(&watches, &Selection::default(), &Selection::default(), "argocd");
    let applications = caches.metrics.applications.clone().unwrap();
    applications.synced().await;
    let mut changes = applications.subscribe();
    changes.next().await.unwrap();
    let faces = Faces { metrics: Some(caches.metrics), ..Faces::default() };
    let address = serve(&loopback(), faces, &tasks).await.unwrap().metrics.unwrap();
    let state = |phase: &str, finished: Value| {
        let operation = json!({"sync": {"revision": "a"}});
        json!({"status": {"operationState": {"phase": phase, "operation": operation,
            "startedAt": "2026-01-01T00:00:00Z", "finishedAt": finished}}})
    };
    let key = Key::new("argocd", "shop");
    for state in [state("Running", Value::Null), state("Succeeded", json!("2026-01-01T00:00:03Z"))] {
        cluster.patch(&r::APPLICATIONS, &key, &Patch::merge(state)).await.unwrap();
        changes.next().await.unwrap();
    }
    let labels =
        r#"{namespace="argocd",name="shop",project="default",dest_server="https://kubernetes.default.svc""#;
    let counted = format!(r#"argocd_app_sync_total{labels},phase="Succeeded",dry_run="false"}} 1"#);
    let mut page = String::new();
    while !page.contains(&counted) {
        page = ask(address, "GET /metrics HTTP/1.1", "").await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    }
    assert!(page.contains(&format!("argocd_app_sync_duration_seconds_total{labels}}} 3.0")), "{page}");
    tasks.stop().await;
}
