//! Hooks of a deletion: run before the objects of an Application go, or after.

use api::application::{Application, SyncPhase};
use health::{Builtin, Status};
use object::Object;

use super::{Pass, text};
use crate::action::{Action, ApplyMode, Waiting, Why};
use crate::hook::{self, DeletePolicy, DeletionMoment};
use crate::observation::{Observation, Scope, Settings, Target};
use crate::project::Permissions;
use crate::{options, order, pairs, tracking};

/// The finalizers of a moment: the hooks have to run, and what they leave has to go.
pub const FINALIZERS: [(DeletionMoment, &str, &str); 2] = [
    (
        DeletionMoment::Before,
        "pre-delete-finalizer.argocd.argoproj.io",
        "pre-delete-finalizer.argocd.argoproj.io/cleanup",
    ),
    (
        DeletionMoment::After,
        "post-delete-finalizer.argocd.argoproj.io",
        "post-delete-finalizer.argocd.argoproj.io/cleanup",
    ),
];

/// Returns the finalizers that `app` should have by the hooks among `targets`; `None` when it has them.
///
/// Source: Argo CD sets both finalizers of a moment while the source has a hook for it, and takes them off when not.
pub fn finalizers(app: &Application, targets: &[Object]) -> Option<Vec<String>> {
    let held = app.object.finalizers();
    let mut wanted = held.clone();
    for (moment, run, clean) in FINALIZERS {
        let due = targets.iter().any(|target| hook::deletion_moments(target).contains(&moment));
        for name in [run, clean] {
            if !due {
                wanted.retain(|held| *held != name);
            } else if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
    }
    (wanted != held && !app.object.is_deleting()).then(|| wanted.into_iter().map(str::to_owned).collect())
}

/// Creates the hooks of a moment and waits for them to end.
///
/// Source: Argo CD `executePreDeleteHooks`, `executePostDeleteHooks`. A hook that fails before anything is deleted holds the
/// deletion; one that fails afterwards does not.
pub fn run(app: &Application, observation: &Observation, moment: DeletionMoment) -> Pass {
    let (objects, revision) = match &observation.target {
        Target::Found { objects, revision, .. } => (objects, revision),
        Target::Failed { message, .. } => {
            return Pass::blocked(format!("hooks of the deletion cannot be read: {message}"));
        }
    };
    let pairs = pairs::reconcile(app, objects, observation);
    let hooks = pairs.hooks.iter().filter(|hook| hook::deletion_moments(hook).contains(&moment));
    let mut hooks: Vec<Object> =
        hooks.map(|hook| named(app, hook, (moment, revision), &observation.settings)).collect();
    hooks.sort_by_cached_key(|hook| (hook::wave(hook), order::rank(hook.kind()), hook.object_key()));
    if let Some(refused) = hooks.iter().find(|hook| !is_permitted(hook, observation)) {
        return Pass::blocked(format!(
            "hook {} is not permitted in project {}",
            text(refused),
            app.spec.project
        ));
    }
    let live = |hook: &Object| pairs.live.get(&hook.object_key());
    let missing = hooks.iter().filter(|hook| live(hook).is_none());
    let actions: Vec<Action> = missing.map(|hook| apply(app, hook)).collect();
    if !actions.is_empty() {
        return Pass { why: Why::Acting(actions.len()), actions, is_done: false, problem: None };
    }
    let ended: Vec<(&Object, Ended)> =
        hooks.iter().filter_map(live).map(|live| (live.as_ref(), ended(live))).collect();
    if let Some((hook, _)) = ended.iter().find(|(_, ended)| *ended == Ended::NotYet) {
        let waiting = Waiting::Tasks(format!("waiting for completion of hook {}", text(hook)));
        return Pass { why: Why::WaitingOn(waiting), is_done: false, ..Pass::done() };
    }
    match ended.iter().find(|(_, ended)| *ended == Ended::Badly) {
        Some((hook, _)) if moment == DeletionMoment::Before => {
            Pass::blocked(format!("hook {} failed before the deletion", text(hook)))
        }
        _ => Pass::done(),
    }
}

/// Deletes what the hooks of a moment left, as their policies say, and waits until it is gone.
pub fn clean(app: &Application, observation: &Observation, moment: DeletionMoment) -> Pass {
    let settings = &observation.settings;
    let instance = tracking::instance(app, settings);
    let is_ours = |live: &Object| {
        hook::deletion_moments(live).contains(&moment)
            && tracking::owner(live, settings)
                .is_some_and(|owner| owner.genuine && owner.instance == instance)
    };
    let lives = observation.live.iter().map(AsRef::as_ref);
    let doomed: Vec<&Object> = lives.filter(|live| is_ours(live) && goes(live)).collect();
    let Some(first) = doomed.first() else { return Pass::done() };
    let deletes = doomed.iter().filter(|live| !live.is_deleting());
    let actions: Vec<Action> = deletes
        .map(|live| Action::DeleteHook { gvk: live.gvk(), key: live.key(), uid: live.uid().to_owned() })
        .collect();
    let why = if actions.is_empty() {
        Why::WaitingOn(Waiting::Deletion(format!("waiting for deletion of hook {}", text(first))))
    } else {
        Why::Acting(actions.len())
    };
    Pass { actions, why, is_done: false, problem: None }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    NotYet,
    Well,
    Badly,
}

fn ended(hook: &Object) -> Ended {
    match health::assess(hook, &Builtin).map(|health| health.status) {
        None | Some(Status::Healthy) => Ended::Well,
        Some(Status::Degraded | Status::Unknown) => Ended::Badly,
        Some(Status::Progressing | Status::Suspended | Status::Missing) => Ended::NotYet,
    }
}

fn goes(hook: &Object) -> bool {
    let policies = hook::delete_policies(hook);
    hook.is_deleting()
        || match ended(hook) {
            Ended::Well => policies.contains(&DeletePolicy::HookSucceeded),
            Ended::Badly => policies.contains(&DeletePolicy::HookFailed),
            Ended::NotYet => false,
        }
}

fn is_permitted(hook: &Object, observation: &Observation) -> bool {
    let permissions = Permissions::of(observation);
    let scope = observation.kinds.scope(&hook.group_kind()).unwrap_or(Scope::Namespaced);
    permissions.kind(&hook.group_kind(), hook.name(), scope)
        && (scope == Scope::Cluster || permissions.namespace(hook.namespace()))
}

/// Returns the hook with a name of its own, made of the revision and the start of the deletion.
fn named(
    app: &Application,
    hook: &Object,
    (moment, revision): (DeletionMoment, &str),
    settings: &Settings,
) -> Object {
    let mut hook = hook.clone();
    if hook.name().is_empty() {
        let since = app.object.deletion_time().map_or(0, object::Time::unix);
        let short = revision.get(..7).unwrap_or(revision);
        let prefix = hook.str(&["metadata", "generateName"]).to_owned();
        hook.set(&["metadata", "name"], format!("{prefix}{short}-{}-{since}", moment.suffix()));
        let instance = tracking::instance(app, settings);
        tracking::mark(&mut hook, &instance, &app.spec.destination.namespace, settings);
    }
    hook
}

fn apply(app: &Application, hook: &Object) -> Action {
    let validation = options::validation(app.spec.sync_options(), hook);
    let phase = SyncPhase::Sync;
    Action::Apply { phase, object: hook.clone(), mode: ApplyMode::Apply, validation, adopt: None }
}
