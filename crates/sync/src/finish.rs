//! The end of an operation, or of one attempt.

use api::application::{Application, ApplicationStatus, History, OperationPhase, OperationState};
use object::Time;

use crate::action::Event;
use crate::observation::Level;
use crate::retry;

/// How many history entries are kept when the spec does not say.
const HISTORY_LIMIT: i64 = 10;

/// What follows an attempt.
pub struct Ended {
    /// True when there is no further attempt.
    pub done: bool,
    /// When the next attempt is due.
    pub wake: Option<Time>,
    /// Events to record.
    pub events: Vec<Event>,
    /// How thorough the comparison afterwards has to be.
    pub refresh: Option<Level>,
}

/// Whether an attempt may be followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// As the operation says.
    Allowed,
    /// It was terminated.
    Never,
}

/// Ends an attempt whose phase is set in `state`: either the operation is over, or it waits for the next attempt.
///
/// Source: Argo CD `processRequestedAppOperation`. A waiting operation is Running with `finishedAt` set; a terminated
/// one is not tried again.
pub fn finish(state: &mut OperationState, retries: Retries, now: Time) -> Ended {
    state.finished_at = Some(now);
    let failed = matches!(state.phase, OperationPhase::Failed | OperationPhase::Error);
    let limit = state.operation.retry.limit;
    if failed && retries == Retries::Allowed && (limit < 0 || state.retry_count < limit) {
        match retry::wait(&state.operation.retry, state.retry_count) {
            Ok(wait) => {
                let at = now.after(wait);
                state.phase = OperationPhase::Running;
                state.retry_count += 1;
                state.message =
                    format!("{}. Retrying attempt #{} at {}.", state.message, state.retry_count, kitchen(at));
                return Ended { done: false, wake: Some(at), events: vec![], refresh: None };
            }
            Err(error) => {
                state.phase = OperationPhase::Error;
                state.message = format!("{} (failed to retry: {error})", state.message);
            }
        }
    } else if failed && state.retry_count > 0 {
        state.message = format!("{} (retried {} times).", state.message, state.retry_count);
    }
    let level = if state.operation.initiated_by.automated { Level::Latest } else { Level::LatestForced };
    Ended { done: true, wake: None, events: vec![event(state)], refresh: Some(level) }
}

fn event(state: &OperationState) -> Event {
    let partial = state.operation.sync.as_ref().is_some_and(|sync| !sync.resources.is_empty());
    let what = if partial { "Partial sync operation" } else { "Sync operation" };
    let revision = state.sync_result.as_ref().map(|result| result.revision.as_str()).unwrap_or_default();
    match state.phase {
        OperationPhase::Succeeded => {
            Event::normal("OperationCompleted", format!("{what} to {revision} succeeded"))
        }
        OperationPhase::Running
        | OperationPhase::Terminating
        | OperationPhase::Failed
        | OperationPhase::Error => {
            Event::warning("OperationCompleted", format!("{what} to {revision} failed: {}", state.message))
        }
    }
}

/// Returns the time as Go's `time.Kitchen`, e.g. `10:33AM`, in UTC.
fn kitchen(at: Time) -> String {
    let minutes = at.unix().rem_euclid(86_400) / 60;
    let (hour, minute) = (minutes / 60, minutes % 60);
    let (half, hour) = (if hour < 12 { "AM" } else { "PM" }, if hour % 12 == 0 { 12 } else { hour % 12 });
    format!("{hour}:{minute:02}{half}")
}

/// Adds a history entry for a complete, successful sync, and drops the oldest beyond the limit.
pub fn remember(app: &Application, status: &mut ApplicationStatus, state: &OperationState, now: Time) {
    let (Some(sync), Some(result)) = (&state.operation.sync, &state.sync_result) else { return };
    if state.phase != OperationPhase::Succeeded || sync.dry_run || !sync.resources.is_empty() {
        return;
    }
    status.history.push(History {
        revision: result.revision.clone(),
        deployed_at: now,
        id: status.history.last().map_or(0, |last| last.id + 1),
        source: result.source.clone(),
        deploy_started_at: Some(state.started_at),
        sources: result.sources.clone(),
        revisions: result.revisions.clone(),
        initiated_by: state.operation.initiated_by.clone(),
        extra: object::Map::new(),
    });
    let limit = app.spec.revision_history_limit.unwrap_or(HISTORY_LIMIT).max(0);
    let surplus = status.history.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    status.history.drain(..surplus);
}
