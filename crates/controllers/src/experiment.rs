//! The Experiment controller: observes what is around an Experiment, and carries out one plan a pass.

use std::sync::Arc;

use ::rollout::experiment::{Action, Observed, Plan, plan, refused};
use ::rollout::{Event, EventKind};
use api::experiment::Experiment;
use object::{Key, Object, Time, Value, json};
use runtime::{
    ApiError, Cache, Change, Cluster, Controller, Deletion, EventType, Failure, Next, Order, Patch,
    Reconcile, Recorder, Resource, Tasks, Watches, controller_keys, resources,
};

use crate::instance::Instance;
use crate::naming::Templates;
use crate::share;

/// How the controller is set up.
#[derive(Clone, Debug)]
pub struct ExperimentConfig {
    /// Which objects are ours.
    pub instance: Instance,
    /// Experiments that are worked on side by side.
    pub workers: usize,
    /// Order of Experiments that are due at the same time.
    pub order: Order,
}

/// Starts the Experiment controller; it ends with `tasks`.
pub fn run(watches: &Watches, config: ExperimentConfig, tasks: &Tasks) {
    let cluster = watches.cluster().clone().lean();
    let ExperimentConfig { instance, workers, order } = config;
    let (ours, others) = (instance.selection(), instance.others());
    let caches = Caches {
        experiments: watches.cache_with(&resources::EXPERIMENTS, &ours),
        replica_sets: watches.cache_with(&resources::REPLICA_SETS, &others),
        services: watches.cache_with(&resources::SERVICES, &others),
        analysis_runs: watches.cache_with(&resources::ANALYSIS_RUNS, &ours),
        templates: Templates {
            namespaced: watches.cache_with(&resources::ANALYSIS_TEMPLATES, &others),
            cluster: watches.cache(&resources::CLUSTER_ANALYSIS_TEMPLATES),
        },
    };
    let recorder = Recorder::new(cluster.clone(), "rollouts-controller", tasks).in_order();
    let controller = Controller::new("experiment", cluster.clock().clone())
        .workers(workers)
        .order(order)
        .report_to(watches.activity())
        .shared(watches.shards(), share::by_rollout(&caches.experiments))
        .reconcile_each(&caches.experiments)
        .watch(&caches.replica_sets, controller_keys("Experiment"))
        .watch(&caches.services, controller_keys("Experiment"))
        .watch(&caches.analysis_runs, controller_keys("Experiment"))
        .watch(&caches.templates.namespaced, nobody)
        .watch(&caches.templates.cluster, nobody);
    controller.run(Shell { cluster, caches, recorder }, tasks);
}

/// Returns no keys: templates are only looked up, and an Experiment that missed one is over.
fn nobody(_: &Change) -> Vec<Key> {
    Vec::new()
}

struct Caches {
    experiments: Cache,
    replica_sets: Cache,
    services: Cache,
    analysis_runs: Cache,
    templates: Templates,
}

impl Caches {
    fn observed(&self, experiment: &Object) -> Observed {
        let namespace = experiment.namespace();
        let analyses = experiment.get(&["spec", "analyses"]);
        let templates = analyses.map(|analyses| self.templates.named(namespace, analyses));
        Observed {
            replica_sets: self.replica_sets.owned_by(experiment.uid()),
            services: self.services.owned_by(experiment.uid()),
            // those it made, and any other that has a name it would give
            analysis_runs: self.analysis_runs.named_from(namespace, experiment.name()),
            templates: templates.unwrap_or_default(),
        }
    }
}

struct Shell {
    cluster: Cluster,
    caches: Caches,
    recorder: Recorder,
}

impl Reconcile for Shell {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let found = self.caches.experiments.get(key).filter(|object| !object.is_deleting());
        let Some(object) = found else { return Ok(Next::Done) };
        let experiment = match Experiment::from_object(&object) {
            Ok(experiment) => experiment,
            Err(error) => return self.unreadable(&object, &error.to_string()).await,
        };
        let now = self.cluster.clock().now();
        let plan = plan(&experiment, &self.caches.observed(&object), now);
        for action in &plan.actions {
            if let Err(error) = self.act(action).await {
                return self.failed(&experiment, action, (error, now)).await;
            }
        }
        self.report(&object, &plan).await?;
        Ok(plan.wake.map_or(Next::Done, Next::At))
    }
}

