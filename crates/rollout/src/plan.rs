//! The plan of one pass.

use api::rollout::Rollout;
use object::{Time, Value};

use crate::{Action, Checked, Event, Observed, Why};

/// What one pass does. Carry out `actions` in order, then write `status_patch`, then record `events`; when an action
/// fails, write nothing and plan again.
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
}
