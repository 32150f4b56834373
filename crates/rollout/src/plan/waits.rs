//! Why the Rollout is where it is.
//!
//! Invariant: a pass that leaves the Rollout unsettled carries at least one reason.

use std::time::Duration;

use api::rollout::{PauseReason, RolloutPhase, RolloutStatus};

use super::pass::{Pass, text};
use super::{blue_green, conditions, routed, scale};
use crate::{Promotion, Reason, Why, maths};

/// Returns the reasons after a pass that leads to `status`, and sets the wake-up of the deadline.
pub(super) fn why(pass: &mut Pass, status: &RolloutStatus, changed: bool) -> Why {
    if pass.rollout().object.is_deleting() {
        return Why::new(Reason::Deleting);
    }
    let mut because = std::mem::take(&mut pass.waits);
    if !pass.actions.is_empty() || changed {
        because.insert(0, Why::new(Reason::WaitingOnOwnChange { actions: pass.actions.len() }));
    }
    let mut add = |reason: Reason| because.push(Why::new(reason));
    blocks(pass, status, &mut add);
    let healthy = status.phase == Some(RolloutPhase::Healthy);
    if !healthy {
        pods(pass, &mut add);
    }
    if healthy && because.is_empty() {
        return Why::new(Reason::Done);
    }
    if because.is_empty() || (!healthy && !degraded(status)) {
        because.extend(deadline(pass, status));
    }
    if because.is_empty() {
        // Sizes are right and the status has not caught up: the ReplicaSets' next status is what is waited for.
        because.push(Why::new(pods_of_new(pass)));
    }
    let (step, steps) = (pass.checked.step_index(), pass.settings().steps.len());
    Why { reason: Reason::Updating { step, steps }, because }
}

fn degraded(status: &RolloutStatus) -> bool {
    status.phase == Some(RolloutPhase::Degraded)
}

fn blocks(pass: &Pass, status: &RolloutStatus, add: &mut impl FnMut(Reason)) {
    for condition in &status.conditions {
        let message = condition.message.clone();
        match condition.reason.as_str() {
            "RolloutAborted" => add(Reason::BlockedByAbort { message }),
            "ProgressDeadlineExceeded" => add(Reason::BlockedByDeadline { message }),
            _ => {}
        }
    }
    if pass.paused_by_user() {
        add(Reason::WaitingOnResume);
    }
    let timed = matches!(pass.step().1, Some(crate::Step::Pause(Some(_))));
    let switch = pass.settings().blue_green.as_ref();
    let switch_timed = switch.is_some_and(|it| matches!(it.promotion, Promotion::After(_)));
    for pause in &status.pause_conditions {
        let is_timed = (timed && pause.reason == PauseReason::CanaryPauseStep)
            || (switch_timed && pause.reason == PauseReason::BlueGreenPause);
        if !is_timed {
            add(Reason::WaitingOnPromotion { reason: pause.reason.to_string() });
        }
    }
}

/// Adds the ReplicaSets that do not have the pods of the current step.
fn pods(pass: &Pass, add: &mut impl FnMut(Reason)) {
    let settings = pass.settings();
    let roles = if let Some(strategy) = &settings.blue_green {
        [(pass.sets.new_set(), blue_green::preview_wanted(pass, strategy)), (None, 0)]
    } else {
        let wanted = match &settings.routed {
            Some(routed) => routed::wanted(pass, routed),
            None => maths::wanted(&scale::scene(pass)),
        };
        [(pass.sets.new_set(), wanted.new), (pass.sets.stable_apart(), wanted.stable)]
    };
    for (set, wanted) in roles {
        let Some(set) = set else { continue };
        if set.size.spec != wanted || set.size.available != wanted {
            let (asked, available) = (set.size.spec, set.size.available);
            add(Reason::WaitingOnPods { set: set.name().to_owned(), wanted, asked, available });
        }
    }
}

fn pods_of_new(pass: &Pass) -> Reason {
    let wanted = pass.settings().replicas;
    let name = format!("{}-{}", pass.rollout().name(), pass.current_hash());
    let size = pass.sets.new_set().map(|set| set.size).unwrap_or_default();
    Reason::WaitingOnPods { set: name, wanted, asked: size.spec, available: size.available }
}

/// Returns the wait for the deadline when it is counted, and wakes at it.
fn deadline(pass: &mut Pass, status: &RolloutStatus) -> Option<Why> {
    let paused = !status.pause_conditions.is_empty() || pass.paused_by_user();
    if paused || status.abort || conditions::indefinite_step(pass) {
        return None;
    }
    let until = conditions::deadline(pass, status)?;
    pass.wake_at(until.max(pass.now.after(Duration::from_secs(1))));
    Some(Why::new(Reason::WaitingOnDeadline { until: text(until) }))
}
