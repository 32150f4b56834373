//! The runs before and after a blue-green switch.
//!
//! Source: `reconcilePrePromotionAnalysisRun`, `reconcilePostPromotionAnalysisRun`.

use api::rollout::PauseReason;

use super::create::{Role, create};
use super::{Run, needs_new};
use crate::BlueGreen;
use crate::plan::pass::Pass;

/// Returns the run before the switch, made when the new pods are there.
pub(super) fn reconcile_pre(pass: &mut Pass, strategy: &BlueGreen, current: Option<Run>) -> Option<Run> {
    let analysis = strategy.pre.as_ref()?;
    if pre_is_due(pass, strategy) && !is_unclear(pass) && needs_new(pass, current.as_ref()) {
        return create(pass, analysis, Role::PrePromotion);
    }
    current
}

/// Returns the run after the switch, made when the switch is known.
pub(super) fn reconcile_post(pass: &mut Pass, strategy: &BlueGreen, current: Option<Run>) -> Option<Run> {
    let analysis = strategy.post.as_ref()?;
    if post_is_due(pass) && !is_unclear(pass) && needs_new(pass, current.as_ref()) {
        return create(pass, analysis, Role::PostPromotion);
    }
    current
}

fn is_unclear(pass: &Pass) -> bool {
    pass.status().pause(PauseReason::InconclusiveAnalysisRun).is_some()
}

/// Returns true when the new pods, or those of the preview, are there and the users are not.
///
/// Source: `skipPrePromotionAnalysisRun`.
fn pre_is_due(pass: &Pass, strategy: &BlueGreen) -> bool {
    let (status, hash) = (pass.status(), pass.current_hash());
    let active = &status.blue_green.active_selector;
    if status.stable_rs == hash || active.is_empty() || *active == hash {
        return false;
    }
    let Some(new) = pass.sets.new_set() else { return false };
    match strategy.preview_replicas {
        Some(preview) if !status.blue_green.scale_up_preview_check_point => {
            new.size.spec == preview && new.size.available == preview
        }
        _ => new.saturated(pass.settings().replicas),
    }
}

/// Returns true when the users are with the new pods, which are not stable yet.
///
/// Source: `skipPostPromotionAnalysisRun`.
pub(in crate::plan) fn post_is_due(pass: &Pass) -> bool {
    let (status, hash) = (pass.status(), pass.current_hash());
    status.stable_rs != hash && status.blue_green.active_selector == hash
}
