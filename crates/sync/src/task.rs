//! Tasks of an operation: one a resource or hook and phase.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::application::{
    Application, Operation, OperationPhase, ResourceResult, ResultCode, SyncPhase, SyncResource,
};
use object::{Gvk, Key, Object, ObjectKey, Time};

use crate::hook::{self, HOOK_FINALIZER, Role};
use crate::observation::{Observation, Settings};
use crate::pairs::Pairs;
use crate::{compare, options, order, tracking};

/// One resource or hook in one phase.
#[derive(Clone, Debug)]
pub struct Task {
    /// Phase.
    pub phase: SyncPhase,
    /// Wave in the phase.
    pub wave: i64,
    /// Group, kind, namespace, name.
    pub key: ObjectKey,
    /// Version of the kind.
    pub version: String,
    /// What it should be; `None` to delete it.
    pub target: Option<Arc<Object>>,
    /// What it is.
    pub live: Option<Arc<Object>>,
    /// Whether it is a hook.
    pub hook: bool,
    /// What became of it so far.
    pub result: Option<ResourceResult>,
}

impl Task {
    fn new(phase: SyncPhase, target: Option<Arc<Object>>, live: Option<Arc<Object>>) -> Option<Self> {
        let object = target.as_ref().or(live.as_ref())?;
        Some(Self {
            phase,
            wave: hook::wave(object),
            key: object.object_key(),
            version: object.gvk().version,
            hook: hook::is_hook(object),
            target,
            live,
            result: None,
        })
    }

    /// Returns group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk::new(&self.key.group_kind.group, &self.version, &self.key.group_kind.kind)
    }

    /// Returns true when the object is to be deleted.
    pub fn is_prune(&self) -> bool {
        self.target.is_none()
    }

    /// Returns true when nothing was done for it yet.
    pub fn is_pending(&self) -> bool {
        self.result.is_none()
    }

    /// Returns where it is.
    pub fn phase_reached(&self) -> Option<OperationPhase> {
        self.result.as_ref()?.hook_phase
    }

    /// Returns true when it was started and is not done.
    pub fn is_running(&self) -> bool {
        self.phase_reached() == Some(OperationPhase::Running)
    }

    /// Returns true when it is done.
    pub fn is_completed(&self) -> bool {
        self.result.is_some() && !self.is_running()
    }

    /// Returns true when it is done, but not well.
    pub fn is_failed(&self) -> bool {
        self.is_completed() && self.phase_reached() != Some(OperationPhase::Succeeded)
    }

    /// Returns what became of it.
    pub fn code(&self) -> Option<ResultCode> {
        self.result.as_ref()?.status
    }

    /// Returns `group/Kind/name`, as messages name it.
    pub fn name(&self) -> String {
        let kind = &self.key.group_kind;
        format!("{}/{}/{}", kind.group, kind.kind, self.key.key.name)
    }

    /// Returns the identity of its result.
    pub fn identity(&self) -> (SyncPhase, ObjectKey) {
        (self.phase, self.key.clone())
    }
}

/// Parameters of the running operation that decide about its tasks.
pub struct Request<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// When it started.
    pub started: Time,
    /// Resolved revision.
    pub revision: &'a str,
    /// Results so far.
    pub results: &'a [ResourceResult],
}

impl Request<'_> {
    /// Returns the sync options: the operation's.
    pub fn options(&self) -> &[String] {
        self.operation.sync.as_ref().map(|sync| sync.sync_options.as_slice()).unwrap_or_default()
    }

    fn resources(&self) -> &[SyncResource] {
        self.operation.sync.as_ref().map(|sync| sync.resources.as_slice()).unwrap_or_default()
    }

    fn runs_hooks(&self) -> bool {
        let strategy = self.operation.sync.as_ref().and_then(|sync| sync.sync_strategy.as_ref());
        self.resources().is_empty() && strategy.is_none_or(|strategy| strategy.apply.is_none())
    }
}

/// Returns the tasks of an operation, in order.
pub fn tasks(
    app: &Application,
    request: &Request<'_>,
    pairs: &Pairs,
    observation: &Observation,
) -> Vec<Task> {
    let mut tasks = resource_tasks(request, pairs);
    if request.runs_hooks() {
        tasks.extend(hook_tasks(app, request, pairs, &observation.settings));
    }
    tasks.extend(namespace_task(app, request, pairs, observation));
    arrange_prunes(&mut tasks, request.options());
    tasks.sort_by_cached_key(|task| {
        (
            task.phase,
            task.wave,
            order::rank(&task.key.group_kind.kind),
            task.key.key.name.clone(),
            task.key.clone(),
        )
    });
    let results: BTreeMap<_, _> = request.results.iter().map(|result| (identity(result), result)).collect();
    for task in &mut tasks {
        task.result = results.get(&task.identity()).map(|result| (*result).clone());
    }
    if options::contains(request.options(), "ApplyOutOfSyncOnly=true") {
        tasks.retain(|task| task.hook || task.result.is_some() || differs(app, task));
    }
    tasks
}

fn differs(app: &Application, task: &Task) -> bool {
    match (&task.target, &task.live) {
        (Some(target), Some(live)) => compare::differs(target, live, &app.spec.ignore_differences),
        _ => true,
    }
}

