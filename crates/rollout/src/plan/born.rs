//! A new ReplicaSet comes at the size that the next pass would give it.

use std::sync::Arc;

use api::rollout::Rollout;
use object::{Object, Time};

use super::{Plan, plan};
use crate::{Action, Checked, Observed};

/// Returns `first` with its new ReplicaSet made at once at the size that the pass after would scale it to, and with that
/// pass's status and events; as it is when the pass after would do anything else.
///
/// Upstream makes it without pods and scales it in the next pass. Events and the last status are the same.
pub(super) fn at_its_size(checked: &Checked<Rollout>, observed: &Observed, first: Plan, now: Time) -> Plan {
    let Some(set) = only_made(&first) else { return first };
    let Some(after) = after(checked, &first) else { return first };
    let mut observed = observed.clone();
    observed.replica_sets.push(Arc::new(stored(set, now)));
    let next = plan(&after, &observed, now);
    let [Action::ScaleReplicaSet { key, from: 0, patch, .. }] = next.actions.as_slice() else { return first };
    if *key != set.key() {
        return first;
    }
    let mut sized = set.to_value();
    patch::merge::apply(&mut sized, patch);
    let actions = first.actions.into_iter().map(|action| match action {
        Action::CreateReplicaSet(_) => Action::CreateReplicaSet(Object::from_value(sized.clone())),
        other => other,
    });
    Plan {
        actions: actions.collect(),
        status: next.status.or(first.status),
        events: first.events.into_iter().chain(next.events).collect(),
        status_patch: None,
        wake: next.wake,
        why: next.why,
    }
}

/// Returns the ReplicaSet that the plan makes, when that and its number are all it does.
fn only_made(plan: &Plan) -> Option<&Object> {
    let mut made = None;
    for action in &plan.actions {
        match action {
            Action::CreateReplicaSet(set) => made = Some(set),
            Action::PatchRollout { .. } | Action::CreateConfig(_) => {}
            _ => return None,
        }
    }
    made
}

/// Returns the Rollout after the plan.
fn after(checked: &Checked<Rollout>, plan: &Plan) -> Option<Checked<Rollout>> {
    let mut rollout = checked.value().object.to_value();
    for action in &plan.actions {
        if let Action::PatchRollout { patch } = action {
            patch::merge::apply(&mut rollout, patch);
        }
    }
    if let Some(status) = &plan.status {
        rollout["status"] = status.clone();
    }
    checked.with_object(&Object::from_value(rollout))
}

/// Returns the ReplicaSet as the API server gives it back.
fn stored(set: &Object, now: Time) -> Object {
    let mut set = set.clone();
    set.set(&["metadata", "uid"], "to be made");
    set.set(&["metadata", "creationTimestamp"], now.whole_seconds().to_string());
    set
}
