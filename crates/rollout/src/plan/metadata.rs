//! Labels and annotations of the roles: canary and stable, preview and active.
//!
//! Source: Argo Rollouts `rollout/ephemeralmetadata.go`.

use api::rollout::{PodTemplateMetadata, Rollout};

use super::pass::Pass;
use crate::sets::{Set, Sets};
use crate::{Action, Checked, metadata};

/// Metadata of the two roles of a strategy.
struct Roles {
    new: PodTemplateMetadata,
    stable: PodTemplateMetadata,
}

impl Roles {
    fn of(rollout: &Rollout) -> Self {
        let strategy = &rollout.spec.strategy;
        let (new, stable) = match (&strategy.canary, &strategy.blue_green) {
            (Some(canary), _) => (&canary.canary_metadata, &canary.stable_metadata),
            (None, Some(blue_green)) => (&blue_green.preview_metadata, &blue_green.active_metadata),
            (None, None) => (&None, &None),
        };
        Self { new: new.clone().unwrap_or_default(), stable: stable.clone().unwrap_or_default() }
    }
}

/// Returns true when a role of the strategy has labels or annotations.
pub(crate) fn has(rollout: &Rollout) -> bool {
    let (roles, none) = (Roles::of(rollout), PodTemplateMetadata::default());
    roles.new != none || roles.stable != none
}

/// Returns what the pods of a ReplicaSet yet to be made get.
pub(super) fn of_first_pods(pass: &Pass) -> PodTemplateMetadata {
    let roles = Roles::of(pass.rollout());
    if pass.sets.stable().is_some() { roles.new } else { roles.stable }
}

/// Returns each ReplicaSet with what its pods are to have.
fn wanted(rollout: &Rollout, sets: &Sets) -> Vec<(Set, PodTemplateMetadata)> {
    let roles = Roles::of(rollout);
    let stable = &rollout.status.stable_rs;
    let of_set = |set: &Set| {
        let is_new = sets.new_set().is_some_and(|new| new.name() == set.name());
        match is_new {
            _ if set.hash == *stable => roles.stable.clone(),
            true if stable.is_empty() => roles.stable.clone(),
            true => roles.new.clone(),
            false => PodTemplateMetadata::default(),
        }
    };
    sets.all.iter().map(|set| (set.clone(), of_set(set))).collect()
}

/// Returns true when pods have to be seen to give them what they are to have.
pub(crate) fn pending(checked: &Checked<Rollout>, sets: &Sets) -> bool {
    let wanted = wanted(checked.value(), sets);
    wanted.iter().any(|(set, wanted)| metadata::patch(&set.object, wanted).is_some())
}

/// Gives pods what they are to have, then their ReplicaSet, so that later pods have it too.
pub(super) fn reconcile(pass: &mut Pass) {
    for (set, wanted) in wanted(pass.rollout(), &pass.sets) {
        let Some(patch) = metadata::patch(&set.object, &wanted) else { continue };
        for pod in &pass.observed.pods {
            if pod.controller_uid() != Some(set.object.uid()) || pod.is_deleting() {
                continue;
            }
            if let Some(patch) = metadata::pod_patch(pod, &set.object, &wanted) {
                pass.actions.push(Action::PatchPod { key: pod.key(), patch });
            }
        }
        pass.actions.push(Action::AnnotateReplicaSet { key: set.key(), patch });
    }
}
