//! Pods that are not needed any more and stay for a while: old ones, and new ones after an abort.
//!
//! A ReplicaSet that stays carries the time at which it goes. Source: Argo Rollouts `rollout/replicaset.go`.

use super::pass::Pass;
use super::scale::Deadline;
use crate::sets::Set;
use crate::{AbortDelay, Reason};

/// Returns the size and the deadline of an old ReplicaSet. `counted` is how many before it have a deadline, newest
/// revision first; `keep` is its size until then.
///
/// Source: `scaleDownDelayHelper`. With a delay of 0 it goes at once, as one beyond the limit does.
pub(super) fn old(pass: &mut Pass, set: &Set, counted: &mut usize, keep: i32) -> (i32, Deadline) {
    let delays = pass.settings().delays;
    if !set.has_deadline() {
        if delays.old.is_zero() || *counted >= delays.limit {
            return (0, Deadline::Clear);
        }
        *counted += 1;
        let until = pass.now.after(delays.old);
        pass.wake_at(until);
        return (set.size.spec, Deadline::Set(until));
    }
    *counted += 1;
    match set.deadline.filter(|until| *until > pass.now && *counted <= delays.limit) {
        Some(until) => {
            pass.wake_at(until);
            pass.wait(Reason::WaitingOnScaleDown { set: set.name().to_owned(), until: until.to_string() });
            (keep, Deadline::Keep)
        }
        None => (0, Deadline::Clear),
    }
}

/// Returns size and deadline of the new ReplicaSet while an abort keeps it, `None` when it does not.
///
/// Source: `shouldDelayScaleDownOnAbort`, `reconcileNewReplicaSet`. The time begins when the stable ReplicaSet has all
/// its pods.
pub(super) fn aborted(pass: &mut Pass, new: &Set) -> Option<(i32, Deadline)> {
    let AbortDelay::For(delay) = pass.settings().delays.aborted else { return None };
    let stable = pass.sets.stable()?;
    if !pass.aborted() || stable.name() == new.name() {
        return None;
    }
    let size = new.size.spec;
    match new.deadline {
        Some(until) if until > pass.now => {
            pass.wake_at(until);
            pass.wait(Reason::WaitingOnScaleDown { set: new.name().to_owned(), until: until.to_string() });
            Some((size, Deadline::Keep))
        }
        Some(_) => Some((0, Deadline::Keep)),
        None if size > 0 && stable.size.available >= pass.settings().replicas => {
            let until = pass.now.after(delay);
            pass.wake_at(until);
            Some((size, Deadline::Set(until)))
        }
        None => Some((size, Deadline::Keep)),
    }
}
