//! Hooks: objects that a sync creates at a moment of their own.

use api::application::SyncPhase;
use object::Object;

pub use health::HOOK_FINALIZER;

/// Annotation with the moments of a hook, a comma list.
pub const HOOK: &str = "argocd.argoproj.io/hook";
const HELM_HOOK: &str = "helm.sh/hook";

/// When an object takes part in a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// In phase Sync, and compared.
    Resource,
    /// In these phases, not compared. Empty for hooks of a deletion.
    Hook(Vec<SyncPhase>),
    /// Never: `hook: Skip`. Listed, but neither compared nor applied.
    Skipped,
    /// Never: no moment it names is known. Listed, but neither compared nor applied.
    Ignored,
}

/// Returns the role of `object`. An object with annotations of both families is what Argo CD's say.
///
/// Source: gitops-engine `hook.Types`, `helm.Types`. `crd-install` is an ordinary resource.
pub fn role(object: &Object) -> Role {
    if let Some(list) = object.annotation(HOOK).filter(|list| !list.is_empty()) {
        let names: Vec<&str> = list.split(',').map(str::trim).collect();
        if names.contains(&"Skip") {
            return Role::Skipped;
        }
        if let Some(role) = of_names(&names, argo_phase) {
            return role;
        }
        if object.annotation(HELM_HOOK).is_none() {
            return Role::Ignored;
        }
    }
    match object.annotation(HELM_HOOK) {
        None | Some("" | "crd-install") => Role::Resource,
        Some(list) => {
            let names: Vec<&str> = list.split(',').map(str::trim).collect();
            of_names(&names, helm_phase).unwrap_or(Role::Ignored)
        }
    }
}

enum Moment {
    Sync(SyncPhase),
    Deletion(DeletionMoment),
}

/// When a hook of a deletion runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionMoment {
    /// Before anything is deleted: `PreDelete`, Helm's `pre-delete`.
    Before,
    /// Once everything is gone: `PostDelete`, Helm's `post-delete`.
    After,
}

impl DeletionMoment {
    /// Returns the part of a made-up name that stands for it.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Before => "predelete",
            Self::After => "postdelete",
        }
    }
}

fn argo_phase(name: &str) -> Option<Moment> {
    match name {
        "PreSync" => Some(Moment::Sync(SyncPhase::PreSync)),
        "Sync" => Some(Moment::Sync(SyncPhase::Sync)),
        "PostSync" => Some(Moment::Sync(SyncPhase::PostSync)),
        "SyncFail" => Some(Moment::Sync(SyncPhase::SyncFail)),
        "PreDelete" => Some(Moment::Deletion(DeletionMoment::Before)),
        "PostDelete" => Some(Moment::Deletion(DeletionMoment::After)),
        _ => None,
    }
}

fn helm_phase(name: &str) -> Option<Moment> {
    match name {
        "pre-install" | "pre-upgrade" => Some(Moment::Sync(SyncPhase::PreSync)),
        "post-install" | "post-upgrade" => Some(Moment::Sync(SyncPhase::PostSync)),
        "pre-delete" => Some(Moment::Deletion(DeletionMoment::Before)),
        "post-delete" => Some(Moment::Deletion(DeletionMoment::After)),
        _ => None,
    }
}

fn of_names(names: &[&str], read: fn(&str) -> Option<Moment>) -> Option<Role> {
    let moments: Vec<Moment> = names.iter().filter_map(|name| read(name)).collect();
    if moments.is_empty() {
        return None;
    }
    let mut phases: Vec<SyncPhase> = moments
        .iter()
        .filter_map(|moment| match moment {
            Moment::Sync(phase) => Some(*phase),
            Moment::Deletion(_) => None,
        })
        .collect();
    phases.sort_unstable();
    phases.dedup();
    Some(Role::Hook(phases))
}

/// Returns the moments of a deletion at which `object` runs. As with those of a sync, Argo CD's annotation wins.
pub fn deletion_moments(object: &Object) -> Vec<DeletionMoment> {
    let of = |key, read: fn(&str) -> Option<Moment>| -> Vec<Moment> {
        names(object, key).filter_map(read).collect()
    };
    let (argo, helm) = (of(HOOK, argo_phase), of(HELM_HOOK, helm_phase));
    let moments = if argo.is_empty() { helm } else { argo };
    let of_deletion = moments.iter().filter_map(|moment| match moment {
        Moment::Deletion(moment) => Some(*moment),
        Moment::Sync(_) => None,
    });
    of_deletion.collect()
}

/// Returns what `object` names as moments of a hook that is none.
pub fn unknown_moments(object: &Object) -> Vec<&str> {
    names(object, HOOK).filter(|name| *name != "Skip" && argo_phase(name).is_none()).collect()
}

fn names<'a>(object: &'a Object, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    object.annotation(key).unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// Returns true for hooks of a sync or of a deletion.
pub fn is_hook(object: &Object) -> bool {
    matches!(role(object), Role::Hook(_))
}

/// When a hook is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletePolicy {
    /// Once it succeeded.
    HookSucceeded,
    /// Once it failed.
    HookFailed,
    /// Before it is created again.
    BeforeHookCreation,
}

/// Returns when the hook `object` is deleted; `BeforeHookCreation` when it does not say.
pub fn delete_policies(object: &Object) -> Vec<DeletePolicy> {
    let list = |key| object.annotation(key).unwrap_or_default().split(',').map(str::trim);
    let argo = list("argocd.argoproj.io/hook-delete-policy").filter_map(|name| match name {
        "HookSucceeded" => Some(DeletePolicy::HookSucceeded),
        "HookFailed" => Some(DeletePolicy::HookFailed),
        "BeforeHookCreation" => Some(DeletePolicy::BeforeHookCreation),
        _ => None,
    });
    let helm = list("helm.sh/hook-delete-policy").filter_map(|name| match name {
        "hook-succeeded" => Some(DeletePolicy::HookSucceeded),
        "hook-failed" => Some(DeletePolicy::HookFailed),
        "before-hook-creation" => Some(DeletePolicy::BeforeHookCreation),
        _ => None,
    });
    let policies: Vec<DeletePolicy> = argo.chain(helm).collect();
    if policies.is_empty() { vec![DeletePolicy::BeforeHookCreation] } else { policies }
}

/// Returns the wave of `object`: annotation `sync-wave`, else Helm's hook weight, else 0.
pub fn wave(object: &Object) -> i64 {
    let read = |key| object.annotation(key).and_then(|text| text.trim().parse().ok());
    let helm = || object.annotation(HELM_HOOK).and_then(|_| read("helm.sh/hook-weight"));
    read("argocd.argoproj.io/sync-wave").or_else(helm).unwrap_or_default()
}
