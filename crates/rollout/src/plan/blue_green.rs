//! A pass of the blue-green strategy.
//!
//! Source: Argo Rollouts `rollout/bluegreen.go`.

mod pause;
mod services;
mod sets;

use api::rollout::{BlueGreenStatus, RolloutStatus};

use super::pass::Pass;
use super::promoted::Because;
use super::status::{base, conclude, in_rollback_window, promote, reset};
use super::{conditions, history, metadata, restart, runs, scale};
use crate::BlueGreen;

pub(super) use services::reconcile_preview as preview;
pub(super) use sets::preview_wanted;

/// Returns the status after one pass, in upstream's order: preview service, restart, sizes, history, pause, active
/// service, analysis.
pub(super) fn pass(pass: &mut Pass, strategy: &BlueGreen) -> RolloutStatus {
    if scale::replicas_changed(pass) {
        sets::reconcile(pass, strategy);
        runs::keep(pass);
        return advance(pass, strategy);
    }
    services::reconcile_preview(pass, strategy);
    if pass.template_or_steps_changed() {
        return reset(pass);
    }
    if restart::reconcile(pass) {
        runs::keep(pass);
        return advance(pass, strategy);
    }
    sets::reconcile(pass, strategy);
    history::reconcile(pass);
    pause::reconcile(pass, strategy);
    services::reconcile_active(pass, strategy);
    runs::reconcile(pass);
    metadata::reconcile(pass);
    advance(pass, strategy)
}

/// Returns the status at the end of a usual pass.
fn advance(pass: &mut Pass, strategy: &BlueGreen) -> RolloutStatus {
    let mut status = base(pass);
    if pass.status().promote_full || in_rollback_window(pass) {
        pass.pause.clear = true;
        pass.pause.remove_abort = true;
    }
    conditions::abort_at_deadline(pass, &status);
    match promotion(pass, strategy, &status) {
        Some(reason) => promote(pass, &mut status, reason),
        None => status.blue_green.scale_up_preview_check_point = sets::check_point(pass, strategy, &status),
    }
    conclude(pass, status)
}

/// Returns why the current template becomes the stable one now; `None` when it does not.
///
/// Source: `shouldFullPromote`; the order of the checks matters.
fn promotion(pass: &Pass, strategy: &BlueGreen, status: &RolloutStatus) -> Option<Because> {
    let active = &status.blue_green.active_selector;
    if pass.sets.stable().is_none() || active.is_empty() {
        return Some(Because::Initial);
    }
    if *active != status.current_pod_hash {
        return None;
    }
    if pass.status().promote_full {
        return Some(Because::Full);
    }
    if in_rollback_window(pass) {
        return Some(Because::Window);
    }
    if fast_rollback(pass) {
        return Some(Because::Back);
    }
    if pass.aborted() || (strategy.post.is_some() && !runs::post_successful(pass)) {
        return None;
    }
    Some(Because::Switched)
}

/// Returns true when the current template goes back to one whose pods still wait to be scaled down, or to the stable
/// one: it needs neither pause nor analysis.
///
/// Source: `isFastRollback`.
pub(super) fn fast_rollback(pass: &Pass) -> bool {
    let (Some(new), Some(stable)) = (pass.sets.new_set(), pass.sets.stable()) else { return false };
    if new.name() == stable.name() {
        return true;
    }
    let waits = new.deadline.is_some_and(|until| until > pass.now);
    new.created < stable.created && waits && new.size.spec > 0
}

/// Writes what only blue-green has: the selectors, and the counts of the active ReplicaSet, which is all that an
/// autoscaler is to see.
pub(super) fn write(pass: &Pass, strategy: &BlueGreen, status: &mut RolloutStatus) {
    let old = pass.status();
    status.blue_green = BlueGreenStatus {
        preview_selector: pass.selected(&strategy.preview_service),
        active_selector: pass.selected(&strategy.active_service),
        scale_up_preview_check_point: old.blue_green.scale_up_preview_check_point,
        extra: old.blue_green.extra.clone(),
        ..BlueGreenStatus::default()
    };
    let Some(active) = pass.sets.of_hash(&status.blue_green.active_selector) else { return };
    status.hpa_replicas = active.replicas;
    status.available_replicas = active.size.available;
    status.ready_replicas = active.ready;
    let selector = active.object.get(&["spec", "selector"]).map(object::LabelSelector::from_json);
    if let Some(Ok(selector)) = selector {
        status.selector = selector.to_string();
    }
}
