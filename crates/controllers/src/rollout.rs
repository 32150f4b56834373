//! The Rollout controller: observes what is around a Rollout, and carries out one plan a pass.
//!
//! Writes carry the version of what they were planned on where a second controller could have moved on meanwhile: the
//! status, and the size of a ReplicaSet. So two controllers at once are slow, never wrong.

mod act;
mod caches;
mod doubts;
mod ingress;
mod routers;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use ::rollout::{Checked, Observed, Plan};
use api::rollout::Rollout;
use object::{Key, LabelSelector, Object};
use runtime::{
    Change, Cluster, Controller, EventType, Failure, Next, Order, Patch, Reconcile, Recorder, Selection,
    Shards, Subresource, Tasks, Watches, controller_keys, resources,
};

use crate::instance::Instance;
use crate::naming::{self, Templates};
use crate::service;
use caches::{Caches, ORPHANS, changes_of_named};
use doubts::Doubts;
use routers::{Routers, UNSERVED};

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

/// Starts the Rollout controller, and with it those of Services and Ingresses; all end with `tasks`.
pub fn run(watches: &Watches, config: RolloutConfig, tasks: &Tasks) {
    run_with(watches, config, traffic::Settings::default(), tasks);
}

/// Starts the same, where the cluster speaks of routers as `routing` says (`--istio-api-version` and the like).
pub fn run_with(watches: &Watches, config: RolloutConfig, routing: traffic::Settings, tasks: &Tasks) {
    let cluster = watches.cluster().clone().lean();
    service::run(watches, &config, tasks);
    ingress::run(watches, &config, tasks);
    let RolloutConfig { instance, workers, order } = config;
    let (ours, others) = (instance.selection(), instance.others());
    let caches = Caches {
        rollouts: watches.cache_with(&resources::ROLLOUTS, &ours),
        replica_sets: watches.cache_with(&resources::REPLICA_SETS, &others),
        analysis_runs: watches.cache_with(&resources::ANALYSIS_RUNS, &ours),
        experiments: watches.cache_with(&resources::EXPERIMENTS, &ours),
        templates: Templates {
            namespaced: watches.cache_with(&resources::ANALYSIS_TEMPLATES, &others),
            cluster: watches.cache(&resources::CLUSTER_ANALYSIS_TEMPLATES),
        },
        services: watches.cache_with(&resources::SERVICES, &others),
    };
    naming::index(&caches.rollouts);
    caches.replica_sets.add_index(ORPHANS, |set| {
        let is_orphan = set.controller_uid().is_none();
        is_orphan.then(|| set.namespace().to_owned()).into_iter().collect()
    });
    let recorder = Recorder::new(cluster.clone(), "rollouts-controller", tasks).in_order();
    let controller = Controller::new("rollout", cluster.clock().clone())
        .workers(workers)
        .order(order)
        .report_to(watches.activity())
        .shared(watches.shards(), |key| Some(key.clone()))
        .watch(&caches.rollouts, announcing(recorder.clone(), watches.shards().clone()))
        .watch(&caches.replica_sets, controller_keys("Rollout"))
        .watch(&caches.analysis_runs, controller_keys("Rollout"))
        .watch(&caches.experiments, controller_keys("Rollout"))
        .watch(&caches.templates.namespaced, changes_of_named(&caches.rollouts))
        .watch(&caches.templates.cluster, changes_of_named(&caches.rollouts))
        .watch(&caches.services, changes_of_named(&caches.rollouts));
    let routers = Routers::new(watches, &caches.rollouts, controller.queue(), tasks);
    let shell = Shell {
        cluster,
        caches,
        routers,
        routing,
        recorder,
        greeted: Mutex::default(),
        doubts: Doubts::default(),
    };
    controller.run(shell, tasks);
}

/// Returns a mapping from a Rollout to itself, which tells when one of ours is gone.
fn announcing(recorder: Recorder, shards: Shards) -> impl Fn(&Change) -> Vec<Key> + Send + Sync + 'static {
    move |change| {
        let (namespace, name) = (&change.key.namespace, &change.key.name);
        if let (Some(old), None) = (&change.old, &change.new)
            && shards.owns(&change.key)
        {
            let message = format!("Rollout {name}/{namespace} is deleted.");
            recorder.record(old, EventType::Normal, "RolloutDeleted", &message);
        }
        vec![change.key.clone()]
    }
}

struct Shell {
    cluster: Cluster,
    caches: Caches,
    routers: Routers,
    routing: traffic::Settings,
    recorder: Recorder,
    /// Uids of the Rollouts that were told as new and whose first status is not written yet.
    greeted: Mutex<BTreeSet<String>>,
    doubts: Doubts,
}

