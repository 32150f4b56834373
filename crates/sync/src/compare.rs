//! From pairs to the status of each resource and of the whole.

use api::application::{Application, IgnoreDifference, ResourceStatus, SyncCode};
use object::Object;

use crate::hook::{self, Role};
use crate::observation::{Observation, Scope};
use crate::options::{self, COMPARE_OPTIONS, SYNC_OPTIONS};
use crate::pairs::{Pair, Pairs};
use crate::project::Permissions;

/// Result of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The verdict.
    pub code: SyncCode,
    /// One entry a resource, ordered by group, kind, namespace, name.
    pub resources: Vec<ResourceStatus>,
}

/// Whether the targets are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// They are.
    Known,
    /// The source could not be read.
    Unknown,
}

/// Returns true when applying `target` would change `live`.
pub fn differs(target: &Object, live: &Object, ignores: &[IgnoreDifference]) -> bool {
    diff::compare(
        target,
        live,
        &diff::Options { ignores: diff::applicable(ignores, target), ..diff::Options::default() },
    )
    .drifted
}

/// Returns the status of each resource and of the whole.
///
/// Source: Argo CD `CompareAppState`: hooks, skipped objects and copied marks are listed without a status and do not
/// count. What the project does not permit is of unknown status.
pub fn compare(app: &Application, pairs: &Pairs, targets: Targets, observation: &Observation) -> Compared {
    let permissions = Permissions::of(observation);
    let mut code = SyncCode::Synced;
    let mut resources: Vec<ResourceStatus> = Vec::new();
    for pair in pairs.resources.values() {
        let Some(object) = pair.object() else { continue };
        let mut resource = describe(pair, object, pairs);
        if counts(pair, object) {
            let status = verdict(app, pair);
            let known = targets == Targets::Known && permits(&permissions, pair, observation);
            resource.status = Some(if known { status } else { SyncCode::Unknown });
            let extra = pair.target.is_none() && options::has(object, COMPARE_OPTIONS, "IgnoreExtraneous");
            if status == SyncCode::OutOfSync && !extra {
                code = SyncCode::OutOfSync;
            }
        }
        resources.push(resource);
    }
    if app.status.has_other_namespace_metadata(&app.spec) {
        code = SyncCode::OutOfSync;
    }
    if targets == Targets::Unknown {
        code = SyncCode::Unknown;
    }
    resources.sort_by_key(|r| format!("{}/{}/{}/{}", r.group, r.kind, r.namespace, r.name));
    Compared { code, resources }
}

fn permits(permissions: &Permissions, pair: &Pair, observation: &Observation) -> bool {
    let scope = observation.kinds.scope(&pair.key.group_kind).unwrap_or(Scope::Cluster);
    permissions.kind(&pair.key.group_kind, &pair.key.key.name, scope)
}

fn counts(pair: &Pair, object: &Object) -> bool {
    let skipped = pair.target.as_deref().is_some_and(|target| hook::role(target) == Role::Skipped);
    pair.genuine && !skipped && hook::role(object) == Role::Resource
}

fn verdict(app: &Application, pair: &Pair) -> SyncCode {
    match (&pair.target, &pair.live) {
        (Some(target), Some(live)) if !differs(target, live, &app.spec.ignore_differences) => {
            SyncCode::Synced
        }
        _ => SyncCode::OutOfSync,
    }
}

fn describe(pair: &Pair, object: &Object, pairs: &Pairs) -> ResourceStatus {
    let is_hook = hook::is_hook(object);
    let of_hook =
        || pairs.hooks.iter().find(|hook| hook.object_key() == pair.key).map(|hook| hook::wave(hook));
    let wave = match &pair.target {
        Some(target) => hook::wave(target),
        None if is_hook => of_hook().unwrap_or_default(),
        None => 0,
    };
    let confirm = |object: &Object| options::has(object, SYNC_OPTIONS, "Delete=confirm");
    let gvk = object.gvk();
    ResourceStatus {
        group: gvk.group,
        version: gvk.version,
        kind: gvk.kind,
        namespace: pair.key.key.namespace.clone(),
        name: pair.key.key.name.clone(),
        hook: is_hook,
        requires_pruning: pair.target.is_none() && pair.live.is_some() && pair.genuine,
        sync_wave: wave,
        requires_deletion_confirmation: [&pair.target, &pair.live].into_iter().flatten().any(|o| confirm(o)),
        ..ResourceStatus::default()
    }
}
