//! The workload whose template is used: its generation, and its pods.
//!
//! Source: Argo Rollouts `scaleDeployment`, `updateWorkloadRefGeneration`.

use api::rollout::{RolloutPhase, RolloutStatus};
use object::json;

use super::pass::{Pass, annotations};
use crate::{Action, Reason, ScaleDown, Workload, keys};

/// Notes the generation of the workload whose template is used.
pub(super) fn note(pass: &mut Pass) {
    let Some(workload) = &pass.settings().workload else { return };
    let generation = workload.generation.to_string();
    if pass.rollout().object.annotation(keys::WORKLOAD_GENERATION) != Some(generation.as_str()) {
        let patch = annotations(&json!({keys::WORKLOAD_GENERATION: generation}));
        pass.actions.push(Action::PatchRollout { patch });
    }
}

/// Scales the workload's own pods down as the status says the Rollout's have taken over.
///
/// Upstream does so during the first revision only, so that a workload that is scaled up again later, e.g. by a GitOps
/// tool, doubles the pods for good (#4935, #4681). Here it goes down whenever the Rollout is healthy.
pub(super) fn scale_down(pass: &mut Pass, status: &RolloutStatus) {
    let Some(workload) = &pass.settings().workload else { return };
    let Some((from, to)) = sizes(pass, workload, status) else { return };
    if to < from {
        pass.wait(Reason::WaitingOnWorkload { name: workload.reference.name.clone(), pods: from - to });
        pass.actions.push(Action::ScaleWorkload { reference: workload.reference.clone(), from, to });
    }
}

fn sizes(pass: &Pass, workload: &Workload, status: &RolloutStatus) -> Option<(i32, i32)> {
    let from = workload.replicas?;
    let healthy = status.phase == Some(RolloutPhase::Healthy);
    match workload.scale_down {
        ScaleDown::OnSuccess | ScaleDown::Progressively if healthy => Some((from, 0)),
        ScaleDown::Progressively if pass.revision() <= 1 => {
            Some((from, (pass.settings().replicas - status.ready_replicas).max(0)))
        }
        ScaleDown::Never | ScaleDown::OnSuccess | ScaleDown::Progressively => None,
    }
}
