//! How many pods the new and the stable ReplicaSet get, without a router.
//!
//! Source: Argo Rollouts `utils/replicaset.CalculateReplicaCountsForBasicCanary`.

pub(crate) mod routed;

use std::cmp::{max, min};

/// Size of a ReplicaSet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// `spec.replicas`.
    pub spec: i32,
    /// `status.availableReplicas`.
    pub available: i32,
}

/// What the sizes are decided from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scene {
    /// Wanted number of pods.
    pub replicas: i32,
    /// Pods above that.
    pub surge: i32,
    /// Pods that may be missing.
    pub unavailable: i32,
    /// Share of the new version, 0 to 100.
    pub weight: i32,
    /// The new ReplicaSet.
    pub new: Size,
    /// The stable ReplicaSet, when there is one apart from the new.
    pub stable: Option<Size>,
    /// Sum of `spec.replicas` of all others.
    pub old: i32,
}

/// Sizes of the new and the stable ReplicaSet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Of the new one.
    pub new: i32,
    /// Of the stable one.
    pub stable: i32,
}

/// Returns the sizes that come nearest to the weight.
///
/// Examples: 5 pods at 20 % are 1 and 4; 1 pod at 50 % with surge is 1 and 1; 10 pods at 1 % with surge are 1 and 10.
pub(crate) fn wanted(scene: &Scene) -> Sizes {
    if scene.stable.is_none() {
        return Sizes { new: scene.replicas, stable: 0 };
    }
    approximate(scene.replicas, scene.weight, scene.surge)
}

fn approximate(replicas: i32, weight: i32, surge: i32) -> Sizes {
    let (replicas, weight) = (i64::from(replicas), i64::from(weight));
    if replicas == 0 {
        return Sizes { new: 0, stable: 0 };
    }
    let share = replicas * weight;
    let (ceil, floor) = ((share + 99) / 100, share / 100);
    let zero = weight == 0 || weight == 100 || (replicas == 1 && surge == 0);
    let floor_allowed = floor != 0 || zero;
    let half = |total: i64| (total * weight) % 100 == 50;
    let mut candidates = Vec::new();
    let mut offer = |allowed: bool, canary: i64, total: i64| {
        if allowed {
            candidates.push((canary, total));
        }
    };
    offer(ceil < replicas || zero, ceil, replicas);
    offer(!half(replicas) && floor_allowed, floor, replicas);
    offer(surge > 0, ceil, replicas + 1);
    offer(surge > 0 && !half(replicas + 1) && floor_allowed, floor, replicas + 1);
    // |canary/total - weight| as a fraction over total; the first of equals wins.
    let error = |(canary, total): (i64, i64)| ((canary * 100 - weight * total).abs(), total);
    let best = candidates.into_iter().reduce(|best, next| {
        let ((best_error, best_total), (next_error, next_total)) = (error(best), error(next));
        if next_error * best_total < best_error * next_total { next } else { best }
    });
    let (canary, total) = best.unwrap_or((0, replicas));
    Sizes { new: narrow(canary), stable: narrow(total - canary) }
}

fn narrow(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Returns the sizes of the next pass toward [`wanted`]: never more than `replicas + surge` pods asked for, never less
/// than `replicas - unavailable` left available.
pub(crate) fn next(scene: &Scene) -> Sizes {
    let wanted = wanted(scene);
    let mut sizes = Sizes { new: scene.new.spec, stable: scene.stable.map_or(0, |stable| stable.spec) };
    grow(scene, wanted, &mut sizes);
    if scene.old > 0 {
        shed(scene, wanted, &mut sizes);
        return sizes;
    }
    shrink(scene, wanted, &mut sizes);
    sizes
}

/// Grows toward the wanted sizes as far as the surge allows, the stable ReplicaSet first.
fn grow(scene: &Scene, wanted: Sizes, sizes: &mut Sizes) {
    let mut budget = scene.replicas + scene.surge - sizes.new - sizes.stable - scene.old;
    if scene.stable.is_some() && sizes.stable < wanted.stable && budget > 0 {
        let more = min(budget, wanted.stable - sizes.stable);
        sizes.stable += more;
        budget -= more;
    }
    if sizes.new < wanted.new && budget > 0 {
        sizes.new += min(budget, wanted.new - sizes.new);
    }
}

/// Drops stable pods that are neither wanted nor available where new ones have no room, while older pods stand in for both.
///
/// Upstream never does: a stable version that cannot run, older pods that must not go, and a new version without room
/// wait for one another for ever. Found by simulation (seeds 336 and 376).
fn shed(scene: &Scene, wanted: Sizes, sizes: &mut Sizes) {
    let Some(stable) = scene.stable else { return };
    let room = scene.replicas + scene.surge - sizes.new - sizes.stable - scene.old;
    if room <= 0 && sizes.new < wanted.new && sizes.stable <= stable.spec {
        sizes.stable = min(sizes.stable, max(wanted.stable, stable.available));
    }
}

/// Shrinks toward the wanted sizes as far as availability allows.
fn shrink(scene: &Scene, wanted: Sizes, sizes: &mut Sizes) {
    let floor = scene.replicas - scene.unavailable;
    let increasing = wanted.new >= scene.new.spec;
    let stable = scene.stable.unwrap_or_default();
    let counted = removable(scene.new, !increasing) + removable(stable, increasing);
    if counted <= floor {
        return;
    }
    let spare = counted - floor;
    if increasing {
        if stable.spec > wanted.stable {
            sizes.stable = max(wanted.stable, stable.spec - spare);
        }
        fit(scene, (stable, &mut sizes.stable), (scene.new, &mut sizes.new));
    } else {
        if scene.new.spec > wanted.new {
            sizes.new = max(wanted.new, scene.new.spec - spare);
        }
        fit(scene, (scene.new, &mut sizes.new), (stable, &mut sizes.stable));
    }
}

/// Returns how many pods of a ReplicaSet count when deciding what can go.
fn removable(size: Size, ignore_availability: bool) -> i32 {
    if ignore_availability { size.spec } else { min(size.spec, size.available) }
}

/// Keeps the drained and the growing ReplicaSet within the surge, without losing availability that is needed.
fn fit(scene: &Scene, drained: (Size, &mut i32), growing: (Size, &mut i32)) {
    let (limit, floor) = (scene.replicas + scene.surge, scene.replicas - scene.unavailable);
    let (drained_size, drained_to) = drained;
    let (growing_size, growing_to) = growing;
    *growing_to -= max(0, *growing_to + *drained_to - limit);
    let available = min(drained_size.available, *drained_to) + min(growing_size.available, *growing_to);
    *growing_to += min(max(0, growing_size.available - *growing_to), max(0, floor - available));
    *drained_to -= max(0, *growing_to + *drained_to - limit);
}

#[cfg(test)]
mod tests;
