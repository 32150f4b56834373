//! The AnalysisRun controller: measures what is due, and writes the verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::analysis::{Measured, Recorded, Secrets, Task, TaskKind};
use api::analysis::{AnalysisPhase, AnalysisRun, Measurement};
use base64::Engine as _;
use futures::future::join_all;
use metrics::Providers;
use object::{Key, Object, json};
use runtime::http::HttpClient;
use runtime::{
    Cache, Cluster, Controller, Deletion, EventType, Failure, Next, Order, Patch, Reconcile, Recorder, Tasks,
    Watches, resources,
};

use crate::instance::Instance;
use crate::share;

/// How the controller is set up.
#[derive(Clone, Debug)]
pub struct AnalysisConfig {
    /// Which objects are ours.
    pub instance: Instance,
    /// Runs that are worked on side by side.
    pub workers: usize,
    /// Order of runs that are due at the same time.
    pub order: Order,
}

/// Environment variable with the address of Prometheus for metrics that name none, as upstream's.
const PROMETHEUS_ADDRESS: &str = "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS";

/// Starts the AnalysisRun controller; its measurements go through `http`. It ends with `tasks`.
pub fn run(watches: &Watches, http: Arc<dyn HttpClient>, config: AnalysisConfig, tasks: &Tasks) {
    let cluster = watches.cluster().clone().lean();
    let AnalysisConfig { instance, workers, order } = config;
    let runs = watches.cache_with(&resources::ANALYSIS_RUNS, &instance.selection());
    let clock = cluster.clock().clone();
    let controller = Controller::new("analysisrun", clock.clone())
        .workers(workers)
        .order(order)
        .report_to(watches.activity())
        .reconcile_each(&runs);
    let controller = if watches.shards().is_shared() {
        let experiments = watches.cache_with(&resources::EXPERIMENTS, &instance.selection());
        controller.shared(watches.shards(), share::by_rollout_or_experiment(&runs, &experiments))
    } else {
        controller
    };
    let recorder = Recorder::new(cluster.clone(), "rollouts-controller", tasks).in_order();
    let address = std::env::var(PROMETHEUS_ADDRESS).unwrap_or_default();
    let providers = Providers::new(http, clock).with_jobs(cluster.clone()).with_prometheus(&address);
    controller.run(Shell { cluster, runs, providers, recorder }, tasks);
}

struct Shell {
    cluster: Cluster,
    runs: Cache,
    providers: Providers,
    recorder: Recorder,
}

impl Reconcile for Shell {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let Some(object) = self.runs.get(key).filter(|object| !object.is_deleting()) else {
            return Ok(Next::Done);
        };
        let now = self.cluster.clock().now();
        let run = match AnalysisRun::from_object(&object) {
            Ok(run) => run,
            Err(error) => return self.unreadable(&object, &error.to_string()).await,
        };
        if run.status.phase.is_some_and(AnalysisPhase::completed) {
            return self.expire(&run).await;
        }
        let recorded = match ::analysis::check(&run) {
            Err(unsound) => ::analysis::invalid(&run, &unsound.to_string(), now),
            Ok(checked) => match self.measure(&checked, &run).await? {
                Ok(measured) => ::analysis::record(&checked, &run, measured, self.cluster.clock().now()),
                Err(message) => ::analysis::invalid(&run, &message, now),
            },
        };
        self.report(&run, recorded).await
    }
}

impl Shell {
    /// Takes all due measurements side by side. The inner error is one of the run itself, such as a missing Secret.
    async fn measure(
        &self,
        checked: &::analysis::Checked,
        run: &AnalysisRun,
    ) -> Result<Result<Vec<Measured>, String>, Failure> {
        let due = ::analysis::due(checked, run, self.cluster.clock().now());
        if due.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let secrets = match self.secrets(run).await? {
            Ok(secrets) => secrets,
            Err(message) => return Ok(Err(format!("Unable to resolve metric arguments: {message}"))),
        };
        let tasks = due.into_iter().map(|task| self.carry_out(task, run, &secrets));
        Ok(Ok(join_all(tasks).await))
    }

