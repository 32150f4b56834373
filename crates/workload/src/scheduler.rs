//! The scheduler: gives each pending pod a node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use object::{ConditionStatus, Key, Object, Value, json};
use runtime::{
    ApiError, Cache, Cluster, Controller, EventType, Failure, Next, Patch, Reconcile, Recorder, Subresource,
    Tasks, Watches, resources,
};

use crate::{pod, write};

mod fit;

use fit::Misfit;

/// Starts the scheduler.
pub(crate) fn run(cluster: &Cluster, watches: &Watches, tasks: &Tasks) {
    let (pods, nodes) = (watches.cache(&resources::PODS), watches.cache(&resources::NODES));
    let all = pods.clone();
    let recorder = Recorder::new(cluster.clone(), "default-scheduler", tasks);
    let reconciler =
        Scheduler { cluster: cluster.clone(), pods: pods.clone(), nodes: nodes.clone(), recorder };
    Controller::new("scheduler", cluster.clock().clone())
        .watch(&pods, |change| match &change.new {
            Some(pod) if waits(pod) => vec![change.key.clone()],
            _ => Vec::new(),
        })
        .watch(&nodes, move |_| all.list().iter().filter(|pod| waits(pod)).map(|pod| pod.key()).collect())
        .run(reconciler, tasks);
}

fn waits(pod: &Object) -> bool {
    let scheduler = pod.str(&["spec", "schedulerName"]);
    pod.str(&["spec", "nodeName"]).is_empty()
        && matches!(scheduler, "" | "default-scheduler")
        && pod::is_active(pod)
        && pod.items(&["spec", "schedulingGates"]).is_empty()
}

struct Scheduler {
    cluster: Cluster,
    pods: Cache,
    nodes: Cache,
    recorder: Recorder,
}

impl Reconcile for Scheduler {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        match self.pods.get(key).filter(|pod| waits(pod)) {
            Some(pod) => write::settle(self.pass(&pod).await),
            None => Ok(Next::Done),
        }
    }
}

impl Scheduler {
    async fn pass(&self, pod: &Object) -> Result<Next, ApiError> {
        let mut misfits = BTreeMap::new();
        let pods = self.pods.list();
        let mut best: Option<(usize, Arc<Object>)> = None;
        for node in self.nodes.list() {
            let there: Vec<&Object> = on_node(&pods, node.name()).collect();
            match fit::misfit(pod, &node, &there) {
                Some(misfit) => *misfits.entry(misfit).or_insert(0) += 1,
                None if best.as_ref().is_none_or(|(load, _)| there.len() < *load) => {
                    best = Some((there.len(), node));
                }
                None => {}
            }
        }
        match best {
            Some((_, node)) => self.bind(pod, node.name()).await,
            None => self.report(pod, &misfits).await,
        }
    }

    async fn bind(&self, pod: &Object, node: &str) -> Result<Next, ApiError> {
        let path = format!("{}/binding", resources::PODS.path(pod.namespace(), pod.name()));
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding",
            "metadata": {"name": pod.name(), "namespace": pod.namespace(), "uid": pod.uid()},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node}
        });
        self.cluster.post(&path, &binding).await?;
        let message = format!("Successfully assigned {}/{} to {node}", pod.namespace(), pod.name());
        self.recorder.record(pod, EventType::Normal, "Scheduled", &message);
        Ok(Next::Done)
    }

    /// Shows why no node takes the pod; a change of a node or a minute wakes it again.
    async fn report(&self, pod: &Object, misfits: &BTreeMap<Misfit, usize>) -> Result<Next, ApiError> {
        let message = fit::message(self.nodes.len(), misfits);
        let old = pod.condition("PodScheduled");
        if old.is_some_and(|old| old.status == ConditionStatus::False && old.message == message) {
            return Ok(Next::After(Duration::from_secs(60)));
        }
        self.recorder.record(pod, EventType::Warning, "FailedScheduling", &message);
        let now = self.cluster.clock().now();
        let mut conditions: Vec<Value> = pod
            .items(&["status", "conditions"])
            .iter()
            .filter(|condition| condition["type"] != "PodScheduled")
            .cloned()
            .collect();
        conditions.push(pod::condition(
            "PodScheduled",
            ConditionStatus::False,
            "Unschedulable",
            &message,
            now,
        ));
        let patch = Patch::merge(json!({"status": {"conditions": conditions}})).on(Subresource::Status);
        let stored = self.cluster.patch(&resources::PODS, &pod.key(), &patch).await?;
        self.pods.note(stored);
        Ok(Next::After(Duration::from_secs(60)))
    }
}

fn on_node<'a>(pods: &'a [Arc<Object>], node: &'a str) -> impl Iterator<Item = &'a Object> {
    pods.iter()
        .map(Arc::as_ref)
        .filter(move |pod| pod.str(&["spec", "nodeName"]) == node && !pod::is_finished(pod))
}
