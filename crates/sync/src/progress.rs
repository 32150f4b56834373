//! From the tasks and their results to the next actions.

use api::application::{Application, OperationPhase, OperationState, ResultCode, SyncPhase};
use health::{Builtin, Status};
use object::Time;

use crate::action::{Action, FIELD_MANAGER, Waiting};
use crate::hook::{self, DeletePolicy, HOOK_FINALIZER};
use crate::observation::Observation;
use crate::pairs::Pairs;
use crate::results::{self, Wait, failure_text, waiting_text};
use crate::task::{Request, Task};
use crate::{checks, dry_run, group, rehearsal, terminate};

/// The next actions and what follows them.
#[derive(Clone, Debug)]
pub struct Progress {
    /// To be carried out in order.
    pub actions: Vec<Action>,
    /// What the operation is afterwards.
    pub after: After,
}

/// What an operation is once the actions are done.
#[derive(Clone, Debug)]
pub enum After {
    /// Over, or at the end of an attempt.
    End {
        /// How it ended.
        phase: OperationPhase,
        /// Why.
        message: String,
    },
    /// Waiting.
    Wait {
        /// For what.
        waiting: Waiting,
        /// When to look again.
        wake: Wake,
    },
    /// One phase and wave was run: its outcomes decide.
    Group {
        /// Index of the tasks that were run.
        members: Vec<usize>,
        /// Index of the tasks that still have to be waited for or run.
        remaining: Vec<usize>,
    },
}

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// When something that is managed changes.
    OnChange,
    /// At once.
    Now,
    /// At a time.
    At(Time),
}

impl Progress {
    /// Returns an end without actions.
    pub fn end(phase: OperationPhase, message: impl Into<String>) -> Self {
        Self { actions: vec![], after: After::End { phase, message: message.into() } }
    }

    fn wait(waiting: Waiting, wake: Wake) -> Self {
        Self { actions: vec![], after: After::Wait { waiting, wake } }
    }

    fn with(mut self, actions: Vec<Action>) -> Self {
        self.actions.splice(0..0, actions);
        self
    }
}

