//! When an update began and how it ended.

use api::rollout::{CompletionStatus, PauseReason, RolloutDuration, RolloutStatus};
use object::Time;

use super::pass::{Pass, text};
use crate::{Promotion, Step};

/// Writes `status.duration`.
pub(super) fn apply(pass: &Pass, status: &mut RolloutStatus) {
    let old = pass.status();
    let changed =
        old.current_pod_hash != status.current_pod_hash || old.current_step_hash != status.current_step_hash;
    let finished = |duration: &RolloutDuration| duration.finished_at.is_some();
    let retried = old.duration.as_ref().is_some_and(|duration| {
        finished(duration) && duration.completion_status == Some(CompletionStatus::Aborted)
    }) && !status.abort;
    let mut duration = status.duration.clone().unwrap_or_default();
    if changed || retried {
        duration = RolloutDuration {
            rollout_started_at: Some(text(pass.now)),
            extra: duration.extra,
            ..Default::default()
        };
    }
    if duration.rollout_started_at.is_none() || finished(&duration) {
        status.duration = (duration != RolloutDuration::default()).then_some(duration);
        return;
    }
    manual_pause(pass, status, &mut duration);
    if let Some(completion) = completion(pass, status, duration.completion_status) {
        end_pause(&mut duration, pass.now);
        duration.finished_at = Some(text(pass.now));
        duration.completion_status = Some(completion);
    }
    status.duration = Some(duration);
}

/// Notes how the update will have ended once its pods are there.
pub(super) fn promoted(status: &mut RolloutStatus, completion: CompletionStatus) {
    let open = status.duration.as_mut().filter(|duration| duration.finished_at.is_none());
    if let Some(duration) = open {
        duration.completion_status.get_or_insert(completion);
    }
}

/// Returns how the update ends now, if it does.
fn completion(
    pass: &Pass,
    status: &RolloutStatus,
    noted: Option<CompletionStatus>,
) -> Option<CompletionStatus> {
    if status.abort {
        return Some(CompletionStatus::Aborted);
    }
    let new = pass.sets.new_set()?;
    let promoted = !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash;
    let ends = promoted && new.size.available >= pass.settings().replicas;
    ends.then(|| noted.unwrap_or(CompletionStatus::Promoted))
}

/// Counts the time the update waits for the user.
fn manual_pause(pass: &Pass, status: &RolloutStatus, duration: &mut RolloutDuration) {
    let step_pause = status.pause(PauseReason::CanaryPauseStep).is_some();
    let by_hand = pass.settings().blue_green.as_ref().is_some_and(|it| it.promotion == Promotion::ByHand);
    let waits = pass.paused_by_user()
        || (by_hand && status.pause(PauseReason::BlueGreenPause).is_some())
        || status.pause(PauseReason::InconclusiveAnalysisRun).is_some()
        || status.pause(PauseReason::InconclusiveExperiment).is_some()
        || (step_pause && matches!(pass.step().1, Some(Step::Pause(None))));
    if !waits {
        end_pause(duration, pass.now);
    } else if duration.manual_pause_started_at.is_none() {
        duration.manual_pause_started_at = Some(text(pass.now));
    }
}

fn end_pause(duration: &mut RolloutDuration, now: Time) {
    if let Some(start) = duration.manual_pause_started_at.take().and_then(|start| Time::parse(&start).ok()) {
        duration.total_manual_pause_duration_seconds += now.unix().saturating_sub(start.unix()).max(0);
    }
}
