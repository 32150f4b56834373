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
    match unfinished(rollout, status) {
        Some(message) => progressing(message),
        None => (Healthy, String::new()),
    }
}

/// Returns what the strategy still waits for.
fn unfinished(rollout: &Rollout, status: &RolloutStatus) -> Option<&'static str> {
    let promoted = !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash;
    if let Some(strategy) = &rollout.spec.strategy.blue_green {
        let active = &status.blue_green.active_selector;
        let cut_over = !active.is_empty() && *active == status.current_pod_hash;
        return match (cut_over, promoted, &strategy.post_promotion_analysis) {
            (false, ..) => Some("active service cutover pending"),
            (true, false, Some(_)) => Some("waiting for analysis to complete"),
            (true, false, None) => Some("waiting for post-promotion verification to complete"),
            (true, true, _) => None,
        };
    }
    let routed = rollout.canary().is_some_and(|canary| canary.traffic_routing.is_some());
    if !routed && status.replicas > status.updated_replicas {
        return Some("old replicas are pending termination");
    }
    (!promoted).then_some("waiting for all steps to complete")
}

#[cfg(test)]
mod tests {
    use object::{Object, Value, json};

    use super::*;

    #[track_caller]
    fn check(spec: &Value, status: &Value, phase: RolloutPhase, message: &str) {
        let object = Object::from_value(json!({"spec": spec, "status": status}));
        let rollout = Rollout::from_object(&object).unwrap();
        assert_eq!(decide(&rollout, 5, &rollout.status), (phase, message.to_owned()), "{status}");
    }

    fn condition(kind: &str, reason: &str) -> Value {
        json!([{"type": kind, "status": "False", "reason": reason, "message": "m"}])
    }

    #[test]
    fn the_first_that_holds() {
        use RolloutPhase::{Degraded, Healthy, Paused, Progressing};
        let counts = |updated: i32, available: i32, all: i32, stable: &str| {
            json!({"updatedReplicas": updated, "availableReplicas": available, "replicas": all,
                "currentPodHash": "new", "stableRS": stable})
        };
        let none = json!({});
        let paused = json!({"paused": true});
        check(
            &paused,
            &json!({"conditions": condition("InvalidSpec", "InvalidSpec")}),
            Degraded,
            "InvalidSpec: m",
        );
        check(
            &paused,
            &json!({"conditions": condition("Progressing", "RolloutAborted")}),
            Degraded,
            "RolloutAborted: m",
        );
        let late = json!({"conditions": condition("Progressing", "ProgressDeadlineExceeded")});
        check(&paused, &late, Degraded, "ProgressDeadlineExceeded: m");
        let step =
            json!({"pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-21T12:00:00Z"}]});
        check(&paused, &step, Paused, "manually paused");
        check(&none, &step, Paused, "CanaryPauseStep");
        let restart = json!({"restartAt": "2026-11-21T12:00:00Z"});
        check(&restart, &counts(5, 5, 5, "new"), Progressing, "rollout is restarting");
        check(&none, &counts(4, 5, 5, "new"), Progressing, "more replicas need to be updated");
        check(&none, &counts(5, 4, 5, "new"), Progressing, "updated replicas are still becoming available");
        check(&none, &counts(5, 5, 6, "new"), Progressing, "old replicas are pending termination");
        check(&none, &counts(5, 5, 5, "old"), Progressing, "waiting for all steps to complete");
        check(&none, &counts(5, 5, 5, "new"), Healthy, "");
    }
}
