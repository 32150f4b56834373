//! Before the first change of an operation every object is dry-run against the server, so that nothing is half applied.

use api::application::{Application, OperationState, ResultCode, SyncPhase};

use crate::action::{Action, Outcome};
use crate::checks;
use crate::group;
use crate::results;
use crate::task::{Request, Task};

/// How an operation ends whose objects do not even have the form of their kind.
const DRY_RUN: &str = "one or more objects failed to apply (dry run)";

/// What an operation that is not refused by its dry run goes on with.
#[derive(Clone, Debug)]
pub enum Rehearsed {
    /// Everything fits.
    Fits,
    /// Something was refused; with the operation's message.
    Refused(String),
    /// Something was refused, and there are hooks for that.
    FailureHooks,
    /// Not everything was answered: it has to be asked again.
    Unknown,
}

/// Returns the dry runs that are due: those of all tasks, when nothing was done for any of them but the namespace of the
/// destination.
///
/// Source: gitops-engine, the first entry of `syncContext.Sync`; there it is a dry run of the client, which does not
/// find what only the server refuses. Left out is what the server cannot judge yet: objects whose kind or namespace comes with the same
/// sync, and those that replace an object rather than change it.
pub fn actions(tasks: &[Task], kinds: &crate::Kinds, with: (&Application, &Request<'_>)) -> Vec<Action> {
    if started(tasks) {
        return vec![];
    }
    let rehearsed = tasks.iter().filter(|task| {
        task.is_pending()
            && kinds.scope(&task.key.group_kind).is_some()
            && !comes_later(task, tasks)
            && !replaces(task, with.1)
    });
    rehearsed.filter_map(|task| rehearsal(task, with)).collect()
}

/// Returns true when something was done already; the namespace that Argo CD makes before its dry run does not count.
fn started(tasks: &[Task]) -> bool {
    let is_namespace = |task: &Task| task.phase == SyncPhase::PreSync && !task.hook;
    tasks.iter().any(|task| !task.is_pending() && !is_namespace(task))
}

fn rehearsal(task: &Task, with: (&Application, &Request<'_>)) -> Option<Action> {
    match group::apply(task, with)? {
        Action::Apply { phase, object, validation, .. } => Some(Action::DryRun { phase, object, validation }),
        Action::DryRun { .. }
        | Action::Prune { .. }
        | Action::DeleteHook { .. }
        | Action::ReleaseHook { .. } => None,
    }
}

/// Returns true when the kind or the namespace of `task` is made by another task.
fn comes_later(task: &Task, tasks: &[Task]) -> bool {
    let targets =
        || tasks.iter().filter(|other| other.live.is_none() || other.key.group_kind.kind != "Namespace");
    targets().filter_map(|other| other.target.as_deref()).any(|target| {
        let is_namespace = target.kind() == "Namespace" && target.group_kind().group.is_empty();
        checks::defines(target, &task.key.group_kind)
            || (is_namespace && target.name() == task.key.key.namespace)
    })
}

/// Returns true when an object makes place for the new one, so that what it forbids to change does not count.
fn replaces(task: &Task, request: &Request<'_>) -> bool {
    task.live.is_some() && (group::is_in_the_way(task) || group::is_forced(task, request))
}

/// Records what the server refused.
///
/// Source: what the client of Argo CD finds, the form of an object, ends the operation at once there; what only the server
/// finds lets its failure hooks run.
pub fn settle(
    state: &mut OperationState,
    tasks: &mut [Task],
    actions: &[Action],
    outcomes: &[Outcome],
) -> Rehearsed {
    for (action, outcome) in actions.iter().zip(outcomes) {
        let Action::DryRun { phase, object, .. } = action else { continue };
        let (Outcome::Refused(message) | Outcome::Malformed(message)) = outcome else { continue };
        let is_it = |task: &&mut Task| task.phase == *phase && task.key == object.object_key();
        if let Some(task) = tasks.iter_mut().find(is_it) {
            results::record(state, task, Some(ResultCode::SyncFailed), message);
        }
    }
    let is_refused = |task: &Task| task.code() == Some(ResultCode::SyncFailed);
    if !tasks.iter().any(is_refused) {
        return if outcomes.len() < actions.len() { Rehearsed::Unknown } else { Rehearsed::Fits };
    }
    if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Malformed(_))) {
        return Rehearsed::Refused(results::failure_text(DRY_RUN, tasks.iter()));
    }
    let of_failure = |task: &Task| task.phase == SyncPhase::SyncFail;
    let has_hooks = tasks.iter().any(|task| of_failure(task) && task.is_pending());
    if has_hooks && tasks.iter().any(|task| is_refused(task) && !of_failure(task)) {
        return Rehearsed::FailureHooks;
    }
    let message = "one or more synchronization tasks completed unsuccessfully";
    Rehearsed::Refused(results::failure_text(message, tasks.iter()))
}

/// Refuses, before anything is done, tasks whose options contradict each other, and resources without a name of their own:
/// each sync would make another one.
pub fn contradictions(
    tasks: &mut [Task],
    state: &mut OperationState,
    request: &Request<'_>,
) -> Option<String> {
    if started(tasks) {
        return None;
    }
    for task in tasks.iter_mut().filter(|task| group::forbidden_force(task, request)) {
        let text = "error validating options: --force cannot be used with --server-side";
        results::record(state, task, Some(ResultCode::SyncFailed), text);
    }
    for task in tasks.iter_mut().filter(|task| !task.hook) {
        let Some(target) = task.target.as_ref().filter(|target| target.name().is_empty()) else { continue };
        let prefix = target.str(&["metadata", "generateName"]);
        let text = format!("error: from {prefix}: cannot use generate name with apply");
        results::record(state, task, Some(ResultCode::SyncFailed), text);
    }
    let found = tasks.iter().any(|task| task.code() == Some(ResultCode::SyncFailed));
    found.then(|| results::failure_text(DRY_RUN, tasks.iter()))
}
