//! One pass of a cascading deletion.

use api::application::{Application, ApplicationCondition, ConditionKind, RESOURCES_FINALIZER, SyncPhase};
use object::{GroupKind, Object};

use crate::action::{Action, Propagation, Waiting, Why};
use crate::group::is_approved;
use crate::observation::{Cluster, Observation};
use crate::options::{self, Hold};
use crate::project::Permissions;
use crate::{conditions, hook};

pub mod hooks;

/// What one pass of a deletion came to.
#[derive(Clone, Debug)]
pub struct Deletion {
    /// What to do.
    pub actions: Vec<Action>,
    /// The finalizers that stay on the Application; fewer than it has once a stage is over.
    pub finalizers: Vec<String>,
    /// The new conditions of the Application: what holds the deletion is one.
    pub conditions: Vec<ApplicationCondition>,
    /// Why the pass ended as it did.
    pub why: Why,
}

/// One pass of a stage.
pub(crate) struct Pass {
    actions: Vec<Action>,
    why: Why,
    /// True when the stage is over and its finalizer comes off.
    is_done: bool,
    /// What holds the deletion until somebody does something.
    problem: Option<String>,
}

impl Pass {
    fn done() -> Self {
        let why = Why::Finished("this stage of the deletion is over".into());
        Self { actions: vec![], why, is_done: true, problem: None }
    }

    fn blocked(problem: String) -> Self {
        let why = Why::Blocked(vec![problem.clone()]);
        Self { actions: vec![], why, is_done: false, problem: Some(problem) }
    }
}

const POLICIES: [(&str, Propagation); 3] = [
    (RESOURCES_FINALIZER, Propagation::Foreground),
    ("resources-finalizer.argocd.argoproj.io/foreground", Propagation::Foreground),
    ("resources-finalizer.argocd.argoproj.io/background", Propagation::Background),
];

/// Returns one pass of the deletion of `app`: hooks before it, its objects wave by wave, the last wave first, each wave once
/// the one before is gone, and hooks after it; each stage has a finalizer that comes off at its end.
///
/// Source: Argo CD `finalizeApplicationDeletion`: definitions, the Application itself, `Delete=false` and
/// `helm.sh/resource-policy: keep` stay, and what the project does not permit; `Delete=confirm` waits for an approval at or
/// after the deletion. Unlike there, a cluster that is not known blocks the deletion instead of orphaning what runs in it.
pub fn deletion(app: &Application, observation: &Observation) -> Deletion {
    let held: Vec<String> = app.object.finalizers().into_iter().map(str::to_owned).collect();
    let (finalizer, pass) = stage(app, observation, &held);
    let left = held.into_iter().filter(|name| !pass.is_done || Some(name.as_str()) != finalizer);
    let problem = pass.problem.map(|text| ApplicationCondition::new(ConditionKind::DeletionError, text));
    let conditions = conditions::replaced(
        &app.status.conditions,
        problem.into_iter().collect(),
        &[ConditionKind::DeletionError],
        observation.now.whole_seconds(),
    );
    Deletion { actions: pass.actions, finalizers: left.collect(), conditions, why: pass.why }
}

/// Returns the finalizer of the stage that is due, and one pass of it.
fn stage(app: &Application, observation: &Observation, held: &[String]) -> (Option<&'static str>, Pass) {
    let has = |name: &str| held.iter().any(|held| held == name);
    let cascade = POLICIES.iter().find(|(name, _)| has(name));
    let of_hooks = |(_, run, clean): &(_, &str, &str)| has(run) || has(clean);
    if cascade.is_none() && !hooks::FINALIZERS.iter().any(of_hooks) {
        return (None, Pass { why: Why::Finished("nothing to delete".into()), ..Pass::done() });
    }
    if let Cluster::Unknown { message } = &observation.cluster {
        return (None, Pass::blocked(message.clone()));
    }
    let permissions = Permissions::of(observation);
    if let Err(message) = permissions.project() {
        let problem = format!("project {} cannot be read: {message}", app.spec.project);
        return (None, Pass::blocked(problem));
    }
    let [(before, run_before, clean_before), (after, run_after, clean_after)] = hooks::FINALIZERS;
    match cascade {
        _ if has(run_before) => (Some(run_before), hooks::run(app, observation, before)),
        _ if has(clean_before) => (Some(clean_before), hooks::clean(app, observation, before)),
        Some((name, propagation)) => (Some(*name), remove(app, observation, (&permissions, *propagation))),
        None if has(run_after) => (Some(run_after), hooks::run(app, observation, after)),
        None => (Some(clean_after), hooks::clean(app, observation, after)),
    }
}

/// Deletes the objects of `app`, the last wave first.
fn remove(
    app: &Application,
    observation: &Observation,
    (permissions, propagation): (&Permissions, Propagation),
) -> Pass {
    let doomed = doomed(app, observation, permissions);
    if let Some(object) = doomed.iter().find(|object| unconfirmed(app, object)) {
        let waiting = Waiting::Confirmation(format!("waiting for deletion confirmation of {}", text(object)));
        return Pass { why: Why::WaitingOn(waiting), is_done: false, ..Pass::done() };
    }
    let Some(last) = doomed.iter().map(|object| hook::wave(object)).max() else {
        return Pass { why: Why::Finished("all resources are gone".into()), ..Pass::done() };
    };
    let wave: Vec<&&Object> = doomed.iter().filter(|object| hook::wave(object) == last).collect();
    let actions: Vec<Action> =
        wave.iter().filter(|o| !o.is_deleting()).map(|o| prune(o, propagation)).collect();
    let why = match wave.first() {
        Some(first) if actions.is_empty() => {
            Why::WaitingOn(Waiting::Deletion(format!("waiting for deletion of {}", text(first))))
        }
        _ => Why::Acting(actions.len()),
    };
    Pass { actions, why, is_done: false, problem: None }
}

fn text(object: &Object) -> String {
    let GroupKind { group, kind } = object.group_kind();
    format!("{group}/{kind}/{}", object.name())
}

fn doomed<'a>(app: &Application, observation: &'a Observation, permissions: &Permissions) -> Vec<&'a Object> {
    let settings = &observation.settings;
    let instance = crate::tracking::instance(app, settings);
    let is_ours = |live: &Object| {
        crate::tracking::owner(live, settings)
            .is_some_and(|owner| owner.genuine && owner.instance == instance)
    };
    let mut doomed: Vec<&Object> = observation
        .live
        .iter()
        .map(AsRef::as_ref)
        .filter(|live| is_ours(live) && !stays(app, live) && permissions.live(live))
        .collect();
    doomed.sort_by_key(|object| object.object_key());
    doomed.dedup_by_key(|object| object.object_key());
    doomed
}

fn stays(app: &Application, live: &Object) -> bool {
    live.kind() == "CustomResourceDefinition"
        || !hook::deletion_moments(live).is_empty()
        || (!app.object.uid().is_empty() && live.uid() == app.object.uid())
        || live.annotation("helm.sh/resource-policy") == Some("keep")
        || options::hold(app.spec.sync_options(), live, "Delete") == Hold::Never
}

fn unconfirmed(app: &Application, live: &Object) -> bool {
    let held = options::hold(app.spec.sync_options(), live, "Delete") == Hold::Confirm;
    held && !app.object.deletion_time().is_some_and(|since| is_approved(app, since))
}

fn prune(live: &Object, propagation: Propagation) -> Action {
    Action::Prune {
        phase: SyncPhase::Sync,
        gvk: live.gvk(),
        key: live.key(),
        uid: live.uid().to_owned(),
        propagation,
    }
}
