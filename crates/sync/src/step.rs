//! One pass of a running operation.

use std::time::Duration;

use api::application::{
    Application, ApplicationStatus, Operation, OperationPhase, OperationState, SyncOperation, SyncResult,
};
use object::Time;

use crate::action::{Action, Event, Outcome, Waiting, Why};
use crate::finish::{Retries, finish, remember};
use crate::observation::{Level, Observation, Target};
use crate::pairs;
use crate::progress::{self, After, Progress, Wake};
use crate::rehearsal::{self, Rehearsed};
use crate::task::{self, Request, Task};
use crate::{blockers, retry, settle};

/// Wait before an API server that could not be asked is asked again.
pub const SERVER_WAIT: Duration = Duration::from_secs(5);

/// What one pass of an operation came to.
///
/// While `actions` is not empty they have to be carried out in order, all of them, and [`Step::settle`] called with what
/// they did; `status` is not to be written before that. What settles a rehearsal has actions of its own, so this goes on
/// until there are none. A later pass repeats actions whose results were lost.
#[derive(Clone, Debug)]
pub struct Step {
    /// What to do.
    pub actions: Vec<Action>,
    /// The whole new status.
    pub status: ApplicationStatus,
    /// True when `operation` is to be removed from the Application, together with the status write.
    pub done: bool,
    /// Events to record.
    pub events: Vec<Event>,
    /// When to look again at the latest; any change of a managed object is a reason too. `None`: only then.
    pub wake: Option<Time>,
    /// How thorough the next comparison has to be, when one is due.
    pub refresh: Option<Level>,
    /// Why the pass ended as it did.
    pub why: Why,
    pending: Option<Pending>,
}

/// What [`Step::settle`] goes on from.
#[derive(Clone, Debug)]
struct Pending {
    app: Application,
    tasks: Vec<Task>,
    then: Then,
}

#[derive(Clone, Debug)]
enum Then {
    /// The actions change the cluster; this follows.
    Conclude(After),
    /// The actions only ask; this is done when they succeed.
    Perform(Box<Planned>),
}

/// What a pass does unless its rehearsal fails.
#[derive(Clone, Debug)]
struct Planned {
    state: OperationState,
    tasks: Vec<Task>,
    progress: Progress,
}

impl Step {
    /// Returns the step with the outcomes of its actions recorded, one each and in their order; missing ones count as
    /// not done.
    #[must_use]
    pub fn settle(mut self, outcomes: &[Outcome], now: Time) -> Self {
        let Some(mut pending) = self.pending.take() else { return self };
        let Some(mut state) = self.status.operation_state.take() else { return self };
        let actions = std::mem::take(&mut self.actions);
        let after = match pending.then {
            Then::Conclude(after) => {
                settle::settle(&mut state, &mut pending.tasks, &after, &actions, outcomes)
            }
            Then::Perform(planned) => {
                match rehearsal::settle(&mut state, &mut pending.tasks, &actions, outcomes) {
                    Rehearsed::Fits => return perform(&pending.app, *planned, self.status, now),
                    Rehearsed::Refused(message) => After::End { phase: OperationPhase::Failed, message },
                    Rehearsed::FailureHooks => {
                        let waiting = Waiting::Tasks("the hooks for failures are run".into());
                        After::Wait { waiting, wake: Wake::Now }
                    }
                    Rehearsed::Unknown => {
                        let waiting = Waiting::Tasks("the dry run was not answered".into());
                        After::Wait { waiting, wake: Wake::Now }
                    }
                }
            }
        };
        conclude(&pending.app, state, self.status, (after, now))
    }

