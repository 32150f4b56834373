//! The conditions of a pod.

use object::{ConditionStatus, Object, Time, Value};

use super::phase::{Phase, is_done};
use super::{Container, View, transition};

/// Conditions that this node keeps; others in the status are left as they are.
const OURS: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

/// Returns the conditions, ours first, those of others after. Source: kubelet `status/generate.go`.
pub(super) fn conditions(pod: &Object, view: &View, (phase, now): (Phase, Time)) -> Vec<Value> {
    let status = |holds: bool| if holds { ConditionStatus::True } else { ConditionStatus::False };
    let entry = |kind: &str, holds: bool, reason: &str, message: &str| {
        transition(pod, kind, status(holds), (reason, message), now)
    };
    let sandbox = view.ip.is_some() && !phase.is_final();
    let (ready, reason, message) = readiness(pod, view, phase);
    let (initialized, init_reason, init_message) = initialized(view, phase);
    let (all, all_reason, all_message) = gates(pod, (ready, reason, message.clone()));
    let mut conditions = vec![
        entry(OURS[0], sandbox, "", ""),
        entry(OURS[1], initialized, init_reason, &init_message),
        entry(OURS[2], all, all_reason, &all_message),
        entry(OURS[3], ready, reason, &message),
        entry(OURS[4], true, "", ""),
    ];
    let foreign = pod.items(&["status", "conditions"]).iter();
    conditions.extend(foreign.filter(|other| !OURS.iter().any(|ours| other["type"] == *ours)).cloned());
    conditions
}

fn initialized(view: &View, phase: Phase) -> (bool, &'static str, String) {
    let open = |container: &&Container| !is_done(container);
    let names: Vec<&str> = view.init.iter().filter(open).map(|init| init.name.as_str()).collect();
    match (names.is_empty(), phase) {
        (true, Phase::Succeeded) => (true, "PodCompleted", String::new()),
        (true, _) => (true, "", String::new()),
        (false, _) => (
            false,
            "ContainersNotInitialized",
            format!("containers with incomplete status: [{}]", names.join(" ")),
        ),
    }
}

fn readiness(pod: &Object, view: &View, phase: Phase) -> (bool, &'static str, String) {
    match phase {
        Phase::Succeeded => return (false, "PodCompleted", String::new()),
        Phase::Failed => return (false, "PodFailed", String::new()),
        Phase::Pending | Phase::Running => {}
    }
    let names: Vec<&str> =
        view.containers.iter().filter(|one| !one.ready).map(|one| one.name.as_str()).collect();
    if names.is_empty() && !pod.items(&["spec", "containers"]).is_empty() {
        (true, "", String::new())
    } else {
        (false, "ContainersNotReady", format!("containers with unready status: [{}]", names.join(" ")))
    }
}

/// Readiness gates: conditions that others must set before the pod is ready.
fn gates(pod: &Object, ready: (bool, &'static str, String)) -> (bool, &'static str, String) {
    if !ready.0 {
        return ready;
    }
    let missing: Vec<String> = pod
        .items(&["spec", "readinessGates"])
        .iter()
        .filter_map(|gate| gate["conditionType"].as_str())
        .filter_map(|kind| match pod.condition(kind) {
            Some(condition) if condition.status == ConditionStatus::True => None,
            Some(_) => Some(format!("the status of pod readiness gate {kind:?} is not \"True\", but False")),
            None => Some(format!("corresponding condition of pod readiness gate {kind:?} does not exist.")),
        })
        .collect();
    if missing.is_empty() { ready } else { (false, "ReadinessGatesNotReady", missing.join(", ")) }
}