/// Returns what to do next; `tasks` and `state` get the results that are known without doing anything.
///
/// Source: gitops-engine `syncContext.Sync`, steps numbered as in the facts about it.
pub fn next(
    tasks: &mut [Task],
    state: &mut OperationState,
    (app, request, pairs): (&Application, &Request<'_>, &Pairs),
    observation: &Observation,
) -> Progress {
    if state.phase == OperationPhase::Terminating {
        return terminate::next(tasks, state);
    }
    if let Some(message) = checks::refusal(tasks, state, (request, pairs), observation) {
        return Progress::end(OperationPhase::Failed, message);
    }
    if request.operation.sync.as_ref().is_some_and(|sync| sync.dry_run) {
        return dry_run::next(tasks, state, request);
    }
    if let Some(message) = rehearsal::contradictions(tasks, state, request) {
        return Progress::end(OperationPhase::Failed, message);
    }
    update_running(tasks, state);
    if let Some(waiting) = running(tasks) {
        return Progress::wait(waiting, Wake::OnChange);
    }
    let releases = releases(tasks);
    if tasks.iter().any(|task| task.phase != SyncPhase::SyncFail && task.is_failed()) {
        return failed(tasks, (app, request)).with(releases);
    }
    let is_due = |task: &Task| task.is_pending() && task.phase != SyncPhase::SyncFail;
    let Some(first) = tasks.iter().position(is_due) else {
        let deletes = finished_hooks(tasks, DeletePolicy::HookSucceeded);
        return Progress::end(OperationPhase::Succeeded, "successfully synced (no more tasks)")
            .with([releases, deletes].concat());
    };
    if let Some(until) = wave_delay(tasks, observation) {
        return Progress::wait(Waiting::WaveDelay(until), Wake::At(until)).with(releases);
    }
    let (phase, wave) = (tasks[first].phase, tasks[first].wave);
    let is_member = |task: &Task| is_due(task) && task.phase == phase && task.wave == wave;
    let members: Vec<usize> = (0..tasks.len()).filter(|at| is_member(&tasks[*at])).collect();
    let remaining = (0..tasks.len())
        .filter(|at| is_due(&tasks[*at]) && (!members.contains(at) || tasks[*at].hook))
        .collect();
    group::run(tasks, state, (members, remaining), (app, request)).with(releases)
}

/// Step 3: brings the results of running tasks up to date with the cluster.
fn update_running(tasks: &mut [Task], state: &mut OperationState) {
    for task in tasks.iter_mut().filter(|task| task.is_running()) {
        let Some(live) = task.live.clone() else { continue };
        let health = health::assess(&live, &Builtin);
        let kept = task.result.as_ref().map(|result| result.message.clone()).unwrap_or_default();
        let reached = match (task.hook, health) {
            (true, _) if live.is_deleting() => (OperationPhase::Failed, "hook was deleted".to_owned()),
            (true, None) => (OperationPhase::Succeeded, format!("{} created", live.name())),
            (true, Some(health)) => (hook_phase(health.status), health.message),
            (false, None) => (OperationPhase::Succeeded, kept),
            (false, Some(health)) => match health.status {
                Status::Healthy => (OperationPhase::Succeeded, or(health.message, kept)),
                Status::Degraded => (OperationPhase::Failed, or(health.message, kept)),
                Status::Suspended | Status::Progressing | Status::Missing | Status::Unknown => continue,
            },
        };
        let code = task.code();
        results::record_phase(state, task, code, reached);
    }
}

fn or(message: String, other: String) -> String {
    if message.is_empty() { other } else { message }
}

fn hook_phase(status: Status) -> OperationPhase {
    match status {
        Status::Healthy => OperationPhase::Succeeded,
        Status::Degraded | Status::Unknown => OperationPhase::Failed,
        Status::Progressing | Status::Suspended | Status::Missing => OperationPhase::Running,
    }
}

/// Steps 4 and 5: what is still under way.
fn running(tasks: &[Task]) -> Option<Waiting> {
    let multi_step = tasks.iter().any(|task| (task.phase, task.wave) != (tasks[0].phase, tasks[0].wave));
    let running: Vec<&Task> =
        tasks.iter().filter(|task| task.is_running() && (multi_step || task.hook)).collect();
    if !running.is_empty() {
        return Some(Waiting::Tasks(waiting_text(&running, Wait::Completion)));
    }
    let is_going = |task: &&Task| {
        task.code() == Some(ResultCode::Pruned) && task.live.as_ref().is_some_and(|live| live.is_deleting())
    };
    let going: Vec<&Task> = tasks.iter().filter(is_going).collect();
    (!going.is_empty()).then(|| Waiting::Deletion(waiting_text(&going, Wait::Deletion)))
}

/// Step 6: our finalizer comes off hooks that are done.
fn releases(tasks: &[Task]) -> Vec<Action> {
    tasks.iter().filter(|task| task.hook && task.is_completed()).filter_map(release).collect()
}

/// Returns the action that takes our finalizer off the live object of `task`.
pub fn release(task: &Task) -> Option<Action> {
    let live = task.live.as_ref().filter(|live| live.finalizers().contains(&HOOK_FINALIZER))?;
    let others = live.finalizers().into_iter().filter(|name| *name != HOOK_FINALIZER);
    Some(Action::ReleaseHook {
        gvk: task.gvk(),
        key: task.key.key.clone(),
        finalizers: others.map(str::to_owned).collect(),
        resource_version: live.resource_version().to_owned(),
    })
}

/// Returns the action that deletes the live object of the hook `task`.
pub fn delete(task: &Task) -> Option<Action> {
    let live = task.live.as_ref().filter(|live| !live.is_deleting())?;
    Some(Action::DeleteHook { gvk: task.gvk(), key: task.key.key.clone(), uid: live.uid().to_owned() })
}

fn finished_hooks(tasks: &[Task], policy: DeletePolicy) -> Vec<Action> {
    let deletes = |task: &&Task| {
        task.hook
            && task.is_completed()
            && task.target.as_ref().is_some_and(|target| hook::delete_policies(target).contains(&policy))
    };
    tasks.iter().filter(deletes).filter_map(delete).collect()
}

/// Step 7: the failure hooks run once, then the operation fails.
fn failed(tasks: &mut [Task], with: (&Application, &Request<'_>)) -> Progress {
    let mut deletes = finished_hooks(tasks, DeletePolicy::HookFailed);
    let pending: Vec<usize> = (0..tasks.len())
        .filter(|at| tasks[*at].phase == SyncPhase::SyncFail && tasks[*at].is_pending())
        .collect();
    if !pending.is_empty() {
        let applies = pending.iter().filter_map(|at| group::apply(&tasks[*at], with));
        deletes.extend(applies);
        let after = After::Group { members: vec![], remaining: pending };
        return Progress { actions: deletes, after };
    }
    let own = tasks.iter().filter(|task| task.phase != SyncPhase::SyncFail);
    let message = failure_text("one or more synchronization tasks completed unsuccessfully", own);
    Progress::end(OperationPhase::Failed, message).with(deletes)
}

/// Step 10: the least time between two waves, counted from the last change made by the earlier ones.
fn wave_delay(tasks: &[Task], observation: &Observation) -> Option<Time> {
    let changed = |task: &&Task| {
        task.code() == Some(ResultCode::Synced)
            && task.result.as_ref().is_some_and(|result| !result.message.ends_with(" unchanged"))
    };
    let lives = tasks.iter().filter(changed).filter_map(|task| task.live.as_ref());
    let times = lives.flat_map(|live| {
        let entries = live.items(&["metadata", "managedFields"]).iter();
        let ours = entries.filter(|entry| entry["manager"] == FIELD_MANAGER);
        ours.filter_map(|entry| Time::parse(entry["time"].as_str()?).ok()).collect::<Vec<_>>()
    });
    let until = times.max()?.after(observation.settings.wave_delay);
    (until > observation.now).then_some(until)
}
