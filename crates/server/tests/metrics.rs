//! `/metrics` of a process that works: the names, types and labels of the original, and nothing that outlives its object.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use apiserver::ApiServer;
use bytes::Bytes;
use controllers::analysis::AnalysisConfig;
use controllers::experiment::ExperimentConfig;
use controllers::instance::Instance;
use controllers::rollout::RolloutConfig;
use object::{Key, Object, Time, Value, json};
use runtime::http::{Answer, HttpClient, HttpRequest, HttpResponse};
use runtime::{
    Clock, Cluster, Deletion, Order, Patch, Resource, Subresource, Tasks, Watches, resources as r,
};
use server::metrics::Sources;
use server::{Caches, Config, Faces, serve};

/// Answers every request alike.
struct One;

impl HttpClient for One {
    fn send(&self, _: HttpRequest) -> Answer<'_> {
        Box::pin(async { Ok(HttpResponse { status: 200, headers: Vec::new(), body: Bytes::from("1") }) })
    }
}

struct World {
    cluster: Cluster,
    sources: Sources,
    tasks: Tasks,
}

impl World {
    async fn start() -> Self {
        let clock = Clock::starting_at(Time::from_unix(1_767_225_600));
        let api = ApiServer::new(store::Store::memory(), clock.clone(), apiserver::Config::default());
        api.bootstrap().await.unwrap();
        let cluster = Cluster::new(kube::Client::new(api.router(), "default"), clock);
        controllers::install(&cluster, "argocd").await.unwrap();
        let tasks = Tasks::new();
        let watches = Watches::new(cluster.clone(), &tasks);
        let (instance, order, workers) = (Instance::default(), Order::Arrival, 1);
        let config = RolloutConfig { instance: instance.clone(), workers, order };
        controllers::rollout::run(&watches, config, &tasks);
        let config = ExperimentConfig { instance: instance.clone(), workers, order };
        controllers::experiment::run(&watches, config, &tasks);
        let config = AnalysisConfig { instance: instance.clone(), workers, order };
        controllers::analysis::run(&watches, Arc::new(One), config, &tasks);
        let caches = Caches::new(&watches, &instance.selection(), &instance.others(), "argocd");
        let sources = caches.metrics.clone();
        let ports = Config {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            healthz_port: 0,
            metrics_port: 0,
            webhook_port: 0,
        };
        let faces = Faces { metrics: Some(caches.metrics), ..Faces::default() };
        serve(&ports, faces, &tasks).await.unwrap();
        Self { cluster, sources, tasks }
    }

    async fn create(&self, resource: &Resource, name: &str, spec: &Value) {
        let mut object = Object::new(&resource.gvk(), &Key::new("default", name));
        if !resource.namespaced {
            object = Object::new(&resource.gvk(), &Key::new("", name));
        }
        object.set(&["spec"], spec.clone());
        self.cluster.create(resource, &object).await.unwrap();
    }

    async fn pass(&self) {
        self.cluster.clock().sleep(Duration::from_secs(20)).await;
    }

    async fn status(&self, name: &str, status: &Value) {
        let patch = Patch::merge(json!({"status": status})).on(Subresource::Status);
        self.cluster.patch(&r::ROLLOUTS, &Key::new("default", name), &patch).await.unwrap();
    }

    fn text(&self) -> String {
        self.sources.text().unwrap()
    }
}

fn template(app: &str) -> Value {
    json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "c", "image": "shop:1"}]}})
}

