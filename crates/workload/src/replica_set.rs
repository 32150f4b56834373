//! ReplicaSets: as many pods of a template as asked for.

use std::sync::Arc;

use object::{Key, LabelSelector, Object, Value};
use runtime::{
    ApiError, Cache, Change, Cluster, Controller, EventType, Failure, Next, Reconcile, Recorder, Tasks,
    Watches, controller_keys, resources,
};

use crate::write::{self, Doomed};
use crate::{pod, share};

mod plan;

pub(crate) use plan::{Failed, plan};

/// Largest number of pods created or deleted in one pass.
const BURST: usize = 500;

/// Starts the controller.
pub(crate) fn run(cluster: &Cluster, watches: &Watches, tasks: &Tasks) {
    let (sets, pods) = (watches.cache(&resources::REPLICA_SETS), watches.cache(&resources::PODS));
    let owners = controller_keys("ReplicaSet");
    let orphans = sets.clone();
    let wake = move |change: &Change| {
        let mut keys = owners(change);
        if let Some(pod) = &change.new {
            keys.extend(share::selecting(&orphans, pod));
        }
        keys
    };
    let recorder = Recorder::new(cluster.clone(), "replicaset-controller", tasks);
    let doomed = Doomed::default();
    let reconciler =
        ReplicaSets { cluster: cluster.clone(), sets: sets.clone(), pods: pods.clone(), recorder, doomed };
    Controller::new("replicaset", cluster.clock().clone())
        .workers(4)
        .reconcile_each(&sets)
        .watch(&pods, wake)
        .run(reconciler, tasks);
}

struct ReplicaSets {
    cluster: Cluster,
    sets: Cache,
    pods: Cache,
    recorder: Recorder,
    doomed: Doomed,
}

impl Reconcile for ReplicaSets {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let Some(set) = self.sets.get(key) else { return Ok(Next::Done) };
        write::settle(self.pass(&set).await)
    }
}

impl ReplicaSets {
    async fn pass(&self, set: &Object) -> Result<Next, ApiError> {
        let Ok(selector) = LabelSelector::from_json(set.get(&["spec", "selector"]).unwrap_or(&Value::Null))
        else {
            return Ok(Next::Done);
        };
        let mut children = share::children(set, &selector, &self.pods);
        children.adopt.retain(|pod| pod::is_active(pod));
        if share::settle(&self.cluster, &resources::PODS, &self.pods, set, &children).await? {
            children = share::children(set, &selector, &self.pods);
        }
        let pods: Vec<Arc<Object>> = children
            .owned
            .into_iter()
            .filter(|pod| pod::is_active(pod) && !self.doomed.contains(pod))
            .collect();
        let now = self.cluster.clock().now();
        let wanted = plan(set, &pods, None, now);
        let failed = if set.is_deleting() { None } else { self.apply(set, &wanted).await };
        let report = match &failed {
            Some(failed) => plan(set, &pods, Some(failed), now),
            None => wanted,
        };
        write::status(&self.cluster, &resources::REPLICA_SETS, &self.sets, set, report.status).await?;
        match failed {
            Some(failed) if !failed.error.is_not_found() => Err(failed.error),
            _ => Ok(report.wake.map_or(Next::Done, Next::At)),
        }
    }

    /// Creates or deletes pods; returns the first failure. Nothing is tried after it.
    async fn apply(&self, set: &Object, plan: &plan::Plan) -> Option<Failed> {
        let template = pod::from_template(set);
        for _ in 0..plan.create.min(BURST) {
            match self.cluster.create(&resources::PODS, &template).await {
                Ok(created) => {
                    let message = format!("Created pod: {}", created.name());
                    self.recorder.record(set, EventType::Normal, "SuccessfulCreate", &message);
                    self.pods.note(created);
                }
                Err(error) => {
                    let message = format!("Error creating: {error}");
                    self.recorder.record(set, EventType::Warning, "FailedCreate", &message);
                    return Some(Failed { reason: "FailedCreate", error });
                }
            }
        }
        for victim in plan.delete.iter().take(BURST) {
            self.doomed.add(victim);
            if let Err(error) = write::delete(&self.cluster, &resources::PODS, victim).await {
                self.doomed.remove(victim);
                return Some(Failed { reason: "FailedDelete", error });
            }
            let message = format!("Deleted pod: {}", victim.name());
            self.recorder.record(set, EventType::Normal, "SuccessfulDelete", &message);
        }
        None
    }
}