    /// Takes, looks at or ends one measurement. What is written down shows no secret.
    async fn carry_out(&self, task: Task, run: &AnalysisRun, secrets: &Secrets) -> Measured {
        let metric = run.spec.metrics.iter().find(|metric| metric.name == task.metric);
        let metric = metric.cloned().unwrap_or_default();
        let (mut measurement, facts) = match ::analysis::resolve(&metric, &run.spec.args, Some(secrets)) {
            Ok(metric) => {
                let measurement = match task.kind {
                    TaskKind::Begin => self.providers.begin(run, &metric).await,
                    TaskKind::Resume(open) => self.providers.resume(run, &metric, *open).await,
                    TaskKind::Terminate(open) => self.providers.terminate(run, &metric, *open).await,
                };
                (measurement, self.providers.facts(&metric))
            }
            Err(message) => (self.unresolved(message), BTreeMap::new()),
        };
        measurement.message = ::analysis::redact(&measurement.message, secrets);
        measurement.value = ::analysis::redact(&measurement.value, secrets);
        let hide = |facts: BTreeMap<String, String>| {
            facts.into_iter().map(|(key, value)| (key, ::analysis::redact(&value, secrets))).collect()
        };
        measurement.metadata = hide(measurement.metadata);
        Measured { metric: task.metric, measurement, metadata: hide(facts) }
    }

    fn unresolved(&self, message: String) -> Measurement {
        let now = Some(self.cluster.clock().now().to_string());
        let phase = Some(AnalysisPhase::Error);
        Measurement { phase, message, started_at: now.clone(), finished_at: now, ..Measurement::default() }
    }

    /// Reads the Secret keys that the arguments name, from the run's namespace.
    async fn secrets(&self, run: &AnalysisRun) -> Result<Result<Secrets, String>, Failure> {
        let mut secrets = Secrets::new();
        for reference in ::analysis::secrets(run) {
            let key = Key::new(run.object.namespace(), &reference.name);
            let Some(secret) = self.cluster.get(&resources::SECRETS, &key).await? else {
                return Ok(Err(format!("secrets \"{}\" not found", reference.name)));
            };
            let encoded = secret.str(&["data", &reference.key]);
            let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).ok();
            let value =
                decoded.filter(|bytes| !bytes.is_empty()).and_then(|bytes| String::from_utf8(bytes).ok());
            let Some(value) = value else {
                return Ok(Err(format!(
                    "key '{}' does not exist in secret '{}'",
                    reference.key, reference.name
                )));
            };
            secrets.insert((reference.name.clone(), reference.key.clone()), value);
        }
        Ok(Ok(secrets))
    }

    /// Writes the status if it changed, then tells what happened.
    async fn report(&self, run: &AnalysisRun, recorded: Recorded) -> Result<Next, Failure> {
        self.providers.forget(run, &recorded.dropped).await?;
        let old = run.object.get(&["status"]).cloned().unwrap_or_else(|| json!({}));
        if let Some(changes) = patch::merge::diff(&old, &api::write(&recorded.status)) {
            // Another controller may have measured meanwhile: then this measurement does not count.
            let version = run.object.resource_version();
            let patch = Patch::merge(json!({"metadata": {"resourceVersion": version}, "status": changes}));
            let stored = self.cluster.patch(&resources::ANALYSIS_RUNS, &run.object.key(), &patch).await?;
            self.runs.note(stored);
        }
        for event in &recorded.events {
            let bad = matches!(event.phase, AnalysisPhase::Failed | AnalysisPhase::Error);
            let kind = if bad { EventType::Warning } else { EventType::Normal };
            self.recorder.record(&run.object, kind, &event.reason, &event.message);
        }
        Ok(recorded.wake.map_or(Next::Done, Next::At))
    }

    /// Deletes a finished run when its time has come.
    async fn expire(&self, run: &AnalysisRun) -> Result<Next, Failure> {
        let Some(expiry) = ::analysis::expiry(run) else { return Ok(Next::Done) };
        if expiry > self.cluster.clock().now() {
            return Ok(Next::At(expiry));
        }
        let deletion = Deletion { uid: Some(run.object.uid().to_owned()), ..Deletion::default() };
        self.cluster.delete(&resources::ANALYSIS_RUNS, &run.object.key(), &deletion).await?;
        Ok(Next::Done)
    }

    /// Tells on the object that it cannot be read.
    async fn unreadable(&self, object: &Object, message: &str) -> Result<Next, Failure> {
        let message = format!("Analysis spec invalid: {message}");
        if object.str(&["status", "message"]) != message {
            let patch = Patch::merge(json!({"status": {"phase": "Error", "message": message}}));
            let stored = self.cluster.patch(&resources::ANALYSIS_RUNS, &object.key(), &patch).await?;
            self.runs.note(stored);
        }
        Ok(Next::Done)
    }
}