impl Reconcile for Shell {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        self.settle_doubts(key).await?;
        let Some(object) = self.caches.rollouts.get(key) else { return Ok(Next::Done) };
        self.greet(&object);
        let (plan, checked) = self.plan(&object).await?;
        tracing::debug!(rollout = %key, why = %plan.why, actions = plan.actions.len(), "planned");
        let mut current = object.clone();
        for (done, action) in plan.actions.iter().enumerate() {
            tracing::debug!(rollout = %key, %action, "acting");
            match self.act(&current, action).await {
                Ok(changed) => current = changed.map_or(current, Arc::new),
                Err(error) => {
                    self.doubts.of_action(&current, action, &error);
                    self.record(&current, &plan.told(done));
                    return self.failed(checked.as_ref(), (&current, action), error).await;
                }
            }
        }
        self.report(&current, &plan).await?;
        Ok(plan.wake.map_or(Next::Done, Next::At))
    }
}

impl Shell {
    /// Tells of a Rollout that no controller has worked on.
    ///
    /// Upstream tells `RolloutAddedToInformer` again for every Rollout whenever the controller starts; here a start writes
    /// nothing.
    fn greet(&self, object: &Object) {
        let mut greeted = self.greeted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = !object.str(&["status", "observedGeneration"]).is_empty();
        if is_known || self.caches.replica_sets.owns_any(object.uid()) {
            greeted.remove(object.uid());
        } else if greeted.insert(object.uid().to_owned()) {
            let message = format!("Rollout resource added to informer: {}", object.key());
            self.recorder.record(object, EventType::Normal, "RolloutAddedToInformer", &message);
        }
    }

    /// Returns the plan of one pass, and the Rollout it is for when that can be acted on.
    async fn plan(&self, object: &Object) -> Result<(Plan, Option<Checked<Rollout>>), Failure> {
        let now = self.cluster.clock().now();
        let rollout = match Rollout::from_object(object) {
            Ok(rollout) => rollout,
            Err(error) => return Ok((::rollout::unreadable(object, &error, now), None)),
        };
        let mut referenced = self.caches.referenced(object);
        referenced.routing = self.routing.clone();
        let routing = ::rollout::router_references(&rollout, &referenced.routing);
        self.routers.observe(routing, &mut referenced).await?;
        if let Some(reference) = ::rollout::workload_reference(&rollout) {
            referenced.workload = self.routers.workload(&reference).await?;
        }
        if ::rollout::tracks_config(object) {
            let holder = referenced.workload.as_deref().unwrap_or(object);
            let template = holder.get(&["spec", "template"]).or_else(|| holder.get(&["template"]));
            let template = template.cloned().unwrap_or_default();
            referenced.config = self.routers.config(object.namespace(), &template).await?;
        }
        let checked = match ::rollout::validate(&rollout, &referenced) {
            Ok(checked) => checked,
            Err(problems) => {
                let mut plan = ::rollout::invalid(&rollout, &problems, now);
                if !referenced.unserved.is_empty() {
                    plan.wake = Some(now.after(UNSERVED));
                }
                return Ok((plan, None));
            }
        };
        let selector = &checked.settings().selector;
        let replica_sets = self.caches.replica_sets(object, selector);
        let needs_pods = Observed::needs_pods(&checked, &replica_sets);
        let pods = if needs_pods { self.pods(object.namespace(), selector).await? } else { Vec::new() };
        let observed = Observed {
            replica_sets,
            pods,
            analysis_runs: self.caches.analysis_runs.owned_by(object.uid()),
            experiments: self.caches.experiments.owned_by(object.uid()),
            referenced,
        };
        Ok((::rollout::plan_through(&checked, &observed, now), Some(checked)))
    }

    /// Lists the pods of a Rollout; seldom does anybody need them.
    async fn pods(&self, namespace: &str, selector: &LabelSelector) -> Result<Vec<Arc<Object>>, Failure> {
        let selection = Selection::labels(&selector.to_string());
        let pods = self.cluster.list(&resources::PODS, Some(namespace), &selection).await?;
        Ok(pods.into_iter().map(Arc::new).collect())
    }

    /// Writes the status, unless the Rollout has changed meanwhile, and records the events in their order.
    async fn report(&self, object: &Object, plan: &Plan) -> Result<(), Failure> {
        let written = self.write_status(object, plan).await;
        let done = || plan.told(plan.actions.len());
        let told = if written.is_ok() { plan.events.iter().collect() } else { done() };
        self.record(object, &told);
        written
    }

    async fn write_status(&self, object: &Object, plan: &Plan) -> Result<(), Failure> {
        let Some(patch) = &plan.status_patch else { return Ok(()) };
        let patch = act::on_version(patch.clone(), object.resource_version());
        let patch = Patch::merge(patch).on(Subresource::Status);
        let stored = self.cluster.patch(&resources::ROLLOUTS, &object.key(), &patch).await;
        let stored = stored.inspect_err(|error| self.doubts.of_status(object, error))?;
        self.note(&resources::ROLLOUTS, stored);
        Ok(())
    }

    fn record(&self, object: &Object, events: &[&::rollout::Event]) {
        for event in events {
            let kind = match event.kind {
                ::rollout::EventKind::Normal => EventType::Normal,
                ::rollout::EventKind::Warning => EventType::Warning,
            };
            self.recorder.record(object, kind, &event.reason, &event.message);
        }
    }
}
