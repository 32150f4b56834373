//! What makes an operation fail before anything is done.

use api::application::{ConditionKind, OperationState};
use object::{GroupKind, Object};

use crate::observation::{Observation, Scope};
use crate::options::{self, SYNC_OPTIONS};
use crate::pairs::Pairs;
use crate::project::Permissions;
use crate::results;
use crate::task::{Request, Task};

/// Returns why the operation cannot go on; tasks that are at fault get a result.
pub fn refusal(
    tasks: &mut [Task],
    state: &mut OperationState,
    (request, pairs): (&Request<'_>, &Pairs),
    observation: &Observation,
) -> Option<String> {
    if request.operation.sync.is_none() {
        return Some("Invalid operation request: no operation specified".into());
    }
    let started = tasks.iter().any(|task| !task.is_pending());
    if !started && options::contains(request.options(), "FailOnSharedResource=true") {
        let is_shared = |kind| kind == ConditionKind::SharedResourceWarning;
        if let Some(condition) = pairs.conditions.iter().find(|condition| is_shared(condition.kind)) {
            return Some(format!("Shared resource found: {}", condition.message));
        }
    }
    let mut messages: Vec<String> = Vec::new();
    for task in tasks.iter_mut().filter(|task| task.is_pending() && !task.is_prune()) {
        let Some(message) = unknown_kind(task, (request, pairs), observation) else { continue };
        refuse(state, task, message, &mut messages);
    }
    let permissions = Permissions::of(observation);
    for task in tasks.iter_mut().filter(|task| task.is_pending()) {
        let Some(message) = forbidden(task, &permissions, observation) else { continue };
        refuse(state, task, message, &mut messages);
    }
    (!messages.is_empty())
        .then(|| format!("one or more synchronization tasks are not valid: {}", messages.join(", ")))
}

fn refuse(state: &mut OperationState, task: &mut Task, message: String, messages: &mut Vec<String>) {
    results::refuse(state, task, &message);
    if !messages.contains(&message) {
        messages.push(message);
    }
}

/// Returns why the project does not permit the task.
fn forbidden(task: &Task, permissions: &Permissions, observation: &Observation) -> Option<String> {
    let project = permissions.project().ok()??.object.name();
    let scope = observation.kinds.scope(&task.key.group_kind)?;
    let GroupKind { group, kind } = &task.key.group_kind;
    if !permissions.kind(&task.key.group_kind, &task.key.key.name, scope) {
        return Some(format!("resource {group}:{kind} is not permitted in project {project}"));
    }
    let namespace = &task.key.key.namespace;
    (scope == Scope::Namespaced && !permissions.namespace(namespace))
        .then(|| format!("namespace {namespace} is not permitted in project '{project}'"))
}

fn unknown_kind(
    task: &Task,
    (request, pairs): (&Request<'_>, &Pairs),
    observation: &Observation,
) -> Option<String> {
    let GroupKind { group, kind } = &task.key.group_kind;
    if observation.kinds.scope(&task.key.group_kind).is_some() {
        return None;
    }
    let skips = "SkipDryRunOnMissingResource=true";
    let waived = options::contains(request.options(), skips)
        || task.target.as_deref().is_some_and(|target| options::has(target, SYNC_OPTIONS, skips));
    let targets = pairs.resources.values().filter_map(|pair| pair.target.as_deref());
    let hooks = pairs.hooks.iter().map(AsRef::as_ref);
    if waived || targets.chain(hooks).any(|object| defines(object, &task.key.group_kind)) {
        return None;
    }
    let key = &task.key.key;
    Some(format!(
        "The Kubernetes API could not find {group}/{kind} for requested resource {}/{}. Make sure the {kind:?} CRD is \
         installed on the destination cluster.",
        key.namespace, key.name
    ))
}

/// Returns true when `object` is the definition of `kind`.
pub fn defines(object: &Object, kind: &GroupKind) -> bool {
    object.kind() == "CustomResourceDefinition"
        && object.str(&["spec", "group"]) == kind.group
        && object.str(&["spec", "names", "kind"]) == kind.kind
}
