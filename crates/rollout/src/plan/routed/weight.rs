//! How much the new version is to carry.

use std::cmp::min;

use traffic::Managed;

use super::{Carry, Weights, at_wanted, dynamic};
use crate::plan::pass::Pass;
use crate::plan::{experiments, scale};
use crate::{Reason, Routed, Step};

/// Returns what the routers are to carry now.
///
/// Source: `reconcileTrafficRouting`; the order of the cases matters.
pub(super) fn carry(pass: &Pass, routed: &Routed) -> Carry {
    let hash = pass.current_hash();
    let nothing = Carry { canary: hash.clone(), managed: Managed::Remove, ..Carry::default() };
    if let Some(left) = dynamic::rolling_back(pass) {
        let weight = dynamic::stepped(pass, routed, pass.sets.of_hash(&left));
        return Carry { weight, canary: left, managed: Managed::Keep, ..Carry::default() };
    }
    if pass.fully_promoted() {
        return nothing;
    }
    let new = pass.sets.new_set();
    if pass.aborted() {
        let weight = if routed.dynamic { dynamic::stepped(pass, routed, new) } else { 0 };
        return Carry { weight, ..nothing };
    }
    let available = new.map_or(0, |new| new.size.available);
    let additional = experiments::weights(pass);
    if available == 0 {
        return Carry { additional, ..nothing };
    }
    if pass.status().promote_full {
        return Carry { weight: fully(pass, routed, available), ..nothing };
    }
    Carry { weight: by_step(pass, routed), additional, canary: hash, ..Carry::default() }
}

/// Returns the weight of a full promotion: what the new pods can carry, or what they carry already.
fn fully(pass: &Pass, routed: &Routed, available: i32) -> i32 {
    if routed.dynamic {
        return ratio(routed.max, available, pass.settings().replicas);
    }
    Weights::held(pass).map_or(0, |held| held.canary)
}

/// Returns the weight of the current step once its pods are there, until then that of the step before, never more than
/// is carried already nor than the current step asks for: upstream gives steps that the user skips their weight, with the
/// pods of an earlier one, and takes pods away before their traffic where weights go down.
fn by_step(pass: &Pass, routed: &Routed) -> i32 {
    let steps = &pass.settings().steps;
    if steps.is_empty() {
        return 0;
    }
    let index = pass.step().0;
    if at_wanted(pass, routed) {
        return if index >= steps.len() { routed.max } else { scale::weight(pass) };
    }
    let mut before = steps.iter().take(index).rev();
    let before =
        before.find_map(|step| if let Step::SetWeight(weight) = step { Some(*weight) } else { None });
    let carried = Weights::held(pass).map_or(routed.max, |held| held.canary);
    min(before.unwrap_or(0), min(carried, scale::weight(pass)))
}

/// Returns `max` times `part` of `whole`, rounded down; at most `max`.
pub(super) fn ratio(max: i32, part: i32, whole: i32) -> i32 {
    if whole <= 0 {
        return max;
    }
    let value = i64::from(max) * i64::from(part.max(0)) / i64::from(whole);
    min(max, i32::try_from(value).unwrap_or(max))
}

/// Returns true when the stable version has the pods for its share. An abort without `dynamicStableScale` does not wait
/// for that: the users are taken off a broken version even while a stable pod is missing.
pub(super) fn stable_can_take(pass: &mut Pass, routed: &Routed, weight: i32) -> bool {
    if pass.aborted() && !routed.dynamic {
        return true;
    }
    let wanted = ratio(pass.settings().replicas, routed.max - weight, routed.max);
    let available = pass.sets.stable().map_or(0, |stable| stable.size.available);
    let met = available >= wanted
        || pass.settings().threshold.is_some_and(|threshold| threshold.met(wanted, available));
    if !met {
        pass.wait(Reason::WaitingOnStable { wanted, available });
    }
    met
}
