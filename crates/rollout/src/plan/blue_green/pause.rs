//! The pause before the switch.
//!
//! Source: `reconcileBlueGreenPause`, `CompletedBlueGreenPause`.

use api::rollout::PauseReason;
use object::Time;

use super::{fast_rollback, sets};
use crate::plan::pass::{Pass, text};
use crate::plan::runs;
use crate::{BlueGreen, Promotion, Reason};

/// Begins the pause once the new pods and their analysis are ready, and ends it when its time has come.
pub(super) fn reconcile(pass: &mut Pass, strategy: &BlueGreen) {
    let ready = pass.sets.new_set().is_some_and(|new| sets::ready(pass, strategy, new));
    if pass.status().abort || pass.paused_by_user() || !ready {
        return;
    }
    if fast_tracked(pass, strategy) || strategy.promotion == Promotion::AtOnce {
        pass.pause.end.push(PauseReason::BlueGreenPause);
        return;
    }
    if !runs::pre_successful(pass, strategy) {
        return;
    }
    let status = pass.status();
    let Some(pause) = status.pause(PauseReason::BlueGreenPause) else {
        if !status.controller_pause {
            pass.pause.add.push(PauseReason::BlueGreenPause);
        }
        return;
    };
    if over(pass, strategy) {
        pass.pause.end.push(PauseReason::BlueGreenPause);
    } else if let Promotion::After(duration) = strategy.promotion
        && let Ok(start) = Time::parse(&pause.start_time)
    {
        let until = start.after(duration);
        pass.wake_at(until);
        pass.wait(Reason::WaitingOnTime { until: text(until) });
    }
}

/// Returns true when there is nothing to wait for before the switch.
///
/// Source: `isBlueGreenFastTracked`.
pub(super) fn fast_tracked(pass: &Pass, strategy: &BlueGreen) -> bool {
    let active = pass.selected(&strategy.active_service);
    fast_rollback(pass)
        || pass.status().promote_full
        || active.is_empty()
        || active == pass.current_hash()
        || pass.status().blue_green.scale_up_preview_check_point
}

/// Returns true when no pause is wanted, its time is over, or the user resumed.
pub(super) fn over(pass: &Pass, strategy: &BlueGreen) -> bool {
    if !pass.pause.add.is_empty() {
        return false;
    }
    let status = pass.status();
    match (strategy.promotion, status.pause(PauseReason::BlueGreenPause)) {
        (Promotion::AtOnce, _) => true,
        (Promotion::After(_) | Promotion::ByHand, None) => status.controller_pause,
        (Promotion::ByHand, Some(_)) => false,
        (Promotion::After(duration), Some(pause)) => {
            Time::parse(&pause.start_time).is_ok_and(|start| start.after(duration) <= pass.now)
        }
    }
}
