//! Kinds of the group `argoproj.io`.

use object::{ConditionStatus, Object};

use crate::{Health, Status};

/// Returns the health of a Rollout: its phase, once the latest generation was observed.
pub fn rollout(object: &Object) -> Health {
    let Some(status) =
        object.get(&["status"]).filter(|status| status.as_object().is_some_and(|map| !map.is_empty()))
    else {
        return Health::new(
            Status::Progressing,
            "Waiting for rollout to finish: status has not been reconciled.",
        );
    };
    if !is_observed(object, &["status", "observedGeneration"], object.generation()) {
        return Health::new(Status::Progressing, "Waiting for rollout spec update to be observed");
    }
    if let Some(generation) = object.annotation("rollout.argoproj.io/workload-generation") {
        let generation = generation.parse().unwrap_or_default();
        if !is_observed(object, &["status", "workloadObservedGeneration"], generation) {
            return Health::new(
                Status::Progressing,
                "Waiting for rollout spec update to be observed for the reference workload",
            );
        }
    }
    let message = status["message"].as_str().unwrap_or_default();
    let code = match status["phase"].as_str().unwrap_or_default() {
        "Healthy" => Status::Healthy,
        "Degraded" => Status::Degraded,
        "Paused" => Status::Suspended,
        "Progressing" => Status::Progressing,
        _ => return without_phase(object),
    };
    Health::new(code, message)
}

/// A generation that is not a number, or is ahead, was written by versions that hashed the spec: it counts as observed.
fn is_observed(object: &Object, path: &[&str], generation: i64) -> bool {
    let observed = match object.get(path) {
        Some(object::Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_i64(),
        None => None,
    };
    observed.is_none_or(|observed: i64| observed >= generation)
}

/// Versions before 1.0 wrote no phase: the conditions must do.
fn without_phase(object: &Object) -> Health {
    for condition in object.conditions() {
        let degraded = match condition.kind.as_str() {
            "InvalidSpec" => true,
            "Progressing" => {
                matches!(condition.reason.as_str(), "RolloutAborted" | "ProgressDeadlineExceeded")
            }
            _ => false,
        };
        if degraded && condition.status != ConditionStatus::Unknown {
            return Health::new(Status::Degraded, condition.message);
        }
    }
    Health::new(Status::Progressing, "Waiting for rollout to finish: status has not been reconciled.")
}

/// Texts for a kind that runs to an end.
pub struct Texts {
    unseen: &'static str,
    /// Phase, verdict, and the message when the status has none.
    phases: &'static [(&'static str, Status, &'static str)],
    /// Whether `status.message` is shown.
    shows_message: bool,
}

/// AnalysisRun.
pub const ANALYSIS: Texts = Texts {
    unseen: "Waiting for analysis run to finish: status has not been reconciled.",
    phases: &[
        ("Pending", Status::Progressing, "Analysis run is running"),
        ("Running", Status::Progressing, "Analysis run is running"),
        ("Successful", Status::Healthy, "Analysis run completed successfully"),
        ("Failed", Status::Degraded, "Analysis run failed"),
        ("Error", Status::Degraded, "Analysis run had an error"),
        ("Inconclusive", Status::Unknown, "Analysis run was inconclusive"),
    ],
    shows_message: true,
};

/// Experiment.
pub const EXPERIMENT: Texts = Texts {
    unseen: "Waiting for experiment to finish: status has not been reconciled.",
    phases: &[
        ("Pending", Status::Progressing, "Experiment is pending"),
        ("Running", Status::Progressing, "Experiment is running"),
        ("Successful", Status::Healthy, "Experiment is successful"),
        ("Failed", Status::Degraded, "Experiment has failed"),
        ("Error", Status::Degraded, "Experiment had an error"),
    ],
    shows_message: false,
};

/// Returns the health of a kind that runs to an end.
pub fn run(object: &Object, texts: &Texts) -> Health {
    let phase = object.str(&["status", "phase"]);
    let Some((_, status, message)) = texts.phases.iter().find(|(name, _, _)| *name == phase) else {
        return Health::new(Status::Progressing, texts.unseen);
    };
    let own = object.str(&["status", "message"]);
    if texts.shows_message && !own.is_empty() && *status != Status::Progressing {
        return Health::new(*status, own);
    }
    Health::new(*status, *message)
}

/// Returns the health of a Workflow.
pub fn workflow(object: &Object) -> Health {
    let status = match object.str(&["status", "phase"]) {
        "" | "Pending" | "Running" => Status::Progressing,
        "Succeeded" => Status::Healthy,
        "Failed" | "Error" => Status::Degraded,
        _ => Status::Unknown,
    };
    Health::new(status, object.str(&["status", "message"]))
}
