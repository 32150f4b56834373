//! The preview and the active Service.
//!
//! Source: `reconcilePreviewService`, `reconcileActiveService`.

use super::{pause, sets};
use crate::plan::pass::Pass;
use crate::plan::{pause as pauses, runs, services};
use crate::{BlueGreen, Reason};

/// Points the preview Service to the new pods, even before there are any.
pub(in crate::plan) fn reconcile_preview(pass: &mut Pass, strategy: &BlueGreen) {
    if strategy.preview_service.is_empty() || pauses::halted(pass) {
        return;
    }
    services::switch(pass, &strategy.preview_service, &pass.current_hash());
}

/// Points the active Service to the new pods when they are all there and nothing is waited for, after an abort back to
/// the stable ones.
///
/// Upstream goes back only while all new pods are available: then a version that breaks after the switch keeps the
/// users. Here an abort goes back in any case.
pub(super) fn reconcile_active(pass: &mut Pass, strategy: &BlueGreen) {
    if pauses::halted(pass) {
        return;
    }
    let active = pass.selected(&strategy.active_service);
    if pass.status().abort {
        let stable = pass.status().stable_rs.clone();
        if !stable.is_empty() && pass.sets.of_hash(&stable).is_some_and(|set| set.size.available > 0) {
            services::switch(pass, &strategy.active_service, &stable);
        }
        return;
    }
    let Some(new) = pass.sets.new_set().cloned() else { return };
    if active == new.hash {
        services::switch(pass, &strategy.active_service, &new.hash);
        return;
    }
    if !sets::ready(pass, strategy, &new) || !new.saturated(pass.settings().replicas) {
        let set = new.name().to_owned();
        pass.wait(Reason::WaitingOnService { service: strategy.active_service.clone(), set });
        return;
    }
    let free = pause::over(pass, strategy) && runs::pre_successful(pass, strategy);
    if pause::fast_tracked(pass, strategy) || free {
        services::switch(pass, &strategy.active_service, &new.hash);
    }
}