impl Shell {
    async fn act(&self, action: &Action) -> Result<(), ApiError> {
        let caches = &self.caches;
        match action {
            Action::CreateReplicaSet { object, .. } => {
                self.create((&resources::REPLICA_SETS, &caches.replica_sets), object).await
            }
            Action::CreateService { object, .. } => {
                self.create((&resources::SERVICES, &caches.services), object).await
            }
            Action::CreateAnalysisRun { object, .. } => {
                self.create((&resources::ANALYSIS_RUNS, &caches.analysis_runs), object).await
            }
            Action::PatchReplicaSet { key, version, patch, .. } => {
                let mut patch = patch.clone();
                patch["metadata"]["resourceVersion"] = version.as_str().into();
                self.patch((&resources::REPLICA_SETS, &caches.replica_sets), key, patch).await
            }
            Action::TerminateAnalysisRun { key } => {
                let patch = json!({"spec": {"terminate": true}});
                self.patch((&resources::ANALYSIS_RUNS, &caches.analysis_runs), key, patch).await
            }
            Action::DeleteService { key, uid, .. } => {
                let deletion = Deletion { uid: Some(uid.clone()), ..Deletion::default() };
                self.cluster.delete(&resources::SERVICES, key, &deletion).await
            }
        }
    }

    async fn create(&self, (resource, cache): (&Resource, &Cache), object: &Object) -> Result<(), ApiError> {
        cache.note(self.cluster.create(resource, object).await?);
        Ok(())
    }

    async fn patch(
        &self,
        (resource, cache): (&Resource, &Cache),
        key: &Key,
        patch: Value,
    ) -> Result<(), ApiError> {
        cache.note(self.cluster.patch(resource, key, &Patch::merge(patch)).await?);
        Ok(())
    }

    /// What the API server refuses for good becomes the status; a name that our own object has is looked up; everything
    /// else is tried again.
    async fn failed(
        &self,
        experiment: &Experiment,
        action: &Action,
        (error, now): (ApiError, Time),
    ) -> Result<Next, Failure> {
        let taken = error.is_already_exists();
        if taken && self.is_own(&experiment.object, action).await? {
            return Ok(Next::At(now.after(AGAIN)));
        }
        if taken || error.is_forbidden() || error.is_invalid() || error.is_not_found() {
            let plan = refused(experiment, action, &error.to_string(), now);
            self.report(&experiment.object, &plan).await?;
            return Ok(plan.wake.map_or(Next::Done, Next::At));
        }
        Err(Failure::from(error))
    }

    /// Returns true when the object that could not be created is there and belongs to the Experiment; it is then known.
    async fn is_own(&self, experiment: &Object, action: &Action) -> Result<bool, ApiError> {
        let (resource, cache, object) = match action {
            Action::CreateReplicaSet { object, .. } => {
                (&resources::REPLICA_SETS, &self.caches.replica_sets, object)
            }
            Action::CreateService { object, .. } => (&resources::SERVICES, &self.caches.services, object),
            Action::CreateAnalysisRun { object, .. } => {
                (&resources::ANALYSIS_RUNS, &self.caches.analysis_runs, object)
            }
            Action::PatchReplicaSet { .. }
            | Action::DeleteService { .. }
            | Action::TerminateAnalysisRun { .. } => {
                return Ok(false);
            }
        };
        let found = self.cluster.get(resource, &object.key()).await?;
        let own = found.filter(|found| found.controller_uid() == Some(experiment.uid()));
        let is_own = own.is_some();
        own.into_iter().for_each(|own| cache.note(own));
        Ok(is_own)
    }

    /// Writes the status, unless the Experiment has changed meanwhile, and records the events.
    async fn report(&self, object: &Object, plan: &Plan) -> Result<(), Failure> {
        if let Some(patch) = &plan.status_patch {
            let mut patch = patch.clone();
            patch["metadata"] = json!({"resourceVersion": object.resource_version()});
            let patch = Patch::merge(patch);
            let stored = self.cluster.patch(&resources::EXPERIMENTS, &object.key(), &patch).await?;
            self.caches.experiments.note(stored);
        }
        self.record(object, &plan.events);
        if !plan.forwarded.is_empty()
            && let Some(owner) = object.controller().filter(|owner| owner.kind == "Rollout")
        {
            let key = Key::new(object.namespace(), &owner.name);
            if let Some(rollout) = self.cluster.get(&resources::ROLLOUTS, &key).await? {
                self.record(&rollout, &plan.forwarded);
            }
        }
        Ok(())
    }

    fn record(&self, about: &Object, events: &[Event]) {
        for event in events {
            let kind = match event.kind {
                EventKind::Normal => EventType::Normal,
                EventKind::Warning => EventType::Warning,
            };
            self.recorder.record(about, kind, &event.reason, &event.message);
        }
    }

    /// Tells on the object that it cannot be read.
    async fn unreadable(&self, object: &Arc<Object>, error: &str) -> Result<Next, Failure> {
        if object.str(&["status", "message"]) == error {
            return Ok(Next::Done);
        }
        let patch = Patch::merge(json!({"status": {"phase": "Error", "message": error}}));
        let stored = self.cluster.patch(&resources::EXPERIMENTS, &object.key(), &patch).await?;
        self.caches.experiments.note(stored);
        Ok(Next::Done)
    }
}

/// Wait before a pass that met its own earlier write is tried again.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(100);
