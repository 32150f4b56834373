//! Series of Rollouts.

use std::sync::Arc;

use object::{ConditionStatus, Object};

use super::gauge::Gauge;

const NAME: &[&str] = &["namespace", "name"];

/// What `rollout_phase` tells of each Rollout.
const PHASES: [&str; 7] = ["Completed", "Progressing", "Paused", "Timeout", "Error", "Abort", "InvalidSpec"];

/// Routers by field of `trafficRouting`; of several, the last is told.
const ROUTERS: [(&str, &str); 9] = [
    ("alb", "ALB"),
    ("ambassador", "Ambassador"),
    ("istio", "Istio"),
    ("nginx", "Nginx"),
    ("smi", "SMI"),
    ("appMesh", "AppMesh"),
    ("traefik", "Traefik"),
    ("apisix", "Apisix"),
    ("plugins", "Plugins"),
];

/// Returns the series of these Rollouts. **Source:** the collector of Argo Rollouts.
pub(super) fn gauges(rollouts: impl Iterator<Item = Arc<Object>>) -> Vec<Gauge> {
    let labels = &["namespace", "name", "strategy", "traffic_router", "phase"];
    let mut info = Gauge::new("rollout_info", "Information about a Rollout", labels);
    let labels = &["namespace", "name", "strategy", "phase"];
    let mut phases = Gauge::new("rollout_phase", "State of a Rollout (deprecated: use rollout_info)", labels);
    let mut replicas = replicas();
    for rollout in rollouts {
        let rollout = &*rollout;
        let (namespace, name) = (rollout.namespace(), rollout.name());
        let (strategy, router) = strategy(rollout);
        let phase = phase(rollout);
        info.set([namespace, name, strategy, router, phase], 1);
        phases.set_phase(&[namespace, name, strategy], &PHASES, phase);
        count(&mut replicas, rollout);
    }
    let mut gauges = vec![info, phases];
    gauges.extend(replicas);
    gauges
}

fn replicas() -> [Gauge; 4] {
    let desired = Gauge::new("rollout_info_replicas_desired", "Wanted pods", NAME);
    let updated = Gauge::new("rollout_info_replicas_updated", "Pods of the latest template", NAME);
    let available = Gauge::new("rollout_info_replicas_available", "Available pods", NAME);
    let unavailable = Gauge::new("rollout_info_replicas_unavailable", "Pods that are not available", NAME);
    [desired, updated, available, unavailable]
}

fn count([desired, updated, available, unavailable]: &mut [Gauge; 4], rollout: &Object) {
    let name = [rollout.namespace(), rollout.name()];
    let count = |field| rollout.int(&["status", field]).unwrap_or_default();
    desired.set(name, rollout.int(&["spec", "replicas"]).unwrap_or(1));
    updated.set(name, count("updatedReplicas"));
    available.set(name, count("availableReplicas"));
    unavailable.set(name, count("replicas") - count("availableReplicas"));
}

/// Returns the values of the labels `strategy` and `traffic_router`.
fn strategy(rollout: &Object) -> (&'static str, &'static str) {
    let has = |path: &[&str]| rollout.get(path).is_some_and(|value| !value.is_null());
    if has(&["spec", "strategy", "blueGreen"]) {
        return ("blueGreen", "");
    }
    if !has(&["spec", "strategy", "canary"]) {
        return ("none", "");
    }
    let told = |field| has(&["spec", "strategy", "canary", "trafficRouting", field]);
    let router = ROUTERS.iter().rev().find(|(field, _)| told(field));
    ("canary", router.map_or("", |(_, name)| name))
}

/// Returns the phase as the metrics have always told it: of the conditions, not `status.phase`.
///
/// **Source:** `calculatePhase` of Argo Rollouts.
fn phase(rollout: &Object) -> &'static str {
    let invalid = rollout.condition("InvalidSpec");
    if invalid.is_some_and(|condition| condition.status != ConditionStatus::False) {
        return "InvalidSpec";
    }
    let progressing = rollout.condition("Progressing");
    match progressing.as_ref().map(|condition| condition.reason.as_str()) {
        Some("NewReplicaSetAvailable") => "Completed",
        Some("RolloutPaused") => "Paused",
        Some("ReplicaSetCreateError") => "Error",
        Some("ProgressDeadlineExceeded") => "Timeout",
        Some("RolloutAborted") => "Abort",
        _ => "Progressing",
    }
}
