//! Runs one phase and wave: prunes first, then old hooks go, then objects are applied.

use api::application::{Application, OperationState, ResultCode, SyncStrategy};
use object::Time;

use crate::action::{Action, ApplyMode, Validation, Waiting};
use crate::adopt::adoption;
use crate::hook::{self, DeletePolicy};
use crate::options::{self, Hold};
use crate::progress::{self, After, Progress, Wake};
use crate::results::{self, Wait, waiting_text};
use crate::task::{Request, Task};

/// Annotation on an Application: the time at which someone approved deletions.
const APPROVED: &str = "argocd.argoproj.io/deletion-approved";

/// Returns the actions of the tasks `members`; `remaining` are those that come after.
pub fn run(
    tasks: &mut [Task],
    state: &mut OperationState,
    (members, remaining): (Vec<usize>, Vec<usize>),
    with: (&Application, &Request<'_>),
) -> Progress {
    let mut actions = Vec::new();
    let mut unconfirmed = Vec::new();
    for at in members.iter().copied().filter(|at| tasks[*at].is_prune()).collect::<Vec<_>>() {
        match prune(&mut tasks[at], state, with) {
            Prune::Act(action) => actions.push(action),
            Prune::Unconfirmed => unconfirmed.push(at),
            Prune::Skipped => {}
        }
    }
    if !unconfirmed.is_empty() {
        let waiting: Vec<&Task> = unconfirmed.iter().map(|at| &tasks[*at]).collect();
        let waiting = Waiting::Confirmation(waiting_text(&waiting, Wait::Confirmation));
        return Progress { actions, after: After::Wait { waiting, wake: Wake::OnChange } };
    }
    let old: Vec<&Task> = members.iter().map(|at| &tasks[*at]).filter(|task| is_in_the_way(task)).collect();
    if !old.is_empty() {
        actions.extend(old.iter().filter_map(|task| progress::release(task)));
        actions.extend(old.iter().filter_map(|task| progress::delete(task)));
        let waiting = Waiting::Deletion(waiting_text(&old, Wait::Deletion));
        return Progress { actions, after: After::Wait { waiting, wake: Wake::OnChange } };
    }
    for at in &members {
        actions.extend(apply(&tasks[*at], with));
    }
    Progress { actions, after: After::Group { members, remaining } }
}

/// A hook of an earlier sync that has to go before it is created again.
pub fn is_in_the_way(task: &Task) -> bool {
    let goes = |target| hook::delete_policies(target).contains(&DeletePolicy::BeforeHookCreation);
    task.hook && task.live.is_some() && task.target.as_deref().is_some_and(goes)
}

enum Prune {
    Act(Action),
    Unconfirmed,
    Skipped,
}

fn prune(task: &mut Task, state: &mut OperationState, (app, request): (&Application, &Request<'_>)) -> Prune {
    let Some(live) = task.live.clone() else { return Prune::Skipped };
    if let Some(reason) = kept(task, request) {
        results::record(state, task, Some(ResultCode::PruneSkipped), reason);
        return Prune::Skipped;
    }
    let held = options::hold(request.options(), &live, "Prune") == Hold::Confirm;
    if held && !is_approved(app, request.started) {
        return Prune::Unconfirmed;
    }
    if live.is_deleting() {
        results::record(state, task, Some(ResultCode::Pruned), "pruned");
        return Prune::Skipped;
    }
    Prune::Act(Action::Prune {
        phase: task.phase,
        gvk: task.gvk(),
        key: task.key.key.clone(),
        uid: live.uid().to_owned(),
        propagation: options::propagation(request.options()),
    })
}

/// Returns why an extra object is kept, if it is.
pub fn kept(task: &Task, request: &Request<'_>) -> Option<&'static str> {
    let live = task.live.as_ref()?;
    if request.operation.sync.as_ref().is_none_or(|sync| !sync.prune) {
        return Some("ignored (requires pruning)");
    }
    (options::hold(request.options(), live, "Prune") == Hold::Never).then_some("ignored (no prune)")
}

/// Returns true when someone approved deletions at or after `since`.
pub fn is_approved(app: &Application, since: Time) -> bool {
    let approved = app.object.annotation(APPROVED).and_then(|text| Time::parse(text).ok());
    approved.is_some_and(|approved| approved >= since)
}

/// Returns true when an object that cannot be changed may be deleted and created again.
pub fn is_forced(task: &Task, request: &Request<'_>) -> bool {
    let strategy = request.operation.sync.as_ref().and_then(|sync| sync.sync_strategy.as_ref());
    let forced = |strategy: &SyncStrategy| {
        [&strategy.apply, &strategy.hook].into_iter().flatten().any(|options| options.force)
    };
    strategy.is_some_and(forced) || has(task, request, "Force=true")
}

fn has(task: &Task, request: &Request<'_>, option: &str) -> bool {
    task.target.as_ref().is_some_and(|target| options::either(request.options(), target, option))
}

/// Returns true when the object is applied in the way that its text calls `serverside-applied`.
pub fn says_server_side(task: &Task, request: &Request<'_>) -> bool {
    let off = |target| options::has(target, options::SYNC_OPTIONS, "ServerSideApply=false");
    has(task, request, "ServerSideApply=true") && !task.target.as_deref().is_some_and(off)
}

fn replaces(task: &Task, request: &Request<'_>) -> bool {
    has(task, request, "Replace=true")
}

/// Returns true when the options of `task` contradict each other.
pub fn forbidden_force(task: &Task, request: &Request<'_>) -> bool {
    let forced = !task.is_prune() && is_forced(task, request);
    forced && !replaces(task, request) && says_server_side(task, request)
}

/// Returns the action that applies the target of `task`.
pub fn apply(task: &Task, (app, request): (&Application, &Request<'_>)) -> Option<Action> {
    let target = task.target.as_ref()?;
    let kind = task.key.group_kind.kind.as_str();
    let never_recreated = matches!(kind, "CustomResourceDefinition" | "Namespace");
    let mode = match (replaces(task, request), is_forced(task, request) && !never_recreated) {
        (true, true) if task.live.is_some() => ApplyMode::Recreate,
        (true, _) => ApplyMode::Replace,
        (false, true) => ApplyMode::ApplyOrRecreate,
        (false, false) => ApplyMode::Apply,
    };
    let validation = options::validation(request.options(), target);
    let object = match &task.live {
        Some(live) if options::contains(request.options(), "RespectIgnoreDifferences=true") => {
            diff::respect(target, live, &diff::applicable(&app.spec.ignore_differences, target))
        }
        _ => (**target).clone(),
    };
    let object = if validation == Validation::Off { diff::known(&object) } else { object };
    let migrates = !options::contains(request.options(), "ClientSideApplyMigration=false")
        && matches!(mode, ApplyMode::Apply | ApplyMode::ApplyOrRecreate);
    let adopt = task.live.as_deref().filter(|_| migrates).and_then(adoption);
    Some(Action::Apply { phase: task.phase, object, mode, validation, adopt })
}
