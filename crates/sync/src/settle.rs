//! From the outcomes of a pass to what the operation is then.

use api::application::{OperationPhase, OperationState, ResultCode, SyncPhase};

use crate::action::{Action, Outcome, Waiting};
use crate::group;
use crate::progress::{After, Wake};
use crate::results::{self, Wait, Wording, applied_text, failure_text, waiting_text};
use crate::task::{Request, Task};

/// Records `outcomes` and returns a wait or an end.
pub fn settle(
    state: &mut OperationState,
    tasks: &mut [Task],
    after: &After,
    actions: &[Action],
    outcomes: &[Outcome],
) -> After {
    let operation = state.operation.clone();
    let request = Request { operation: &operation, started: state.started_at, revision: "", results: &[] };
    for (action, outcome) in actions.iter().zip(outcomes) {
        note(state, tasks, (action, outcome), &request);
    }
    let refused = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Refused(_)));
    if state.phase == OperationPhase::Terminating && refused {
        return After::End {
            phase: OperationPhase::Error,
            message: "Operation termination had errors".into(),
        };
    }
    let held = actions.iter().zip(outcomes).find_map(|(action, outcome)| match (action, outcome) {
        (Action::ReleaseHook { gvk, key, .. }, Outcome::Refused(why)) => {
            Some(format!("waiting to release hook {}/{}/{}: {why}", gvk.group, gvk.kind, key.name))
        }
        _ => None,
    });
    match held {
        // A hook that keeps our finalizer could never be deleted: the next pass tries again.
        Some(text) => After::Wait { waiting: Waiting::Tasks(text), wake: Wake::OnChange },
        None => quietly(tasks, after.clone()),
    }
}

fn note(
    state: &mut OperationState,
    tasks: &mut [Task],
    (action, outcome): (&Action, &Outcome),
    request: &Request<'_>,
) {
    let at = tasks.iter().position(|task| match action {
        Action::Apply { phase, object, .. } | Action::DryRun { phase, object, .. } => {
            task.phase == *phase && task.key == object.object_key()
        }
        Action::Prune { phase, gvk, key, .. } => {
            task.phase == *phase && task.key.group_kind == gvk.group_kind() && task.key.key == *key
        }
        Action::DeleteHook { gvk, key, .. } | Action::ReleaseHook { gvk, key, .. } => {
            task.hook && task.key.group_kind == gvk.group_kind() && task.key.key == *key
        }
    });
    let Some(task) = at.map(|at| &mut tasks[at]) else { return };
    match (action, outcome) {
        (
            Action::Apply { .. } | Action::Prune { .. },
            Outcome::Refused(message) | Outcome::Malformed(message),
        ) => {
            results::record(state, task, Some(ResultCode::SyncFailed), message);
        }
        (Action::Apply { mode, .. }, outcome) => {
            let wording = wording(task, *mode, request);
            let text = applied_text(task, outcome, wording);
            results::record(state, task, Some(ResultCode::Synced), text);
        }
        (Action::Prune { .. }, _) => results::record(state, task, Some(ResultCode::Pruned), "pruned"),
        (Action::DeleteHook { .. }, Outcome::Refused(message) | Outcome::Malformed(message))
            if task.is_completed() =>
        {
            let text = format!("failed to delete resource: {message}");
            results::record_phase(state, task, None, (OperationPhase::Error, text));
        }
        (Action::DryRun { .. } | Action::DeleteHook { .. } | Action::ReleaseHook { .. }, _) => {}
    }
}

fn wording(task: &Task, mode: crate::ApplyMode, request: &Request<'_>) -> Wording {
    use crate::ApplyMode;
    match mode {
        ApplyMode::Replace | ApplyMode::Recreate => Wording::Replaced,
        ApplyMode::Apply | ApplyMode::ApplyOrRecreate if group::says_server_side(task, request) => {
            Wording::ServerSide
        }
        ApplyMode::Apply | ApplyMode::ApplyOrRecreate => Wording::ClientSide,
    }
}

/// Returns `after` with a group turned into a wait or an end by the results of its tasks.
pub fn quietly(tasks: &[Task], after: After) -> After {
    let After::Group { members, remaining } = after else { return after };
    let members: Vec<&Task> = members.iter().map(|at| &tasks[*at]).collect();
    let again = |tasks: &[&Task]| After::Wait {
        waiting: Waiting::Tasks(waiting_text(tasks, Wait::Completion)),
        wake: Wake::Now,
    };
    if members.iter().any(|task| task.code() == Some(ResultCode::SyncFailed)) {
        let running: Vec<&Task> = members.iter().copied().filter(|task| task.is_running()).collect();
        let has_fail_hooks = tasks.iter().any(|task| task.phase == SyncPhase::SyncFail && task.is_pending());
        if running.is_empty() && !has_fail_hooks {
            let message = failure_text("one or more objects failed to apply", members);
            return After::End { phase: OperationPhase::Failed, message };
        }
        return again(&running);
    }
    let remaining: Vec<&Task> = remaining.iter().map(|at| &tasks[*at]).collect();
    if remaining.is_empty() {
        let message = "successfully synced (all tasks run)".into();
        return After::End { phase: OperationPhase::Succeeded, message };
    }
    again(&remaining)
}
