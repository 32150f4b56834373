//! The Rollout controller: observes what is around a Rollout, and carries out one plan a pass.

use std::sync::Arc;
use std::time::Duration;

use ::rollout::{Action, Checked, Observed, Plan, Referenced};
use api::rollout::Rollout;
use object::{Key, LabelSelector, Object};
use runtime::{
    ApiError, Cache, Change, Cluster, Controller, Deletion, EventType, Eviction, Failure, Next, Order, Patch,
    Reconcile, Recorder, Resource, Selection, Subresource, Tasks, Watches, controller_keys, resources,
};

use crate::instance::Instance;

/// How the controller is set up.
#[derive(Clone, Debug)]
pub struct RolloutConfig {
    /// Which objects are ours.
    pub instance: Instance,
    /// Rollouts that are worked on side by side.
    pub workers: usize,
    /// Order of Rollouts that are due at the same time.
    pub order: Order,
}

/// Starts the Rollout controller; it ends with `tasks`.
pub fn run(watches: &Watches, config: RolloutConfig, tasks: &Tasks) {
    let cluster = watches.cluster().clone();
    let (ours, others) = (config.instance.selection(), config.instance.others());
    let caches = Caches {
        rollouts: watches.cache_with(&resources::ROLLOUTS, &ours),
        replica_sets: watches.cache_with(&resources::REPLICA_SETS, &others),
        analysis_runs: watches.cache_with(&resources::ANALYSIS_RUNS, &ours),
        templates: watches.cache_with(&resources::ANALYSIS_TEMPLATES, &others),
        cluster_templates: watches.cache(&resources::CLUSTER_ANALYSIS_TEMPLATES),
        services: watches.cache_with(&resources::SERVICES, &others),
    };
    caches
        .replica_sets
        .add_index(ORPHANS, |set| set.controller_uid().is_none().then(|| set.namespace().to_owned()));
    let controller = Controller::new("rollout", cluster.clock().clone())
        .workers(config.workers)
        .order(config.order)
        .reconcile_each(&caches.rollouts)
        .watch(&caches.replica_sets, controller_keys("Rollout"))
        .watch(&caches.analysis_runs, controller_keys("Rollout"))
        .watch(&caches.templates, naming(&caches.rollouts))
        .watch(&caches.cluster_templates, naming(&caches.rollouts))
        .watch(&caches.services, naming(&caches.rollouts));
    let recorder = Recorder::new(cluster.clone(), "rollouts-controller", tasks);
    controller.run(Shell { cluster, caches, recorder }, tasks);
}

const ORPHANS: &str = "orphans";

/// Returns a mapping from an object to the Rollouts that name it in their strategy: those of its namespace, or all for
/// a cluster-scoped one. Its own status does not matter, so only a change of its version is looked at.
fn naming(rollouts: &Cache) -> impl Fn(&Change) -> Vec<Key> + Send + Sync + 'static {
    let rollouts = rollouts.clone();
    move |change| {
        let namespace = change.key.namespace.as_str();
        let all = if namespace.is_empty() { rollouts.list() } else { rollouts.in_namespace(namespace) };
        let named = all.iter().filter(|rollout| {
            let strategy = rollout.get(&["spec", "strategy"]);
            strategy.is_some_and(|strategy| mentions(strategy, &change.key.name))
        });
        named.map(|rollout| rollout.key()).collect()
    }
}

fn mentions(value: &object::Value, name: &str) -> bool {
    match value {
        object::Value::String(text) => text == name,
        object::Value::Array(list) => list.iter().any(|value| mentions(value, name)),
        object::Value::Object(map) => map.values().any(|value| mentions(value, name)),
        _ => false,
    }
}

struct Caches {
    rollouts: Cache,
    replica_sets: Cache,
    analysis_runs: Cache,
    templates: Cache,
    cluster_templates: Cache,
    services: Cache,
}

