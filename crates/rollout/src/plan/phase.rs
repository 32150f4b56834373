//! One word for it all, and why.
//!
//! Source: Argo Rollouts `utils/rollout.CalculateRolloutPhase`; the first that holds.

use api::rollout::{Rollout, RolloutPhase, RolloutStatus};

/// Returns phase and message of a status.
pub(crate) fn phase(
    rollout: &Rollout,
    replicas: i32,
    status: &RolloutStatus,
) -> (Option<RolloutPhase>, String) {
    let (phase, message) = decide(rollout, replicas, status);
    (Some(phase), message)
}

fn decide(rollout: &Rollout, replicas: i32, status: &RolloutStatus) -> (RolloutPhase, String) {
    use RolloutPhase::{Degraded, Healthy, Paused, Progressing};
    let progressing = |message: &str| (Progressing, message.to_owned());
    if let Some(invalid) = status.condition("InvalidSpec") {
        return (Degraded, format!("InvalidSpec: {}", invalid.message));
    }
    let failed = |reason: &str| matches!(reason, "RolloutAborted" | "ProgressDeadlineExceeded");
    if let Some(failure) = status.conditions.iter().find(|condition| failed(&condition.reason)) {
        return (Degraded, format!("{}: {}", failure.reason, failure.message));
    }
    if rollout.spec.paused == Some(true) {
        return (Paused, "manually paused".to_owned());
    }
    if let Some(pause) = status.pause_conditions.first() {
        return (Paused, pause.reason.to_string());
    }
    if rollout.spec.restart_at.is_some() && rollout.spec.restart_at != status.restarted_at {
        return progressing("rollout is restarting");
    }
    if status.updated_replicas < replicas {
        return progressing("more replicas need to be updated");
    }
    if status.available_replicas < status.updated_replicas {
        return progressing("updated replicas are still becoming available");
    }
    if status.replicas > status.updated_replicas {
        return progressing("old replicas are pending termination");
    }
    if status.stable_rs.is_empty() || status.stable_rs != status.current_pod_hash {
        return progressing("waiting for all steps to complete");
    }
    (Healthy, String::new())
}
