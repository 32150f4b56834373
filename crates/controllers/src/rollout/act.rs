//! Carrying out the actions of a plan.

use std::time::Duration;

use ::rollout::{Action, Checked};
use api::rollout::Rollout;
use object::{Key, Object, Value, json};
use runtime::{ApiError, Deletion, EventType, Eviction, Failure, Next, Patch, Resource, resources};

use super::Shell;

impl Shell {
    /// Carries out one action; returns the Rollout when that is what changed.
    pub(super) async fn act(&self, rollout: &Object, action: &Action) -> Result<Option<Object>, ApiError> {
        if let Action::PatchRollout { patch } = action {
            let patch = Patch::merge(on_version(patch.clone(), rollout.resource_version()));
            let stored = self.cluster.patch(&resources::ROLLOUTS, &rollout.key(), &patch).await?;
            self.note(&resources::ROLLOUTS, stored.clone());
            return Ok(Some(stored));
        }
        self.act_around(action).await.map(|()| None)
    }

    async fn act_around(&self, action: &Action) -> Result<(), ApiError> {
        let sets = &resources::REPLICA_SETS;
        match action {
            Action::CreateReplicaSet(set) => self.create(sets, set).await,
            Action::CreateAnalysisRun(run) => self.create(&resources::ANALYSIS_RUNS, run).await,
            Action::CreateConfig(copy) => match self.routers.create(copy).await {
                Err(error) if !error.is_already_exists() => Err(error),
                _ => Ok(()),
            },
            Action::DeleteConfig { kind, key, uid } => self.routers.delete(kind, key, uid).await,
            Action::CreateExperiment(experiment) => self.create(&resources::EXPERIMENTS, experiment).await,
            Action::TerminateExperiment { key } => {
                self.patch(&resources::EXPERIMENTS, key, Action::terminate_patch()).await
            }
            Action::DeleteExperiment { key, uid } => self.delete(&resources::EXPERIMENTS, key, uid).await,
            Action::ScaleWorkload { reference, from, to } => self.routers.scale(reference, *from, *to).await,
            Action::AdoptReplicaSet { key, patch } | Action::AnnotateReplicaSet { key, patch } => {
                self.patch(sets, key, patch.clone()).await
            }
            Action::ScaleReplicaSet { key, from, patch, .. } => self.scale(key, *from, patch).await,
            Action::PatchRollout { .. } => Ok(()),
            Action::TerminateAnalysisRun { key } => {
                self.patch(&resources::ANALYSIS_RUNS, key, Action::terminate_patch()).await
            }
            Action::SwitchService(switch) => {
                self.patch(&resources::SERVICES, &switch.key, switch.patch.clone()).await
            }
            Action::DeleteReplicaSet { key, uid } => self.delete(sets, key, uid).await,
            Action::DeleteAnalysisRun { key, uid } => self.delete(&resources::ANALYSIS_RUNS, key, uid).await,
            Action::PatchPod { key, patch } => self.patch_pod(key, patch.clone()).await,
            Action::Route(change) => self.routers.write(change).await,
            Action::EvictPod { key } => match self.cluster.evict(key).await? {
                Eviction::Refused(message) => {
                    tracing::info!(pod = %key, message, "eviction refused for now");
                    Ok(())
                }
                Eviction::Evicted | Eviction::Gone => Ok(()),
            },
        }
    }

    /// Scales a ReplicaSet that still has the size it was planned on.
    async fn scale(&self, key: &Key, from: i32, patch: &Value) -> Result<(), ApiError> {
        let Some(set) = self.caches.replica_sets.get(key) else { return Ok(()) };
        if set.int(&["spec", "replicas"]).unwrap_or(1) != i64::from(from) {
            return Err(ApiError::no_answer(format!("ReplicaSet {key} was scaled by somebody else")));
        }
        let patch = on_version(patch.clone(), set.resource_version());
        self.patch(&resources::REPLICA_SETS, key, patch).await
    }

    async fn create(&self, resource: &Resource, object: &Object) -> Result<(), ApiError> {
        let stored = self.cluster.create(resource, object).await?;
        self.note(resource, stored);
        Ok(())
    }

    async fn patch(&self, resource: &Resource, key: &Key, patch: Value) -> Result<(), ApiError> {
        let stored = self.cluster.patch(resource, key, &Patch::merge(patch)).await?;
        self.note(resource, stored);
        Ok(())
    }

    /// Changes a pod; one that is gone needs nothing any more.
    async fn patch_pod(&self, key: &Key, patch: Value) -> Result<(), ApiError> {
        match self.cluster.patch(&resources::PODS, key, &Patch::merge(patch)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    async fn delete(&self, resource: &Resource, key: &Key, uid: &str) -> Result<(), ApiError> {
        let deletion = Deletion { uid: Some(uid.to_owned()), ..Deletion::default() };
        self.cluster.delete(resource, key, &deletion).await
    }

    pub(super) fn note(&self, resource: &Resource, stored: Object) {
        if let Some(cache) = self.caches.of(resource) {
            cache.note(stored);
        }
    }

    /// An action did not work: a name that is taken changes the hash, everything else is tried again.
    pub(super) async fn failed(
        &self,
        checked: Option<&Checked<Rollout>>,
        (object, action): (&Object, &Action),
        error: ApiError,
    ) -> Result<Next, Failure> {
        if let (Action::CreateReplicaSet(set), Some(checked)) = (action, checked) {
            if error.is_already_exists() {
                return self.taken(checked, (object, set)).await;
            }
            if error.is_forbidden() || error.is_invalid() || error.is_not_found() {
                let now = self.cluster.clock().now();
                let text = error.to_string();
                let plan = ::rollout::create_refused(checked, set.name(), &text, now);
                self.report(object, &plan).await?;
                return Err(Failure::from(error));
            }
        }
        if !error.is_conflict() && !error.is_already_exists() && !error.is_unavailable() {
            self.recorder.record(
                object,
                EventType::Warning,
                "ReconciliationError",
                &format!("{action}: {error}"),
            );
        }
        Err(Failure::from(error))
    }

    /// The name of a new ReplicaSet is taken: by ours, which was not seen yet, or by another, which changes the hash.
    async fn taken(
        &self,
        checked: &Checked<Rollout>,
        (object, set): (&Object, &Object),
    ) -> Result<Next, Failure> {
        match self.cluster.get(&resources::REPLICA_SETS, &set.key()).await? {
            Some(taken) if ::rollout::collides(checked, &taken) => {
                self.report(object, &::rollout::collided(checked)).await?;
            }
            Some(own) => self.note(&resources::REPLICA_SETS, own),
            None => {}
        }
        Ok(Next::After(AGAIN))
    }
}

/// Returns the merge patch `patch`, refused with a conflict unless the object still has `version`.
pub(super) fn on_version(mut patch: Value, version: &str) -> Value {
    if let Some(metadata) = patch.as_object_mut() {
        let metadata = metadata.entry("metadata").or_insert_with(|| json!({}));
        metadata["resourceVersion"] = json!(version);
    }
    patch
}

/// Wait before a pass that met its own earlier write is tried again.
const AGAIN: Duration = Duration::from_millis(100);