impl Caches {
    fn referenced(&self, namespace: &str) -> Referenced {
        let mut templates = self.templates.in_namespace(namespace);
        templates.extend(self.cluster_templates.list());
        Referenced { templates, services: self.services.in_namespace(namespace) }
    }

    /// Returns the ReplicaSets that the Rollout controls, and those without a controller that match its selector.
    fn replica_sets(&self, rollout: &Object) -> Vec<Arc<Object>> {
        let mut sets = self.replica_sets.owned_by(rollout.uid());
        let selector = rollout.get(&["spec", "selector"]).map(LabelSelector::from_json);
        if let Some(Ok(selector)) = selector.filter(|selector| selector.as_ref().is_ok_and(|s| !s.is_empty()))
        {
            let orphans = self.replica_sets.indexed(ORPHANS, rollout.namespace());
            sets.extend(orphans.into_iter().filter(|set| selector.matches(&set.labels())));
        }
        sets
    }

    fn of(&self, resource: &Resource) -> Option<&Cache> {
        [
            (&resources::ROLLOUTS, &self.rollouts),
            (&resources::REPLICA_SETS, &self.replica_sets),
            (&resources::ANALYSIS_RUNS, &self.analysis_runs),
            (&resources::SERVICES, &self.services),
        ]
        .into_iter()
        .find(|(known, _)| *known == resource)
        .map(|(_, cache)| cache)
    }
}

struct Shell {
    cluster: Cluster,
    caches: Caches,
    recorder: Recorder,
}

impl Reconcile for Shell {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let Some(object) = self.caches.rollouts.get(key) else { return Ok(Next::Done) };
        let (plan, checked) = self.plan(&object).await?;
        tracing::debug!(rollout = %key, why = %plan.why, actions = plan.actions.len(), "planned");
        for action in &plan.actions {
            tracing::debug!(rollout = %key, %action, "acting");
            if let Err(error) = self.act(&object, action).await {
                return self.failed(checked.as_ref(), (&object, action), error).await;
            }
        }
        self.report(&object, &plan).await?;
        Ok(plan.wake.map_or(Next::Done, Next::At))
    }
}

impl Shell {
    /// Returns the plan of one pass, and the Rollout it is for when that can be acted on.
    async fn plan(&self, object: &Object) -> Result<(Plan, Option<Checked<Rollout>>), Failure> {
        let now = self.cluster.clock().now();
        let rollout = match Rollout::from_object(object) {
            Ok(rollout) => rollout,
            Err(error) => return Ok((::rollout::unreadable(object, &error, now), None)),
        };
        let referenced = self.caches.referenced(object.namespace());
        let checked = match ::rollout::validate(&rollout, &referenced) {
            Ok(checked) => checked,
            Err(problems) => return Ok((::rollout::invalid(&rollout, &problems, now), None)),
        };
        let pods = if Observed::needs_pods(&rollout) { self.pods(&rollout).await? } else { Vec::new() };
        let observed = Observed {
            replica_sets: self.caches.replica_sets(object),
            pods,
            analysis_runs: self.caches.analysis_runs.owned_by(object.uid()),
            referenced,
        };
        Ok((::rollout::plan(&checked, &observed, now), Some(checked)))
    }

    /// Lists the pods of a Rollout that is to be restarted; otherwise nobody needs them.
    async fn pods(&self, rollout: &Rollout) -> Result<Vec<Arc<Object>>, Failure> {
        let selector = rollout.object.get(&["spec", "selector"]).map(LabelSelector::from_json);
        let Some(Ok(selector)) = selector else { return Ok(Vec::new()) };
        let selection = Selection::labels(&selector.to_string());
        let pods = self.cluster.list(&resources::PODS, Some(rollout.object.namespace()), &selection).await?;
        Ok(pods.into_iter().map(Arc::new).collect())
    }

