//! Results of tasks, and the texts people read about them.

use api::application::{OperationPhase, OperationState, ResourceResult, ResultCode};
use object::{GroupKind, Object};

use crate::action::Outcome;
use crate::task::{Task, identity};

/// Writes what became of `task` into `state`, at its place or at the end, and into the task.
pub fn record(
    state: &mut OperationState,
    task: &mut Task,
    code: Option<ResultCode>,
    message: impl Into<String>,
) {
    let phase = match code {
        Some(ResultCode::Synced) => OperationPhase::Running,
        Some(ResultCode::SyncFailed) => OperationPhase::Failed,
        Some(ResultCode::Pruned | ResultCode::PruneSkipped) => OperationPhase::Succeeded,
        None => task.phase_reached().unwrap_or(OperationPhase::Running),
    };
    record_phase(state, task, code, (phase, message.into()));
}

/// Writes that nothing was tried for `task`, and why: it has no phase then.
pub fn refuse(state: &mut OperationState, task: &mut Task, message: &str) {
    record(state, task, Some(ResultCode::SyncFailed), message);
    let results = state.sync_result.iter_mut().flat_map(|result| &mut result.resources);
    results.filter(|result| identity(result) == task.identity()).for_each(|result| result.hook_phase = None);
    if let Some(result) = &mut task.result {
        result.hook_phase = None;
    }
}

/// Like [`record`], with the phase given.
pub fn record_phase(
    state: &mut OperationState,
    task: &mut Task,
    code: Option<ResultCode>,
    (phase, message): (OperationPhase, String),
) {
    let result = ResourceResult {
        group: task.key.group_kind.group.clone(),
        version: task.version.clone(),
        kind: task.key.group_kind.kind.clone(),
        namespace: task.key.key.namespace.clone(),
        name: task.key.key.name.clone(),
        status: code.or(task.code()),
        message,
        hook_type: task.hook.then_some(task.phase),
        hook_phase: Some(phase),
        sync_phase: Some(task.phase),
        images: task.target.as_deref().map(images).unwrap_or_default(),
        ..ResourceResult::default()
    };
    task.result = Some(result.clone());
    let results = &mut state.sync_result.get_or_insert_default().resources;
    match results.iter_mut().find(|other| identity(other) == task.identity()) {
        Some(other) => *other = result,
        None => results.push(result),
    }
}

/// Returns the images of the containers in `object`, in its order, each once.
pub fn images(object: &Object) -> Vec<String> {
    let mut images = Vec::new();
    for spec in
        [&["spec"][..], &["spec", "template", "spec"], &["spec", "jobTemplate", "spec", "template", "spec"]]
    {
        for list in ["initContainers", "containers"] {
            let path: Vec<&str> = spec.iter().copied().chain([list]).collect();
            let named = object.items(&path).iter().filter_map(|container| container["image"].as_str());
            for image in named {
                if !images.iter().any(|seen| seen == image) {
                    images.push(image.to_owned());
                }
            }
        }
    }
    images
}

/// How the text about an applied object is worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// `created`, `configured`, `unchanged`.
    ClientSide,
    /// `serverside-applied`.
    ServerSide,
    /// `replaced` where it existed.
    Replaced,
}

/// Returns the text kubectl prints, e.g. `deployment.apps/guestbook-ui configured`.
pub fn applied_text(task: &Task, outcome: &Outcome, wording: Wording) -> String {
    let verb = match (wording, outcome) {
        (Wording::ServerSide, _) => "serverside-applied",
        (_, Outcome::Created) => "created",
        (Wording::Replaced, _) => "replaced",
        (Wording::ClientSide, Outcome::Unchanged) => "unchanged",
        (Wording::ClientSide, _) => "configured",
    };
    let GroupKind { group, kind } = &task.key.group_kind;
    let dot = if group.is_empty() { "" } else { "." };
    format!("{}{dot}{group}/{} {verb}", kind.to_lowercase(), task.key.key.name)
}

/// What a text says the operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Health of resources or the end of hooks.
    Completion,
    /// The end of a deletion.
    Deletion,
    /// A person.
    Confirmation,
}

/// Returns `waiting for … <first task>[ and N more …]`.
pub fn waiting_text(tasks: &[&Task], wait: Wait) -> String {
    let Some(first) = tasks.first() else { return "one or more tasks are running".into() };
    let (what, more) = match (wait, first.hook) {
        (Wait::Completion, true) => ("completion of hook", "hooks"),
        (Wait::Completion, false) => ("healthy state of", "resources"),
        (Wait::Deletion, true) => ("deletion of hook", "hooks"),
        (Wait::Deletion, false) => ("deletion of", "resources"),
        (Wait::Confirmation, _) => ("pruning confirmation of", "resources"),
    };
    match tasks.len() - 1 {
        0 => format!("waiting for {what} {}", first.name()),
        count => format!("waiting for {what} {} and {count} more {more}", first.name()),
    }
}

/// Returns `message`, with the messages of the failed tasks after it, each once.
pub fn failure_text<'a>(message: &str, tasks: impl IntoIterator<Item = &'a Task>) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for task in tasks {
        let Some(result) =
            task.result.as_ref().filter(|result| result.status == Some(ResultCode::SyncFailed))
        else {
            continue;
        };
        if !reasons.contains(&result.message.as_str()) {
            reasons.push(&result.message);
        }
    }
    if reasons.is_empty() { message.to_owned() } else { format!("{message}, reason: {}", reasons.join(",")) }
}
