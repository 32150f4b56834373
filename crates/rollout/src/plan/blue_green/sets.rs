//! Sizes of the ReplicaSets.
//!
//! Source: `reconcileBlueGreenReplicaSets`, `NewRSNewReplicas`, `scaleDownOldReplicaSetsForBlueGreen`.

use std::cmp::Reverse;

use api::rollout::{PauseReason, RolloutStatus};

use super::pause;
use crate::plan::pass::Pass;
use crate::plan::scale::{Deadline, change};
use crate::plan::{delay, runs};
use crate::sets::Set;
use crate::{BlueGreen, Reason};

/// Scales the active ReplicaSet to all pods, the new one to what it is to have, and old ones down after their delay.
pub(super) fn reconcile(pass: &mut Pass, strategy: &BlueGreen) {
    let replicas = pass.settings().replicas;
    let active = pass.sets.of_hash(&pass.selected(&strategy.active_service)).cloned();
    let new = pass.sets.new_set().cloned();
    let is_new = |set: &Set| new.as_ref().is_some_and(|new| new.name() == set.name());
    let stable = pass.sets.stable().filter(|set| !is_new(set)).cloned();
    let is_stable = |set: &Set| stable.as_ref().is_some_and(|stable| stable.name() == set.name());
    if let Some(stable) = &stable {
        let to = if active.as_ref().is_some_and(&is_stable) { replicas } else { stable.size.spec };
        change(pass, stable, to, Deadline::Clear);
    }
    if let Some(active) = active.filter(|set| !is_new(set) && !is_stable(set)) {
        change(pass, &active, replicas, Deadline::Keep);
    }
    if let Some(new) = new {
        let (to, deadline) =
            delay::aborted(pass, &new).unwrap_or_else(|| (wanted(pass, strategy, &new), Deadline::Clear));
        change(pass, &new, to, deadline);
    }
    reconcile_others(pass, strategy);
}

/// Returns how many pods the new ReplicaSet is to have: all, or those of the preview until the switch is near. One that is
/// gone back to because it is the stable one has no preview: upstream shrinks it to one, and the switch never comes.
pub(super) fn wanted(pass: &Pass, strategy: &BlueGreen, new: &Set) -> i32 {
    let status = pass.status();
    let all = pass.settings().replicas;
    let Some(preview) = strategy.preview_replicas else { return all };
    let active = pass.sets.of_hash(&status.blue_green.active_selector);
    let is_back = new.hash == status.stable_rs;
    if status.promote_full || is_back || active.is_none_or(|active| active.name() == new.name()) {
        return all;
    }
    let paused = pass.paused_by_user() || !status.pause_conditions.is_empty();
    let grows = new.hash == status.current_pod_hash && status.blue_green.scale_up_preview_check_point;
    if grows && !paused { all } else { preview }
}

/// Returns how many pods the new ReplicaSet is to have now; 0 when there is none.
pub(in crate::plan) fn preview_wanted(pass: &Pass, strategy: &BlueGreen) -> i32 {
    pass.sets.new_set().map_or(0, |new| wanted(pass, strategy, new))
}

/// Returns true when the new ReplicaSet has all the pods it is to have for now.
///
/// Source: `ReadyForPause`.
pub(super) fn ready(pass: &Pass, strategy: &BlueGreen, new: &Set) -> bool {
    let wanted = wanted(pass, strategy, new);
    new.size.spec == wanted && new.size.available == wanted
}

/// Returns whether the preview may grow to all pods: once its few are there, judged well and the pause is over; from
/// then on until the update ends.
///
/// Source: `calculateScaleUpPreviewCheckPoint`.
pub(super) fn check_point(pass: &Pass, strategy: &BlueGreen, status: &RolloutStatus) -> bool {
    let Some(preview) = strategy.preview_replicas else { return false };
    if status.stable_rs.is_empty() || status.current_pod_hash == status.stable_rs {
        return false;
    }
    let there = pass.sets.new_set().is_some_and(|new| new.size.available == preview);
    pass.status().blue_green.scale_up_preview_check_point
        || (runs::pre_successful(pass, strategy) && pause::over(pass, strategy) && there)
}

/// Scales old ReplicaSets down after their delay; not while their pods may have to stand in again.
fn reconcile_others(pass: &mut Pass, strategy: &BlueGreen) {
    let others = pass.sets.others().filter(|set| set.size.spec > 0);
    let mut others: Vec<Set> = others.filter(|set| !pass.is_referenced(set)).cloned().collect();
    if others.is_empty() {
        return;
    }
    let unclear = pass.status().pause(PauseReason::InconclusiveAnalysisRun).is_some();
    let judged = strategy.post.is_some()
        && !pass.settings().delays.old_is_set
        && runs::post_is_due(pass)
        && !runs::post_successful(pass);
    if unclear || judged {
        let pods = others.iter().map(|set| set.size.spec).sum();
        pass.wait(Reason::WaitingOnOldPods { pods });
        return;
    }
    others.sort_by_key(|set| Reverse(set.revision));
    let mut counted = 0;
    for set in others {
        let (to, deadline) = delay::old(pass, &set, &mut counted, pass.settings().replicas);
        change(pass, &set, to, deadline);
    }
}
