//! The plan of one pass.
//!
//! One pass makes at most one kind of scaling and one step. What it writes wakes the next. The order of a pass is
//! upstream's (`rollout/canary.go`), because users see it in Events and statuses.

mod blue_green;
mod born;
mod canary;
mod conditions;
mod config;
mod delay;
mod duration;
mod experiments;
mod finished;
mod history;
mod merge;
mod metadata;
mod pass;
mod pause;
mod phase;
mod promoted;
mod restart;
mod revision;
mod routed;
mod runs;
mod scale;
mod services;
mod status;
mod waits;
mod workload;

use api::rollout::Rollout;
use object::{Time, Value, json};

use crate::{Action, Checked, Event, Observed, Why};

pub(crate) use conditions::new as new_condition;
pub(crate) use conditions::set as set_condition;
pub(crate) use merge::merge_patch;
pub(crate) use metadata::{has as has_metadata, pending as metadata_pending};
pub(crate) use phase::phase;
pub(crate) use routed::references as router_references_of;

/// What one pass does. Carry out `actions` in order, then write `status_patch`, then record `events`; when an action
/// fails, record what [`Plan::told`] says, write nothing more and plan again.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Changes, in order.
    pub actions: Vec<Action>,
    /// The whole new status; `None` when it is as it was.
    pub status: Option<Value>,
    /// Merge patch (`{"status": …}`, explicit nulls) from the status as observed to `status`; `None` when it is as it was.
    pub status_patch: Option<Value>,
    /// Events on the Rollout.
    pub events: Vec<Event>,
    /// When to look again if nothing changes before.
    pub wake: Option<Time>,
    /// Why the Rollout is where it is; settled only when nothing is to be done or waited for.
    pub why: Why,
}

impl Plan {
    /// Returns true when the pass changes nothing.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.status.is_none()
    }

    /// Returns the events that tell what the first `done` actions did. They hold whatever becomes of the other actions
    /// and of the status, and no later plan has them.
    pub fn told(&self, done: usize) -> Vec<&Event> {
        let actions = self.actions.get(..done).unwrap_or(&self.actions);
        crate::event::told(&self.events, actions, done >= self.actions.len())
    }
}

/// Returns what to do now.
pub fn plan(checked: &Checked<Rollout>, observed: &Observed, now: Time) -> Plan {
    let mut pass = pass::Pass::new(checked, observed, now);
    let status = pass.next_status();
    pass.finish(&status)
}

/// Most decisions that one write holds.
const DECISIONS: usize = 16;

/// Returns what to do now and everything that is decided by it: as long as a pass changes nothing but the status, the
/// next one is planned on that status, and one patch leads to the last. So steps that need nothing cost one write, not
/// one each; a step that moves pods or traffic still waits until the status that asks for it is written. A new ReplicaSet
/// is made at its size.
pub fn plan_through(checked: &Checked<Rollout>, observed: &Observed, now: Time) -> Plan {
    let first = plan(checked, observed, now);
    let mut all = born::at_its_size(checked, observed, first, now);
    for _ in 1..DECISIONS {
        if !all.actions.is_empty() {
            break;
        }
        let Some(at) = all.status.as_ref().and_then(|status| checked.with_status(status)) else { break };
        let next = plan(&at, observed, now);
        if !next.actions.is_empty() {
            break;
        }
        all.wake = next.wake;
        if next.status.is_none() {
            break;
        }
        all.events.extend(next.events);
        all.status = next.status;
    }
    let held = checked.value().object.get(&["status"]).cloned().unwrap_or_else(|| json!({}));
    let patch = all.status.as_ref().and_then(|status| merge_patch(&held, status));
    all.status_patch = patch.map(|patch| json!({"status": patch}));
    all
}
