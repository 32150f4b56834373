//! `dynamicStableScale`: traffic goes back to the stable version no faster than its pods come back.

use std::cmp::{max, min};

use super::Weights;
use super::weight::ratio;
use crate::maths::routed::share;
use crate::plan::pass::Pass;
use crate::sets::Set;
use crate::{AbortDelay, Routed, Step};

/// Returns the hash of the version that is left while an update is taken back to the stable one, and the stable one has
/// not all its pods yet.
///
/// Source: `isDynamicallyRollingBackToStable` (#3020).
pub(in crate::plan) fn rolling_back(pass: &Pass) -> Option<String> {
    let routed = pass.settings().routed.as_ref().filter(|routed| routed.dynamic)?;
    let stable = pass.sets.new_set().filter(|_| pass.fully_promoted())?;
    let left = pass.status().canary.weights.as_ref()?["canary"]["podTemplateHash"].as_str()?;
    let carries = Weights::held(pass).is_some_and(|held| held.canary > 0);
    let waits = routed.dynamic && carries && left != stable.hash;
    (waits && stable.size.available < pass.settings().replicas).then(|| left.to_owned())
}

/// Returns the weight of the version that is left: down the weights of the steps as the stable version's pods come back,
/// never up; nothing when it has no pods to carry it.
///
/// Source: `calculateDesiredWeightOnAbortOrStableRollback`.
pub(super) fn stepped(pass: &Pass, routed: &Routed, left: Option<&Set>) -> i32 {
    let scene = Scene {
        replicas: pass.settings().replicas,
        max: routed.max,
        stable: pass.sets.stable().map_or(0, |stable| stable.size.available),
        left: left.map_or(0, |left| left.size.available),
        stays: matches!(pass.settings().delays.aborted, AbortDelay::For(_) | AbortDelay::Forever),
        current: Weights::held(pass).map(|held| held.canary),
    };
    let steps = pass.settings().steps.iter();
    let weights: Vec<i32> = steps
        .filter_map(|step| if let Step::SetWeight(weight) = step { Some(*weight) } else { None })
        .collect();
    weight(&scene, &weights)
}

/// What the weight is decided from.
#[derive(Clone, Copy, Debug)]
struct Scene {
    replicas: i32,
    max: i32,
    /// Available stable pods.
    stable: i32,
    /// Available pods of the version that is left.
    left: i32,
    /// Whether those stay for a while anyway.
    stays: bool,
    /// Weight that it carries.
    current: Option<i32>,
}

fn weight(scene: &Scene, weights: &[i32]) -> i32 {
    if scene.left == 0 {
        return 0;
    }
    let expected = scene.max - ratio(scene.max, scene.stable, scene.replicas);
    let current = scene.current.unwrap_or(expected);
    let missing = scene.replicas - scene.stable;
    let need = if scene.stays { missing } else { max(missing, scene.left) };
    let step = weights.iter().rev().find(|weight| share(scene.replicas, **weight, scene.max) < need);
    match step.copied().unwrap_or(0) {
        step if step <= 0 => min(expected, current),
        step if ratio(scene.max, scene.stable, scene.replicas) < scene.max - step => current,
        step => min(step, current),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STEPS: [i32; 3] = [20, 50, 80];

    #[track_caller]
    fn check(stable: i32, left: i32, current: i32, wanted: i32) {
        let scene = Scene { replicas: 10, max: 100, stable, left, stays: false, current: Some(current) };
        assert_eq!(weight(&scene, &STEPS), wanted, "{scene:?}");
    }

    #[test]
    fn down_the_steps_as_stable_pods_come_back() {
        check(2, 8, 80, 80);
        check(4, 8, 80, 80);
        check(5, 8, 80, 50);
        check(5, 5, 50, 50);
        check(8, 5, 50, 20);
        check(10, 2, 20, 0);
        check(10, 0, 20, 0);
    }

    proptest! {
        /// Never up, and never more for the stable version than its pods can carry.
        #[test]
        fn never_up_and_never_too_much(
            replicas in 1..30_i32, stable in 0..30_i32, left in 0..30_i32, current in 0..=100_i32, stays: bool,
        ) {
            let scene = Scene { replicas, max: 100, stable, left, stays, current: Some(current) };
            let weight = weight(&scene, &STEPS);
            prop_assert!(weight <= current);
            let share = 100 - weight;
            let fits = ratio(100, stable, replicas) >= share;
            prop_assert!(left == 0 || weight == current || fits, "{weight}");
        }
    }
}
