//! One pass of a cascading deletion.

use api::application::{Application, RESOURCES_FINALIZER, SyncPhase};
use object::{GroupKind, Object};

use crate::action::{Action, Propagation, Waiting, Why};
use crate::group::is_approved;
use crate::hook;
use crate::observation::{Cluster, Observation};
use crate::options::{self, Hold};
use crate::project::Permissions;

/// What one pass of a deletion came to.
#[derive(Clone, Debug)]
pub struct Deletion {
    /// What to delete.
    pub actions: Vec<Action>,
    /// The finalizers that stay on the Application; fewer than it has once everything is gone.
    pub finalizers: Vec<String>,
    /// Why the pass ended as it did.
    pub why: Why,
}

const POLICIES: [(&str, Propagation); 3] = [
    (RESOURCES_FINALIZER, Propagation::Foreground),
    ("resources-finalizer.argocd.argoproj.io/foreground", Propagation::Foreground),
    ("resources-finalizer.argocd.argoproj.io/background", Propagation::Background),
];

/// Returns one pass of the deletion of `app`: its objects go wave by wave, the last wave first, each wave once the one
/// before is gone; then the finalizer comes off.
///
/// Source: Argo CD `finalizeApplicationDeletion`: definitions, the Application itself, `Delete=false` and
/// `helm.sh/resource-policy: keep` stay, and what the project does not permit; `Delete=confirm` waits for an approval at or after the deletion. Unlike there, a
/// cluster that is not known blocks the deletion instead of orphaning what runs in it.
pub fn deletion(app: &Application, observation: &Observation) -> Deletion {
    let finalizers: Vec<String> = app.object.finalizers().into_iter().map(str::to_owned).collect();
    let policy = POLICIES.iter().find(|(name, _)| finalizers.iter().any(|finalizer| finalizer == name));
    let Some((name, propagation)) = policy else {
        return Deletion { actions: vec![], finalizers, why: Why::Finished("nothing to delete".into()) };
    };
    if let Cluster::Unknown { message } = &observation.cluster {
        return Deletion { actions: vec![], finalizers, why: Why::Blocked(vec![message.clone()]) };
    }
    let permissions = Permissions::of(observation);
    if let Err(message) = permissions.project() {
        let why = Why::Blocked(vec![format!("project {} cannot be read: {message}", app.spec.project)]);
        return Deletion { actions: vec![], finalizers, why };
    }
    let doomed = doomed(app, observation, &permissions);
    if let Some(object) = doomed.iter().find(|object| unconfirmed(app, object)) {
        let waiting = Waiting::Confirmation(format!("waiting for deletion confirmation of {}", text(object)));
        return Deletion { actions: vec![], finalizers, why: Why::WaitingOn(waiting) };
    }
    let Some(last) = doomed.iter().map(|object| hook::wave(object)).max() else {
        let finalizers = finalizers.into_iter().filter(|finalizer| finalizer != name).collect();
        return Deletion { actions: vec![], finalizers, why: Why::Finished("all resources are gone".into()) };
    };
    let wave: Vec<&&Object> = doomed.iter().filter(|object| hook::wave(object) == last).collect();
    let actions: Vec<Action> =
        wave.iter().filter(|o| !o.is_deleting()).map(|o| prune(o, *propagation)).collect();
    let why = match wave.first() {
        Some(first) if actions.is_empty() => {
            Why::WaitingOn(Waiting::Deletion(format!("waiting for deletion of {}", text(first))))
        }
        _ => Why::Acting(actions.len()),
    };
    Deletion { actions, finalizers, why }
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
