//! Steps and weights of a canary.

use object::{Object, Value};

use super::ReplicaSetInfo;

/// How far a canary is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryProgress {
    /// `index/count`, empty without steps.
    pub step: String,
    /// Weight that the steps ask for, in parts of the maximum (100 unless the router has another).
    pub set_weight: i64,
    /// Weight that the new version has.
    pub actual_weight: i64,
}

/// Returns the steps of the canary, empty for other strategies.
pub fn steps(rollout: &Object) -> &[Value] {
    rollout.items(&["spec", "strategy", "canary", "steps"])
}

/// Returns the step that runs and its index; the step is absent past the last one, both are without steps.
///
/// Source: `replicasetutil.GetCurrentCanaryStep`.
pub fn current_step(rollout: &Object) -> (Option<&Value>, Option<usize>) {
    let steps = steps(rollout);
    if steps.is_empty() {
        return (None, None);
    }
    let index = rollout.int(&["status", "currentStepIndex"]).unwrap_or_default();
    let index = usize::try_from(index).unwrap_or_default();
    (steps.get(index), Some(index))
}

/// Returns the weight of the last `setWeight` up to the current step; the maximum past the last step, 0 when aborted.
///
/// Source: `replicasetutil.GetCurrentSetWeight`. Example: steps 20, pause, 60 at index 1 give 20.
pub fn set_weight(rollout: &Object) -> i64 {
    if rollout.flag(&["status", "abort"]) {
        return 0;
    }
    let (Some(_), Some(index)) = current_step(rollout) else { return max_weight(rollout) };
    steps(rollout)[..=index].iter().rev().find_map(|step| step["setWeight"].as_i64()).unwrap_or_default()
}

fn max_weight(rollout: &Object) -> i64 {
    rollout.int(&["spec", "strategy", "canary", "trafficRouting", "maxTrafficWeight"]).unwrap_or(100)
}

/// Returns how far the canary is.
pub(super) fn progress(rollout: &Object, replica_sets: &[ReplicaSetInfo]) -> CanaryProgress {
    let count = steps(rollout).len();
    let step = match rollout.int(&["status", "currentStepIndex"]) {
        Some(index) if count > 0 => format!("{index}/{count}"),
        _ => String::new(),
    };
    CanaryProgress {
        step,
        set_weight: set_weight(rollout),
        actual_weight: actual_weight(rollout, replica_sets),
    }
}

/// Returns the weight of the new version: what the router says it carries, or its share of the available pods.
fn actual_weight(rollout: &Object, replica_sets: &[ReplicaSetInfo]) -> i64 {
    let (step, _) = current_step(rollout);
    let available = rollout.int(&["status", "availableReplicas"]).unwrap_or_default();
    if step.is_none() {
        return max_weight(rollout);
    }
    if available == 0 {
        return 0;
    }
    if rollout.get(&["spec", "strategy", "canary", "trafficRouting"]).is_some() {
        return rollout
            .int(&["status", "canary", "weights", "canary", "weight"])
            .unwrap_or_else(|| set_weight(rollout));
    }
    let canary = replica_sets.iter().filter(|set| set.is_canary()).map(|set| set.available).next_back();
    canary.unwrap_or_default() * max_weight(rollout) / available
}
