//! How many pods the new and the stable ReplicaSet get when a router shares the traffic.
//!
//! Source: Argo Rollouts `utils/replicaset.CalculateReplicaCountsForTrafficRoutedCanary`.

use super::Sizes;

/// What a `setCanaryScale` step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A number of pods, taken as it is.
    Pods(i32),
    /// A share of the Rollout's pods, of `max`.
    Weight(i32),
}

/// Weights that the routers carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    /// Of the new version.
    pub canary: i32,
    /// Of the stable version.
    pub stable: i32,
}

/// What the sizes are decided from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoutedScene {
    /// Wanted number of pods.
    pub replicas: i32,
    /// What all weights add up to, at least 1.
    pub max: i32,
    /// Weight of the new version that the current step asks for, 0 to `max`.
    pub weight: i32,
    /// What a `setCanaryScale` step asks for instead.
    pub wish: Option<Wish>,
    /// Least number of pods of a ReplicaSet that has any.
    pub min_pods: i32,
    /// Whether stable pods go as traffic leaves them.
    pub dynamic: bool,
    /// Whether the update is aborted.
    pub aborted: bool,
    /// Weights that the routers carry, when known.
    pub carried: Option<Carried>,
}

/// Returns the sizes: the new version gets its share rounded up, the stable one all pods; or, with `dynamic`, its share
/// of what is wanted or of what it still carries, whichever is more.
///
/// Examples: 10 pods at 25 of 100 are 3 and 10, with `dynamic` 3 and 8; 10 pods at 1 with at least 2 pods are 2 and 10.
pub(crate) fn wanted(scene: &RoutedScene) -> Sizes {
    let share = |weight: i32| share(scene.replicas, weight, scene.max);
    let (mut new, weight) = match scene.wish {
        Some(Wish::Pods(pods)) => (pods.max(0), 0),
        Some(Wish::Weight(weight)) => (at_least(scene, share(weight)), weight),
        None => (at_least(scene, share(scene.weight)), scene.weight),
    };
    if !scene.dynamic {
        return Sizes { new, stable: scene.replicas };
    }
    let mut stable = share(scene.max - weight);
    if let Some(carried) = scene.carried {
        stable = stable.max(share(carried.stable));
        if scene.aborted {
            new = new.max(share(carried.canary));
        }
    }
    Sizes { new, stable: at_least(scene, stable) }
}

/// Returns the share of `weight` of `max` of `replicas`, rounded up.
pub(crate) fn share(replicas: i32, weight: i32, max: i32) -> i32 {
    let (replicas, weight, max) = (i64::from(replicas), i64::from(weight.max(0)), i64::from(max.max(1)));
    super::narrow((replicas * weight + max - 1) / max)
}

fn at_least(scene: &RoutedScene, pods: i32) -> i32 {
    if pods == 0 { 0 } else { pods.max(scene.min_pods.min(scene.replicas)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCENE: RoutedScene = RoutedScene {
        replicas: 10,
        max: 100,
        weight: 25,
        wish: None,
        min_pods: 0,
        dynamic: false,
        aborted: false,
        carried: None,
    };

    fn carried(canary: i32) -> Carried {
        Carried { canary, stable: 100 - canary }
    }

    #[test]
    fn shares_round_up() {
        for (scene, new, stable) in [
            (SCENE, 3, 10),
            (RoutedScene { weight: 0, ..SCENE }, 0, 10),
            (RoutedScene { weight: 100, ..SCENE }, 10, 10),
            (RoutedScene { weight: 1, min_pods: 2, ..SCENE }, 2, 10),
            (RoutedScene { weight: 0, min_pods: 2, ..SCENE }, 0, 10),
            (RoutedScene { replicas: 1, weight: 1, min_pods: 2, ..SCENE }, 1, 1),
            (RoutedScene { wish: Some(Wish::Pods(4)), min_pods: 5, ..SCENE }, 4, 10),
            (RoutedScene { wish: Some(Wish::Weight(50)), ..SCENE }, 5, 10),
            (RoutedScene { max: 1000, weight: 25, ..SCENE }, 1, 10),
            (RoutedScene { replicas: 0, ..SCENE }, 0, 0),
        ] {
            assert_eq!(wanted(&scene), Sizes { new, stable }, "{scene:?}");
        }
    }

    #[test]
    fn stable_pods_go_as_the_traffic_leaves_them() {
        let dynamic = RoutedScene { dynamic: true, ..SCENE };
        for (scene, new, stable) in [
            (dynamic, 3, 8),
            (RoutedScene { carried: Some(carried(0)), ..dynamic }, 3, 10),
            (RoutedScene { carried: Some(carried(25)), ..dynamic }, 3, 8),
            (RoutedScene { weight: 100, carried: Some(carried(25)), ..dynamic }, 10, 8),
            (RoutedScene { weight: 100, carried: Some(carried(100)), ..dynamic }, 10, 0),
            (RoutedScene { weight: 95, min_pods: 3, carried: Some(carried(95)), ..dynamic }, 10, 3),
            (RoutedScene { wish: Some(Wish::Pods(7)), carried: Some(carried(25)), ..dynamic }, 7, 10),
            // An abort: the new pods stay while they carry something.
            (RoutedScene { weight: 0, aborted: true, carried: Some(carried(60)), ..dynamic }, 6, 10),
            (RoutedScene { weight: 0, aborted: true, carried: Some(carried(0)), ..dynamic }, 0, 10),
        ] {
            assert_eq!(wanted(&scene), Sizes { new, stable }, "{scene:?}");
        }
    }

    proptest! {
        /// What a version carries or is to carry has the pods for it.
        #[test]
        fn pods_are_there_for_the_traffic(
            replicas in 0..50_i32, weight in 0..=100_i32, canary in 0..=100_i32, dynamic: bool, aborted: bool,
            min_pods in 0..4_i32,
        ) {
            let weight = if aborted { 0 } else { weight };
            let scene = RoutedScene {
                replicas, weight, dynamic, aborted, min_pods, carried: Some(carried(canary)), ..SCENE
            };
            let sizes = wanted(&scene);
            prop_assert!(sizes.stable * 100 >= replicas * (100 - canary));
            prop_assert!(sizes.stable * 100 >= replicas * (100 - weight));
            prop_assert!(sizes.new * 100 >= replicas * weight);
            prop_assert!(!(aborted && dynamic) || sizes.new * 100 >= replicas * canary);
            prop_assert!(sizes.new <= replicas && sizes.stable <= replicas);
        }
    }
}
