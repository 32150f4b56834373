//! How many pods to make, which to delete, and the status to show.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use object::{ConditionStatus, LabelSelector, Object, Time, Value, json};
use runtime::ApiError;

use crate::pod;

/// What a pass does to a ReplicaSet.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Number of pods to create.
    pub create: usize,
    /// Pods to delete, in this order.
    pub delete: Vec<Arc<Object>>,
    /// Status to show.
    pub status: Value,
    /// When a ready pod becomes available.
    pub wake: Option<Time>,
}

/// A create or delete that the API refused.
#[derive(Debug)]
pub(crate) struct Failed {
    /// `FailedCreate` or `FailedDelete`.
    pub reason: &'static str,
    /// The refusal.
    pub error: ApiError,
}

/// Returns the plan for `set` whose active pods are `pods`.
///
/// Source: `pkg/controller/replicaset`: `manageReplicas`, `calculateStatus`.
pub(crate) fn plan(set: &Object, pods: &[Arc<Object>], failed: Option<&Failed>, now: Time) -> Plan {
    let wanted = usize::try_from(set.int(&["spec", "replicas"]).unwrap_or(1)).unwrap_or_default();
    let min_ready = set.int(&["spec", "minReadySeconds"]).and_then(|seconds| u64::try_from(seconds).ok());
    let available: Vec<Time> = pods
        .iter()
        .filter_map(|pod| pod::available_at(pod, Duration::from_secs(min_ready.unwrap_or_default())))
        .collect();
    let mut ranked = pods.to_vec();
    ranked.sort_by_cached_key(|pod| rank(pod));
    ranked.truncate(pods.len().saturating_sub(wanted));
    Plan {
        create: if set.is_deleting() { 0 } else { wanted.saturating_sub(pods.len()) },
        delete: ranked,
        status: status(set, pods, available.iter().filter(|at| **at <= now).count(), (failed, now)),
        wake: available.into_iter().filter(|at| *at > now).min(),
    }
}

type Rank = (bool, u8, bool, i64, Reverse<Option<Time>>, Reverse<i64>, Reverse<Option<Time>>);

/// Order of deletion, first to go first. Source: `controller.ActivePodsWithRanks`, without the rank by node.
fn rank(pod: &Object) -> Rank {
    let phase = match pod::phase(pod) {
        "Pending" => 0,
        "Running" => 2,
        _ => 1,
    };
    let cost = pod.annotation("controller.kubernetes.io/pod-deletion-cost");
    (
        !pod.str(&["spec", "nodeName"]).is_empty(),
        phase,
        pod::is_ready(pod),
        cost.and_then(|cost| cost.parse().ok()).unwrap_or_default(),
        Reverse(pod::ready_since(pod)),
        Reverse(pod::restarts(pod)),
        Reverse(pod.creation_time()),
    )
}

fn status(set: &Object, pods: &[Arc<Object>], available: usize, failed: (Option<&Failed>, Time)) -> Value {
    let selector = set.get(&["spec", "template", "metadata", "labels"]);
    let labels = LabelSelector::from_json(&json!({"matchLabels": selector.cloned().unwrap_or_default()}));
    let labeled = labels.map_or(0, |labels| pods.iter().filter(|pod| labels.matches(&pod.labels())).count());
    let ready = pods.iter().filter(|pod| pod::is_ready(pod)).count();
    let mut status = json!({"replicas": pods.len(), "observedGeneration": set.generation()});
    for (field, count) in
        [("fullyLabeledReplicas", labeled), ("readyReplicas", ready), ("availableReplicas", available)]
    {
        if count > 0 {
            status[field] = count.into();
        }
    }
    let conditions = conditions(set, failed);
    if !conditions.is_empty() {
        status["conditions"] = conditions.into();
    }
    status
}

/// Returns the conditions with `ReplicaFailure` set, kept or removed.
fn conditions(set: &Object, (failed, now): (Option<&Failed>, Time)) -> Vec<Value> {
    let old = set.items(&["status", "conditions"]);
    let mut conditions: Vec<Value> =
        old.iter().filter(|condition| condition["type"] != "ReplicaFailure").cloned().collect();
    if let Some(failed) = failed {
        let kept = old.iter().find(|old| old["type"] == "ReplicaFailure" && old["reason"] == failed.reason);
        conditions.push(kept.cloned().unwrap_or_else(|| {
            let message = failed.error.to_string();
            pod::condition("ReplicaFailure", ConditionStatus::True, failed.reason, &message, now)
        }));
    }
    conditions
}

#[cfg(test)]
mod tests;