    /// Returns the step for actions that came to a halt because the API server could not be asked: what was done so far is
    /// recorded, and the rest waits for the next pass, [`SERVER_WAIT`] later.
    ///
    /// Source: our own. Upstream fails the operation, so that a restart of the API server fails syncs.
    #[must_use]
    pub fn interrupted(mut self, outcomes: &[Outcome], problem: &str, now: Time) -> Self {
        let Some(mut pending) = self.pending.take() else { return self };
        let Some(mut state) = self.status.operation_state.take() else { return self };
        if let Then::Conclude(after) = &pending.then {
            settle::settle(&mut state, &mut pending.tasks, after, &self.actions, outcomes);
        }
        let wake = Wake::At(now.after(SERVER_WAIT));
        let after = After::Wait { waiting: Waiting::Server(problem.to_owned()), wake };
        conclude(&pending.app, state, self.status, (after, now))
    }
}

/// Returns one pass of the operation of `app`.
///
/// Source: Argo CD `processRequestedAppOperation` and gitops-engine `syncContext.Sync`, as a level-triggered machine
/// over `status.operationState`.
pub fn step(app: &Application, observation: &Observation) -> Step {
    let now = observation.now.whole_seconds();
    let Some(operation) = &app.operation else {
        return idle(app.status.clone(), Why::Finished("no operation".into()));
    };
    let mut state = current(app, operation, now);
    if state.finished_at.is_some() && state.phase == OperationPhase::Running {
        match retry_at(&state) {
            Some(at) if at > observation.now => return waiting(app, state, at),
            _ => start_again(&mut state),
        }
    }
    if state.phase != OperationPhase::Terminating {
        let reasons = blockers::of_operation(app, operation, observation);
        if !reasons.is_empty() {
            let end = After::End { phase: OperationPhase::Error, message: reasons.join(";") };
            return conclude(app, state, app.status.clone(), (end, now));
        }
    }
    run(app, state, observation)
}

/// Returns the state to go on from: the current one, or a new one.
fn current(app: &Application, operation: &Operation, now: Time) -> OperationState {
    match &app.status.operation_state {
        Some(state) if !state.phase.is_completed() => state.clone(),
        _ => OperationState {
            operation: operation.clone(),
            phase: OperationPhase::Running,
            message: String::new(),
            sync_result: None,
            started_at: now,
            finished_at: None,
            retry_count: 0,
            extra: object::Map::new(),
        },
    }
}

fn retry_at(state: &OperationState) -> Option<Time> {
    let wait = retry::wait(&state.operation.retry, state.retry_count - 1).ok()?;
    Some(state.finished_at?.after(wait))
}

fn start_again(state: &mut OperationState) {
    state.finished_at = None;
    if let Some(result) = &mut state.sync_result {
        result.resources.clear();
    }
}

fn waiting(app: &Application, state: OperationState, at: Time) -> Step {
    let mut status = app.status.clone();
    status.operation_state = Some(state);
    Step { wake: Some(at), ..idle(status, Why::WaitingOn(Waiting::Retry(at))) }
}

fn idle(status: ApplicationStatus, why: Why) -> Step {
    Step {
        actions: vec![],
        status,
        done: false,
        events: vec![],
        wake: None,
        refresh: None,
        why,
        pending: None,
    }
}

fn run(app: &Application, mut state: OperationState, observation: &Observation) -> Step {
    let no_sync = SyncOperation::default();
    let (revision, objects) = match &observation.target {
        Target::Found { revision, objects, .. } => (revision.as_str(), objects.as_slice()),
        Target::Failed { .. } => ("", [].as_slice()),
    };
    let pairs = pairs::reconcile(app, objects, observation);
    let sync = state.operation.sync.as_ref().unwrap_or(&no_sync);
    let source = sync.source.clone().unwrap_or_else(|| app.spec.first_source());
    let result = state.sync_result.get_or_insert_with(SyncResult::default);
    result.source = source;
    result.managed_namespace_metadata = app.spec.managed_namespace_metadata().cloned();
    if !revision.is_empty() {
        revision.clone_into(&mut result.revision);
    }
    let (operation, results) = (state.operation.clone(), result.resources.clone());
    if is_new(app) && pairs.hooks.iter().any(|hook| hook.name().is_empty()) {
        return written_first(app, state, observation.now);
    }
    let request = Request { operation: &operation, started: state.started_at, revision, results: &results };
    let mut tasks = task::tasks(app, &request, &pairs, observation);
    let (asked, before) = (tasks.clone(), state.clone());
    let progress = progress::next(&mut tasks, &mut state, (app, &request, &pairs), observation);
    let planned = Planned { state, tasks, progress };
    let dry_runs = match planned.progress.after {
        After::End { .. } => vec![],
        After::Wait { .. } | After::Group { .. } => {
            rehearsal::actions(&asked, &observation.kinds, (app, &request))
        }
    };
    if dry_runs.is_empty() {
        return perform(app, planned, app.status.clone(), observation.now.whole_seconds());
    }
    let then = Then::Perform(Box::new(planned));
    acting(app, (before, asked), app.status.clone(), (dry_runs, then))
}

