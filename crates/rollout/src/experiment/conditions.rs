//! Conditions of an Experiment.
//!
//! Source: Argo Rollouts `calculateExperimentConditions`, `utils/conditions/experiments.go`. The words "has successfully
//! ran" are upstream's.

use api::analysis::AnalysisPhase as Phase;
use object::{Condition, ConditionStatus};

use super::{Invalid, Pass};
use crate::plan::new_condition;

const PROGRESSING: &str = "Progressing";
const INVALID: &str = "InvalidSpec";

/// Says that the spec is invalid, and nothing else.
pub(super) fn invalid(pass: &mut Pass, invalid: &Invalid) {
    let message = invalid.to_string();
    let conditions = &mut pass.status.conditions;
    if conditions.iter().any(|condition| condition.kind == INVALID && condition.message == message) {
        return;
    }
    conditions.retain(|condition| condition.kind != INVALID);
    conditions.push(new_condition(INVALID, ConditionStatus::True, INVALID, &message, pass.now));
}

/// Says how the Experiment is going.
pub(super) fn settle(pass: &mut Pass) {
    pass.status.conditions.retain(|condition| condition.kind != INVALID);
    let name = pass.experiment.object.name();
    let progressing =
        |status, reason: &str, message: &str| new_condition(PROGRESSING, status, reason, message, pass.now);
    if pass.status.phase == Some(Phase::Successful) {
        let message = format!("Experiment {name:?} has successfully ran and completed.");
        let condition = progressing(ConditionStatus::False, "ExperimentCompleted", &message);
        set(pass, condition);
    } else if moved(pass) {
        let message = format!("Experiment {name:?} is progressing.");
        let mut condition = progressing(ConditionStatus::True, "ReplicaSetUpdated", &message);
        let current = current(pass).filter(|current| current.status == ConditionStatus::True);
        if let Some(current) = current {
            condition.last_transition_time = current.last_transition_time.clone();
        }
        pass.status.conditions.retain(|other| other.kind != PROGRESSING);
        pass.status.conditions.push(condition);
    } else if pass.experiment.status.available_at.is_some() && pass.end().is_none_or(|end| end > pass.now) {
        let message = format!("Experiment {name:?} is running.");
        let condition = progressing(ConditionStatus::True, "NewReplicaSetAvailable", &message);
        set(pass, condition);
    }
}

fn current<'a>(pass: &'a Pass) -> Option<&'a Condition> {
    pass.status.conditions.iter().find(|condition| condition.kind == PROGRESSING)
}

/// Puts the condition last, unless one of the same status and reason is there.
fn set(pass: &mut Pass, mut condition: Condition) {
    if let Some(current) = current(pass) {
        if current.status == condition.status && current.reason == condition.reason {
            return;
        }
        if current.status == condition.status {
            condition.last_transition_time = current.last_transition_time.clone();
        }
    }
    pass.status.conditions.retain(|other| other.kind != condition.kind);
    pass.status.conditions.push(condition);
}

/// Returns true when sets came, or the number of pods of one changed.
fn moved(pass: &Pass) -> bool {
    let (old, new) = (&pass.experiment.status.template_statuses, &pass.status.template_statuses);
    let counts = |status: &api::experiment::TemplateStatus| {
        [status.replicas, status.updated_replicas, status.ready_replicas, status.available_replicas]
    };
    old.len() < new.len()
        || old.iter().any(|old| new.iter().any(|new| new.name == old.name && counts(new) != counts(old)))
}
