//! The arithmetic of a rolling update. Pure.

use super::model::{Deployment, Set};
use super::plan::{Action, scaled};

/// Returns how many pods the new ReplicaSet asks for next. Source: `NewRSNewReplicas`, `reconcileNewReplicaSet`.
///
/// Example: 5 replicas, surge 2, 5 old pods: the new one gets 2.
pub(super) fn new_replicas(deployment: &Deployment<'_>) -> i64 {
    let now = deployment.new.as_ref().map_or(0, |new| new.replicas);
    if now >= deployment.replicas {
        return deployment.replicas;
    }
    let room = deployment.replicas + deployment.surge - deployment.total();
    now + room.clamp(0, deployment.replicas - now)
}

/// Returns the old ReplicaSets scaled down as far as availability allows, unhealthy pods first.
///
/// Source: `reconcileOldReplicaSets`, `cleanupUnhealthyReplicas`, `scaleDownOldReplicaSetsForRollingUpdate`.
pub(super) fn scale_down(deployment: &Deployment<'_>, new: &Set) -> Vec<Action> {
    let least = deployment.replicas - deployment.unavailable;
    let new_unavailable = new.replicas - new.available;
    let most = deployment.total() - least - new_unavailable;
    let old: i64 = deployment.old.iter().map(|set| set.replicas).sum();
    if old == 0 || most <= 0 {
        return Vec::new();
    }
    let mut sizes: Vec<i64> = deployment.old.iter().map(|set| set.replicas).collect();
    let mut left = most;
    for (size, set) in sizes.iter_mut().zip(&deployment.old) {
        let sick = (*size - set.available).clamp(0, left);
        *size -= sick;
        left -= sick;
    }
    let available: i64 = deployment.all().map(|set| set.available).sum();
    let mut left = available - least;
    for size in &mut sizes {
        let down = (*size).min(left.max(0));
        *size -= down;
        left -= down;
    }
    let changed = deployment.old.iter().zip(sizes).filter(|(set, size)| set.replicas != *size);
    changed.map(|(set, size)| scaled(deployment, set, size)).collect()
}
