//! A ReplicaSet that could not be created: its name is taken, or the API server refused it.

use api::rollout::Rollout;
use object::{ConditionStatus, Object, Time};

use crate::plan::{new_condition, phase, set_condition};
use crate::{Checked, Event, Plan, Reason, Why, invalid, template};

/// Returns true when `existing`, which has the name of a ReplicaSet to be created, is not that of the current template:
/// another's, or of another template. When it is ours, the plan was made before it was seen: plan again.
pub fn collides(checked: &Checked<Rollout>, existing: &Object) -> bool {
    let ours = existing.controller_uid() == Some(checked.value().object.uid());
    !ours || !template::same(&template::of_set(existing), &checked.settings().template)
}

/// Returns the plan after such a collision: it is counted, which changes the hash.
///
/// Source: `createDesiredReplicaSet`, `status.collisionCount`.
pub fn collided(checked: &Checked<Rollout>) -> Plan {
    let rollout = checked.value();
    let mut status = rollout.status.clone();
    status.collision_count = Some(status.collision_count.unwrap_or(0) + 1);
    invalid::plan_of(rollout, &status, Why::new(Reason::WaitingOnOwnChange { actions: 0 }))
}

/// Returns the plan after the creation of the ReplicaSet `set` was refused for good, e.g. by a quota: it is told, once,
/// and tried again later.
///
/// Source: `createDesiredReplicaSet`, `FailedRSCreateReason`.
pub fn create_refused(checked: &Checked<Rollout>, set: &str, error: &str, now: Time) -> Plan {
    let rollout = checked.value();
    let message = format!("Failed to create new replica set {set:?}: {error}");
    let mut status = rollout.status.clone();
    let condition =
        new_condition("Progressing", ConditionStatus::False, CREATE_ERROR, &message, now.whole_seconds());
    let is_news = set_condition(&mut status, condition);
    status.observed_generation = rollout.object.generation().to_string();
    (status.phase, status.message) = phase(rollout, checked.settings().replicas, &status);
    let why = Why::new(Reason::BlockedByRefusal { message: message.clone() });
    let mut plan = invalid::plan_of(rollout, &status, why);
    if is_news {
        plan.events.push(Event::warning(CREATE_ERROR, message));
    }
    plan
}

const CREATE_ERROR: &str = "ReplicaSetCreateError";