/// One of each kind, each with something to tell.
async fn fill(world: &World) {
    let metric = json!({"metrics": [{"name": "rate", "provider": {"web": {"url": "http://m/"}}}]});
    world.create(&r::ANALYSIS_TEMPLATES, "series-template", &metric).await;
    world.create(&r::CLUSTER_ANALYSIS_TEMPLATES, "series-cluster-template", &metric).await;
    world.create(&r::ANALYSIS_RUNS, "series-run", &metric).await;
    let selector = json!({"matchLabels": {"app": "series-experiment"}});
    let one =
        json!({"name": "a", "replicas": 1, "selector": selector, "template": template("series-experiment")});
    world.create(&r::EXPERIMENTS, "series-experiment", &json!({"templates": [one]})).await;
    let canary = json!({"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}});
    let rollout = json!({"replicas": 2, "selector": {"matchLabels": {"app": "series-rollout"}},
        "strategy": canary, "template": template("series-rollout")});
    world.create(&r::ROLLOUTS, "series-rollout", &rollout).await;
    world.pass().await;
    let ended = json!({"duration": {"rolloutStartedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:05:00Z",
        "totalManualPauseDurationSeconds": 100, "completionStatus": "Completed"}});
    world.status("series-rollout", &ended).await;
    world.pass().await;
}

const OBJECT: &[&str] = &["name", "namespace"];
const QUEUE: &[&str] = &["name"];
const PHASE: &[&str] = &["name", "namespace", "phase"];
const ENDED: &[&str] = &["status"];

/// Name, type and labels (by name) of the series of the original's controller.
///
/// A counter whose name does not end in `_total` is of type `unknown`: OpenMetrics would rename it. Not there yet:
/// `notification_send`, `notification_send_success` and `notification_send_error`; and `rollout_reconcile_error` and its
/// kind appear with the first error.
const SERIES: [(&str, &str, &[&str]); 32] = [
    ("rollout_info", "gauge", &["name", "namespace", "phase", "strategy", "traffic_router"]),
    ("rollout_info_replicas_desired", "gauge", OBJECT),
    ("rollout_info_replicas_updated", "gauge", OBJECT),
    ("rollout_info_replicas_available", "gauge", OBJECT),
    ("rollout_info_replicas_unavailable", "gauge", OBJECT),
    ("rollout_phase", "gauge", &["name", "namespace", "phase", "strategy"]),
    ("rollout_events_total", "counter", &["name", "namespace", "reason", "type"]),
    ("rollout_reconcile", "histogram", OBJECT),
    ("rollout_duration_seconds", "histogram", ENDED),
    ("rollout_progression_duration_seconds", "histogram", ENDED),
    ("rollout_manual_pause_duration_seconds", "histogram", ENDED),
    ("analysis_run_info", "gauge", PHASE),
    ("analysis_run_phase", "gauge", PHASE),
    ("analysis_run_metric_phase", "gauge", &["dry_run", "metric", "name", "namespace", "phase", "type"]),
    ("analysis_run_metric_type", "gauge", &["metric", "name", "namespace", "type"]),
    ("analysis_run_reconcile", "histogram", OBJECT),
    ("analysis_template_info", "gauge", OBJECT),
    ("analysis_template_metric_info", "gauge", &["metric", "name", "namespace", "type"]),
    ("experiment_info", "gauge", PHASE),
    ("experiment_phase", "gauge", PHASE),
    ("experiment_reconcile", "histogram", OBJECT),
    (
        "controller_clientset_k8s_request_total",
        "counter",
        &["kind", "name", "namespace", "status_code", "verb"],
    ),
    ("argo_rollouts_controller_info", "gauge", &["version"]),
    ("build_info", "gauge", &["version"]),
    ("workqueue_adds_total", "counter", QUEUE),
    ("workqueue_depth", "gauge", QUEUE),
    ("workqueue_retries_total", "counter", QUEUE),
    ("workqueue_queue_duration_seconds", "histogram", QUEUE),
    ("workqueue_work_duration_seconds", "histogram", QUEUE),
    ("workqueue_unfinished_work_seconds", "gauge", QUEUE),
    ("workqueue_longest_running_processor_seconds", "gauge", QUEUE),
    ("controller_runtime_reconcile_total", "counter", &["controller", "result"]),
];

/// Labels of the first series of that name.
fn labels(text: &str, name: &str, kind: &str) -> Option<Vec<String>> {
    let start = if kind == "histogram" { format!("{name}_bucket{{") } else { format!("{name}{{") };
    let line = text.lines().find_map(|line| line.strip_prefix(&start))?;
    let (labels, _) = line.rsplit_once('}')?;
    let named = |part: &str| part.rsplit(['"', ',']).next().unwrap_or_default().to_owned();
    let mut parts: Vec<String> = labels.split("=\"").map(named).collect();
    parts.pop();
    parts.retain(|label| label != "le");
    parts.sort_unstable();
    Some(parts)
}

#[tokio::test(start_paused = true)]
async fn the_series_are_those_of_the_original() {
    let world = World::start().await;
    fill(&world).await;
    let text = world.text();
    for (name, kind, wanted) in SERIES {
        let family = if kind == "counter" { name.strip_suffix("_total").unwrap() } else { name };
        let described = format!("# TYPE {family} {kind}");
        assert!(text.lines().any(|line| line == described), "no line {described}\n{text}");
        let found = labels(&text, name, kind).unwrap_or_else(|| panic!("no series of {name}\n{text}"));
        assert_eq!(found, wanted, "{name}");
    }
    for bound in ["0.01", "0.15", "0.25", "0.5", "1.0"] {
        let bucket = format!("rollout_reconcile_bucket{{le=\"{bound}\"");
        assert!(text.contains(&bucket), "no {bucket}\n{text}");
    }
    let name = r#"name="series-rollout",namespace="default""#;
    assert!(
        text.contains(&format!(r#"rollout_events_total{{{name},type="Normal",reason="RolloutUpdated"}} 1"#)),
        "{text}"
    );
    let sum = r#"rollout_progression_duration_seconds_sum{status="Completed"} 200.0"#;
    assert!(text.contains(sum), "{text}");
    let asked = r#"kind="rollouts",namespace="default",name="series-rollout",verb="Patch",status_code="200""#;
    assert!(text.contains(asked), "{text}");
    world.tasks.stop().await;
}

#[tokio::test(start_paused = true)]
async fn no_series_outlives_its_object() {
    let world = World::start().await;
    fill(&world).await;
    let before = world.text();
    for name in ["rollout", "run", "experiment", "template", "cluster-template"] {
        assert!(before.contains(&format!("\"series-{name}\"")), "{name} is not told\n{before}");
    }
    let all: [(&Resource, &str, &str); 5] = [
        (&r::ROLLOUTS, "default", "series-rollout"),
        (&r::ANALYSIS_RUNS, "default", "series-run"),
        (&r::EXPERIMENTS, "default", "series-experiment"),
        (&r::ANALYSIS_TEMPLATES, "default", "series-template"),
        (&r::CLUSTER_ANALYSIS_TEMPLATES, "", "series-cluster-template"),
    ];
    for (resource, namespace, name) in all {
        world.cluster.delete(resource, &Key::new(namespace, name), &Deletion::default()).await.unwrap();
    }
    // upstream keeps them for 65 s
    for _ in 0..4 {
        world.pass().await;
    }
    let after = world.text();
    let left: Vec<&str> = after.lines().filter(|line| line.contains("\"series-")).collect();
    assert!(left.is_empty(), "{left:#?}");
    world.tasks.stop().await;
}
