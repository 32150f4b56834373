//! Conditions: those of evaluated kinds are replaced, times are kept while nothing changes.

use api::application::{ApplicationCondition, ConditionKind};
use object::Time;

/// Returns `current` with all conditions of the `evaluated` kinds replaced by `found`, ordered by kind and message.
///
/// Source: Argo CD `ApplicationStatus.SetConditions`.
pub fn replaced(
    current: &[ApplicationCondition],
    found: Vec<ApplicationCondition>,
    evaluated: &[ConditionKind],
    now: Time,
) -> Vec<ApplicationCondition> {
    let mut all: Vec<ApplicationCondition> =
        current.iter().filter(|condition| !evaluated.contains(&condition.kind)).cloned().collect();
    for mut condition in found {
        let before =
            current.iter().find(|old| old.kind == condition.kind && old.message == condition.message);
        condition.last_transition_time = before.and_then(|old| old.last_transition_time).or(Some(now));
        if !all.iter().any(|other| other.kind == condition.kind && other.message == condition.message) {
            all.push(condition);
        }
    }
    all.sort_by(|a, b| (a.kind.as_str(), &a.message).cmp(&(b.kind.as_str(), &b.message)));
    all
}
