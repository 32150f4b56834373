//! Scaling a Deployment outside of an update, and in the middle of one: in proportion. Pure.

use super::model::{DESIRED, Deployment, MAX, Set};
use super::plan::{Action, scaled};

/// Returns true when the Deployment was scaled since its ReplicaSets were. Source: `isScalingEvent`.
pub(super) fn is_due(deployment: &Deployment<'_>) -> bool {
    let mut active = deployment.all().filter(|set| set.replicas > 0);
    active.any(|set| set.number(DESIRED).is_some_and(|desired| desired != deployment.replicas))
}

/// Returns the scaled ReplicaSets. Source: `scale`.
pub(super) fn actions(deployment: &Deployment<'_>) -> Vec<Action> {
    if let Some(only) = active_or_latest(deployment) {
        let stale = only.number(DESIRED) != Some(deployment.replicas);
        let due = only.replicas != deployment.replicas || stale && only.replicas > 0;
        return if due { vec![scaled(deployment, only, deployment.replicas)] } else { Vec::new() };
    }
    if deployment.new.as_ref().is_some_and(|new| is_saturated(deployment, new)) {
        let active = deployment.old.iter().filter(|set| set.replicas > 0);
        return active.map(|set| scaled(deployment, set, 0)).collect();
    }
    if deployment.recreate { Vec::new() } else { proportional(deployment) }
}

/// The one ReplicaSet with pods, or the latest when none has. Source: `FindActiveOrLatest`.
fn active_or_latest<'a>(deployment: &'a Deployment<'_>) -> Option<&'a Set> {
    let active: Vec<&Set> = deployment.all().filter(|set| set.replicas > 0).collect();
    match active.as_slice() {
        [] => deployment.new.as_ref().or(deployment.old.last()),
        [only] => Some(only),
        _ => None,
    }
}

fn is_saturated(deployment: &Deployment<'_>, new: &Set) -> bool {
    new.number(DESIRED) == Some(deployment.replicas)
        && new.replicas == deployment.replicas
        && new.available == deployment.replicas
}

/// Spreads what is to be added or removed over the ReplicaSets by their size. Source: `scale`, `getReplicaSetFraction`.
///
/// Example: 10 pods as 6 + 4 (max 10), scaled to 15 without surge: 9 + 6.
fn proportional(deployment: &Deployment<'_>) -> Vec<Action> {
    let mut active: Vec<&Set> = deployment.all().filter(|set| set.replicas > 0).collect();
    let total: i64 = active.iter().map(|set| set.replicas).sum();
    let allowed = if deployment.replicas > 0 { deployment.replicas + deployment.surge } else { 0 };
    let to_add = allowed - total;
    let age = |set: &Set| (set.object.creation_time(), set.object.name().to_owned());
    if to_add > 0 {
        active.sort_by(|left, right| {
            right.replicas.cmp(&left.replicas).then_with(|| age(right).cmp(&age(left)))
        });
    } else {
        active.sort_by(|left, right| {
            right.replicas.cmp(&left.replicas).then_with(|| age(left).cmp(&age(right)))
        });
    }
    let (mut sizes, mut added) = (Vec::new(), 0);
    for set in &active {
        let share = if to_add == 0 { 0 } else { fraction(deployment, set, allowed, to_add - added) };
        sizes.push((set.replicas + share).max(0));
        added += share;
    }
    if let Some(first) = sizes.first_mut() {
        *first = (*first + to_add - added).max(0);
    }
    let changed = active.iter().zip(sizes);
    let stale = |set: &Set| set.number(DESIRED) != Some(deployment.replicas);
    changed
        .filter(|(set, size)| set.replicas != *size || stale(set))
        .map(|(set, size)| scaled(deployment, set, size))
        .collect()
}

/// The part of `left` that falls to a ReplicaSet.
fn fraction(deployment: &Deployment<'_>, set: &Set, allowed: i64, left: i64) -> i64 {
    let old_max = set.number(MAX).filter(|max| *max > 0).unwrap_or(deployment.replicas.max(1));
    let new_size = round_div(set.replicas * allowed, old_max);
    let share = if deployment.replicas == 0 { -set.replicas } else { new_size - set.replicas };
    if left > 0 { share.clamp(0, left) } else { share.clamp(left, 0) }
}

fn round_div(number: i64, by: i64) -> i64 {
    (2 * number + by).div_euclid(2 * by)
}
