//! Plans of Rollouts that cannot be acted on.

use api::FieldError;
use api::rollout::{Rollout, RolloutSpec, RolloutStatus};
use object::{ConditionStatus, Object, Time, Value, json};

use crate::plan::{merge_patch, new_condition, phase, set_condition};
use crate::{Plan, Problem, Reason, Why};

/// Returns the plan of a Rollout whose spec has problems: the condition and the phase, nothing else.
///
/// Source: `createInvalidRolloutCondition`; the first problem is the one that is shown.
pub fn invalid(rollout: &Rollout, problems: &[Problem], now: Time) -> Plan {
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    let message = format!("The Rollout {:?} is invalid: {first}", rollout.name());
    let now = now.whole_seconds();
    let mut status = rollout.status.clone();
    let said = status.condition("InvalidSpec").is_some_and(|condition| condition.message == message);
    if !said {
        status.conditions.retain(|condition| condition.kind != "InvalidSpec");
        set_condition(
            &mut status,
            new_condition("InvalidSpec", ConditionStatus::True, "InvalidSpec", &message, now),
        );
    }
    status.observed_generation = rollout.object.generation().to_string();
    (status.phase, status.message) = phase(rollout, rollout.spec.replicas.unwrap_or(1), &status);
    plan_of(rollout, &status, Why::new(Reason::BlockedByInvalidSpec { message }))
}

/// Returns the plan of an object that cannot be read as a Rollout: InvalidSpec, naming the field.
pub fn unreadable(object: &Object, error: &FieldError, now: Time) -> Plan {
    let held = object.get(&["status"]).cloned().unwrap_or(Value::Null);
    let status: RolloutStatus = api::read(&held, "status").unwrap_or_default();
    let rollout = Rollout { object: object.clone(), spec: RolloutSpec::default(), status };
    let problem = Problem { path: error.path.clone(), message: error.message.clone() };
    invalid(&rollout, &[problem], now)
}

/// Returns a plan that only writes a status.
pub(crate) fn plan_of(rollout: &Rollout, status: &RolloutStatus, why: Why) -> Plan {
    let new = api::write(status);
    let change = merge_patch(&api::write(&rollout.status), &new);
    let held = rollout.object.get(&["status"]).cloned().unwrap_or_else(|| json!({}));
    let status_patch = change.and_then(|_| merge_patch(&held, &new)).map(|patch| json!({"status": patch}));
    Plan {
        actions: Vec::new(),
        status: status_patch.is_some().then_some(new),
        status_patch,
        events: Vec::new(),
        wake: None,
        why,
    }
}

#[cfg(test)]
mod tests;