fn is_new(app: &Application) -> bool {
    app.status.operation_state.as_ref().is_none_or(|state| state.phase.is_completed())
}

/// Names of hooks are made from the start of the operation: it has to be written before they are created.
fn written_first(app: &Application, state: OperationState, now: Time) -> Step {
    let mut status = app.status.clone();
    status.operation_state = Some(state);
    let waiting = Waiting::Tasks("the start of the operation is written first".into());
    Step { wake: Some(now), ..idle(status, Why::WaitingOn(waiting)) }
}

fn perform(app: &Application, planned: Planned, status: ApplicationStatus, now: Time) -> Step {
    let Planned { state, tasks, progress } = planned;
    if progress.actions.is_empty() {
        return conclude(app, state, status, (settle::quietly(&tasks, progress.after), now));
    }
    acting(app, (state, tasks), status, (progress.actions, Then::Conclude(progress.after)))
}

fn acting(
    app: &Application,
    (state, tasks): (OperationState, Vec<Task>),
    mut status: ApplicationStatus,
    (actions, then): (Vec<Action>, Then),
) -> Step {
    status.operation_state = Some(state);
    let why = Why::Acting(actions.len());
    let pending = Some(Pending { app: app.clone(), tasks, then });
    Step { actions, pending, ..idle(status, why) }
}

/// A group is always turned into a wait or an end before a step is made of it; if not, the next pass finds out.
fn unreachable_group(mut status: ApplicationStatus, state: OperationState) -> Step {
    status.operation_state = Some(state);
    idle(status, Why::WaitingOn(Waiting::Tasks("one or more tasks are running".into())))
}

/// Returns the step that ends with `after`: waiting, or done.
fn conclude(
    app: &Application,
    mut state: OperationState,
    mut status: ApplicationStatus,
    (after, now): (After, Time),
) -> Step {
    match after {
        After::End { phase, message } => {
            let terminated = state.phase == OperationPhase::Terminating;
            state.phase = phase;
            state.message = message;
            let retries = if terminated { Retries::Never } else { Retries::Allowed };
            let ended = finish(&mut state, retries, now);
            if ended.done {
                remember(app, &mut status, &state, now);
            }
            let why = match ended.wake {
                Some(at) => Why::WaitingOn(Waiting::Retry(at)),
                None => Why::Finished(state.message.clone()),
            };
            status.operation_state = Some(state);
            Step {
                done: ended.done,
                events: ended.events,
                wake: ended.wake,
                refresh: ended.refresh,
                ..idle(status, why)
            }
        }
        After::Wait { waiting, wake } => {
            state.message = waiting.to_string();
            if let Waiting::WaveDelay(_) = &waiting {
                "one or more tasks are running".clone_into(&mut state.message);
            }
            status.operation_state = Some(state);
            let wake = match wake {
                Wake::OnChange => None,
                Wake::Now => Some(now),
                Wake::At(time) => Some(time),
            };
            Step { wake, ..idle(status, Why::WaitingOn(waiting)) }
        }
        After::Group { .. } => unreachable_group(status, state),
    }
}