    async fn act(&self, rollout: &Object, action: &Action) -> Result<(), ApiError> {
        let sets = &resources::REPLICA_SETS;
        match action {
            Action::CreateReplicaSet(set) => self.create(sets, set).await,
            Action::CreateAnalysisRun(run) => self.create(&resources::ANALYSIS_RUNS, run).await,
            Action::AdoptReplicaSet { key, patch }
            | Action::AnnotateReplicaSet { key, patch }
            | Action::ScaleReplicaSet { key, patch, .. } => self.patch(sets, key, patch.clone()).await,
            Action::PatchRollout { patch } => {
                self.patch(&resources::ROLLOUTS, &rollout.key(), patch.clone()).await
            }
            Action::TerminateAnalysisRun { key } => {
                self.patch(&resources::ANALYSIS_RUNS, key, Action::terminate_patch()).await
            }
            Action::SwitchService(switch) => {
                self.patch(&resources::SERVICES, &switch.key, switch.patch.clone()).await
            }
            Action::DeleteReplicaSet { key, uid } => self.delete(sets, key, uid).await,
            Action::DeleteAnalysisRun { key, uid } => self.delete(&resources::ANALYSIS_RUNS, key, uid).await,
            Action::EvictPod { key } => match self.cluster.evict(key).await? {
                Eviction::Refused(message) => {
                    tracing::info!(pod = %key, message, "eviction refused for now");
                    Ok(())
                }
                Eviction::Evicted | Eviction::Gone => Ok(()),
            },
        }
    }

    async fn create(&self, resource: &Resource, object: &Object) -> Result<(), ApiError> {
        let stored = self.cluster.create(resource, object).await?;
        self.note(resource, stored);
        Ok(())
    }

    async fn patch(&self, resource: &Resource, key: &Key, patch: object::Value) -> Result<(), ApiError> {
        let stored = self.cluster.patch(resource, key, &Patch::merge(patch)).await?;
        self.note(resource, stored);
        Ok(())
    }

    async fn delete(&self, resource: &Resource, key: &Key, uid: &str) -> Result<(), ApiError> {
        let deletion = Deletion { uid: Some(uid.to_owned()), ..Deletion::default() };
        self.cluster.delete(resource, key, &deletion).await
    }

    fn note(&self, resource: &Resource, stored: Object) {
        if let Some(cache) = self.caches.of(resource) {
            cache.note(stored);
        }
    }

    /// An action did not work: a name that is taken changes the hash, everything else is tried again.
    async fn failed(
        &self,
        checked: Option<&Checked<Rollout>>,
        (object, action): (&Object, &Action),
        error: ApiError,
    ) -> Result<Next, Failure> {
        if let (Action::CreateReplicaSet(set), Some(checked), true) =
            (action, checked, error.is_already_exists())
        {
            match self.cluster.get(&resources::REPLICA_SETS, &set.key()).await? {
                Some(taken) if ::rollout::collides(checked, &taken) => {
                    self.report(object, &::rollout::collided(checked)).await?;
                }
                Some(own) => self.note(&resources::REPLICA_SETS, own),
                None => {}
            }
            return Ok(Next::After(AGAIN));
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

    async fn report(&self, object: &Object, plan: &Plan) -> Result<(), Failure> {
        if let Some(patch) = &plan.status_patch {
            let patch = Patch::merge(patch.clone()).on(Subresource::Status);
            let stored = self.cluster.patch(&resources::ROLLOUTS, &object.key(), &patch).await?;
            self.note(&resources::ROLLOUTS, stored);
        }
        for event in &plan.events {
            let kind = match event.kind {
                ::rollout::EventKind::Normal => EventType::Normal,
                ::rollout::EventKind::Warning => EventType::Warning,
            };
            self.recorder.record(object, kind, &event.reason, &event.message);
        }
        Ok(())
    }
}

/// Wait before a pass that met its own earlier write is tried again.
const AGAIN: Duration = Duration::from_millis(100);
