//! Pauses and aborts: what the pass wants, and what it makes of the status.

use api::rollout::{PauseCondition, PauseReason, RolloutStatus};

use super::pass::{Pass, text};
use crate::{Reason, Step};

/// Changes of pauses and abort that the pass decided.
#[derive(Clone, Debug, Default)]
pub(super) struct PauseChange {
    /// Pauses to begin.
    pub add: Vec<PauseReason>,
    /// Pauses that end.
    pub end: Vec<PauseReason>,
    /// All pauses end.
    pub clear: bool,
    /// Abort, with why.
    pub abort: Option<String>,
    /// The abort ends.
    pub remove_abort: bool,
}

/// Writes pauses and abort into `status`.
///
/// Source: `pauseContext.CalculatePauseStatus`.
pub(super) fn apply(pass: &Pass, status: &mut RolloutStatus) {
    let old = pass.status();
    (status.pause_conditions, status.controller_pause) = (Vec::new(), false);
    (status.abort, status.aborted_at) = (false, None);
    if pass.aborted() {
        status.abort = true;
        let since = old.aborted_at.clone().filter(|_| old.abort);
        status.aborted_at = Some(since.unwrap_or_else(|| text(pass.now)));
        return;
    }
    if pass.pause.clear {
        return;
    }
    let ends = |pause: &PauseCondition| pass.pause.end.contains(&pause.reason);
    let mut pauses: Vec<_> = old.pause_conditions.iter().filter(|pause| !ends(pause)).cloned().collect();
    let mut by_controller = old.controller_pause;
    for reason in &pass.pause.add {
        if old.pause(*reason).is_none() {
            pauses.push(PauseCondition { reason: *reason, start_time: text(pass.now) });
            by_controller = true;
        }
    }
    if !pauses.is_empty() {
        (status.pause_conditions, status.controller_pause) = (pauses, by_controller);
    }
}

/// Returns true when nothing is to be scaled or switched: the user paused, or an analysis could not tell.
pub(super) fn halted(pass: &Pass) -> bool {
    pass.paused_by_user() || pass.status().pause(PauseReason::InconclusiveAnalysisRun).is_some()
}

/// Begins the pause of a pause step, or waits for its end.
pub(super) fn reconcile_step(pass: &mut Pass) {
    let (_, Some(Step::Pause(duration))) = pass.step() else { return };
    if pass.paused_by_user() || pass.status().promote_full || pass.aborted() {
        return;
    }
    let status = pass.status();
    let Some(pause) = status.pause(PauseReason::CanaryPauseStep) else {
        if !status.controller_pause {
            pass.pause.add.push(PauseReason::CanaryPauseStep);
        }
        return;
    };
    let end =
        duration.and_then(|duration| Some(object::Time::parse(&pause.start_time).ok()?.after(duration)));
    if let Some(end) = end
        && end > pass.now
    {
        pass.wake_at(end);
        pass.wait(Reason::WaitingOnTime { until: text(end) });
    }
}

/// Returns true when the pause step is over: the user resumed it, or its time has come.
pub(super) fn step_over(pass: &Pass, duration: Option<std::time::Duration>) -> bool {
    let status = pass.status();
    match (status.pause(PauseReason::CanaryPauseStep), duration) {
        (None, _) => status.controller_pause,
        (Some(_), None) => false,
        (Some(pause), Some(duration)) => {
            object::Time::parse(&pause.start_time).is_ok_and(|start| start.after(duration) <= pass.now)
        }
    }
}