/// Returns phase and key of a result.
pub fn identity(result: &ResourceResult) -> (SyncPhase, ObjectKey) {
    let group_kind = object::GroupKind::new(&result.group, &result.kind);
    let key = Key::new(&result.namespace, &result.name);
    (result.sync_phase.unwrap_or(SyncPhase::Sync), ObjectKey { group_kind, key })
}

fn resource_tasks(request: &Request<'_>, pairs: &Pairs) -> Vec<Task> {
    let wanted =
        pairs.resources.values().filter(|pair| pair.genuine && is_wanted(request.resources(), &pair.key));
    wanted
        .filter(|pair| pair.object().is_some_and(|object| hook::role(object) == Role::Resource))
        .filter_map(|pair| {
            let task = Task::new(SyncPhase::Sync, pair.target.clone(), pair.live.clone())?;
            Some(Task { key: pair.key.clone(), ..task })
        })
        .collect()
}

fn is_wanted(resources: &[SyncResource], key: &ObjectKey) -> bool {
    resources.is_empty()
        || resources.iter().any(|resource| {
            resource.group == key.group_kind.group
                && resource.kind == key.group_kind.kind
                && resource.name == key.key.name
                && (resource.namespace.is_empty() || resource.namespace == key.key.namespace)
        })
}

fn hook_tasks(app: &Application, request: &Request<'_>, pairs: &Pairs, settings: &Settings) -> Vec<Task> {
    let mut tasks = Vec::new();
    for hook in &pairs.hooks {
        let Role::Hook(phases) = hook::role(hook) else { continue };
        for phase in phases {
            let target = named(app, hook, phase, (request, settings));
            let live = pairs.live.get(&target.object_key()).cloned();
            tasks.extend(Task::new(phase, Some(Arc::new(target)), live));
        }
    }
    tasks
}

/// Returns the hook with our finalizer and, when it only has a prefix, the name `<prefix><rev7>-<phase>-<unix start>`.
fn named(app: &Application, hook: &Object, phase: SyncPhase, with: (&Request<'_>, &Settings)) -> Object {
    let (request, settings) = with;
    let mut target = hook.clone();
    if target.name().is_empty() {
        let short =
            request.revision.get(..7).filter(|_| request.revision.len() >= 8).unwrap_or(request.revision);
        let suffix = format!("{short}-{}-{}", phase.as_str(), request.started.unix()).to_lowercase();
        let name = format!("{}{suffix}", hook.str(&["metadata", "generateName"]));
        target.set(&["metadata", "name"], name);
        tracking::mark(
            &mut target,
            &tracking::instance(app, settings),
            &app.spec.destination.namespace,
            settings,
        );
    }
    if !target.finalizers().contains(&HOOK_FINALIZER) {
        let mut finalizers: Vec<String> = target.finalizers().into_iter().map(str::to_owned).collect();
        finalizers.push(HOOK_FINALIZER.into());
        target.set(&["metadata", "finalizers"], finalizers);
    }
    target
}

/// Returns the task that makes the destination namespace, when the options ask for it and no target is it. One whose
/// metadata is managed is applied each time.
fn namespace_task(
    app: &Application,
    request: &Request<'_>,
    pairs: &Pairs,
    observation: &Observation,
) -> Option<Task> {
    let name = &app.spec.destination.namespace;
    if name.is_empty() || !options::contains(request.options(), "CreateNamespace=true") {
        return None;
    }
    let mut target = Object::new(&Gvk::new("", "v1", "Namespace"), &Key::new("", name));
    let is_it = |object: &Object| object.object_key() == target.object_key();
    let declared = pairs.resources.values().filter_map(|pair| pair.target.as_deref()).any(is_it);
    if declared || pairs.hooks.iter().any(|hook| is_it(hook)) {
        return None;
    }
    let metadata =
        app.spec.sync_policy.as_ref().and_then(|policy| policy.managed_namespace_metadata.as_ref());
    if let Some(metadata) = metadata {
        metadata.labels.iter().for_each(|(key, value)| target.set_label(key, value));
        metadata.annotations.iter().for_each(|(key, value)| target.set_annotation(key, value));
        target.set_annotation(options::SYNC_OPTIONS, "ServerSideApply=true");
    }
    let live = observation.namespace.clone();
    let due = metadata.is_some() || live.is_none();
    if due { Task::new(SyncPhase::PreSync, Some(Arc::new(target)), live) } else { None }
}

/// Moves prunes to their waves: reversed, or after everything else with `PruneLast=true`.
fn arrange_prunes(tasks: &mut [Task], options: &[String]) {
    let reversed = order::reversed(tasks.iter().filter(|task| task.is_prune()).map(|task| task.wave));
    for task in tasks.iter_mut().filter(|task| task.is_prune()) {
        task.wave = reversed.get(&task.wave).copied().unwrap_or(task.wave);
    }
    let in_sync = tasks.iter().filter(|task| task.phase == SyncPhase::Sync).map(|task| task.wave);
    let last = in_sync.max().unwrap_or_default().max(0) + 1;
    for task in tasks.iter_mut().filter(|task| task.is_prune()) {
        if task.live.as_ref().is_some_and(|live| options::either(options, live, "PruneLast=true")) {
            task.wave = last;
        }
    }
}
