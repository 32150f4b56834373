use proptest::prelude::*;

use super::*;

fn size(spec: i32, available: i32) -> Size {
    Size { spec, available }
}

/// Found by simulation (seeds 336 and 376): a stable version that cannot run, older pods that must not go and a new
/// version without room waited for one another.
#[test]
fn stable_pods_that_cannot_run_make_room_for_new_ones() {
    let stuck = Scene { stable: Some(size(2, 0)), old: 1, ..calm(2, 100, (1, 1), (0, 2)) };
    for (scene, new, stable) in [
        (stuck, 0, 0),
        (Scene { stable: Some(size(2, 1)), ..stuck }, 0, 1),
        (Scene { stable: Some(size(2, 2)), ..stuck }, 0, 2),
        (Scene { stable: Some(size(0, 0)), ..stuck }, 2, 0),
        (Scene { weight: 0, ..stuck }, 0, 2),
    ] {
        assert_eq!(next(&scene), Sizes { new, stable }, "{scene:?}");
    }
}

/// A scene whose pods are all available.
fn calm(replicas: i32, weight: i32, limits: (i32, i32), sizes: (i32, i32)) -> Scene {
    let (new, stable) = sizes;
    Scene {
        replicas,
        surge: limits.0,
        unavailable: limits.1,
        weight,
        new: size(new, new),
        stable: Some(size(stable, stable)),
        old: 0,
    }
}

#[test]
fn wanted_sizes_come_nearest_to_the_weight() {
    for (replicas, weight, surge, new, stable) in [
        (5, 20, 2, 1, 4),
        (5, 60, 2, 3, 2),
        (5, 50, 2, 3, 3),
        (5, 50, 0, 3, 2),
        (10, 1, 1, 1, 10),
        (10, 1, 0, 1, 9),
        (10, 99, 0, 9, 1),
        (1, 50, 1, 1, 1),
        (1, 50, 0, 1, 0),
        (1, 49, 0, 0, 1),
        (2, 50, 1, 1, 1),
        (3, 10, 1, 1, 3),
        (0, 50, 1, 0, 0),
        (4, 0, 1, 0, 4),
        (4, 100, 1, 4, 0),
    ] {
        let sizes = wanted(&calm(replicas, weight, (surge, 0), (0, replicas)));
        assert_eq!(sizes, Sizes { new, stable }, "{replicas} pods at {weight} %, surge {surge}");
    }
}

#[test]
fn next_sizes_keep_the_limits() {
    for (scene, new, stable) in [
        (calm(10, 10, (1, 1), (0, 10)), 1, 9),
        (calm(10, 30, (3, 0), (0, 10)), 3, 10),
        (calm(10, 30, (0, 5), (0, 10)), 0, 7),
        (calm(1, 5, (1, 0), (0, 1)), 1, 1),
        (calm(1, 95, (1, 0), (0, 1)), 1, 1),
        (calm(5, 20, (2, 1), (0, 5)), 1, 4),
        (calm(5, 0, (2, 1), (1, 4)), 0, 5),
    ] {
        assert_eq!(next(&scene), Sizes { new, stable }, "{scene:?}");
    }
}

#[test]
fn older_pods_go_first() {
    let scene = Scene { old: 2, ..calm(5, 50, (2, 1), (1, 2)) };
    assert_eq!(next(&scene), Sizes { new: 2, stable: 3 }, "grows, shrinks nothing");
}

#[test]
fn stable_pods_that_do_not_run_may_go() {
    let scene = Scene { stable: Some(size(5, 2)), ..calm(5, 60, (2, 0), (3, 3)) };
    assert_eq!(next(&scene), Sizes { new: 3, stable: 2 });
}

prop_compose! {
    fn scenes()(replicas in 0..20_i32, surge in 0..6_i32, gap in 0..6_i32, weight in 0..=100_i32)
        (new in 0..=replicas + surge, stable in 0..=replicas + surge, new_up in 0..30_i32, stable_up in 0..30_i32,
            old in prop_oneof![3 => Just(0), 1 => 0..5_i32], apart in prop::bool::weighted(0.8),
            replicas in Just(replicas), surge in Just(surge), gap in Just(gap), weight in Just(weight)) -> Scene {
        let unavailable = if surge == 0 && gap == 0 { 1 } else { gap.min(replicas) };
        Scene {
            replicas, surge, unavailable, weight, old,
            new: size(new, new_up.min(new)),
            stable: apart.then_some(size(stable, stable_up.min(stable))),
        }
    }
}

/// Available pods that stay when the ReplicaSets get these sizes.
fn left(scene: &Scene, sizes: Sizes) -> i32 {
    scene.new.available.min(sizes.new) + scene.stable.map_or(0, |stable| stable.available.min(sizes.stable))
}

proptest! {
    #[test]
    fn availability_never_falls_below_the_floor(scene in scenes()) {
        let before = scene.new.available + scene.stable.map_or(0, |stable| stable.available);
        let floor = scene.replicas - scene.unavailable;
        prop_assert!(left(&scene, next(&scene)) >= before.min(floor));
    }

    #[test]
    fn the_surge_is_never_exceeded(scene in scenes()) {
        let before = scene.new.spec + scene.stable.map_or(0, |stable| stable.spec) + scene.old;
        let sizes = next(&scene);
        prop_assert!(sizes.new + sizes.stable + scene.old <= before.max(scene.replicas + scene.surge));
    }

    #[test]
    fn the_new_version_never_grows_beyond_its_weight(scene in scenes()) {
        let sizes = next(&scene);
        prop_assert!(sizes.new <= wanted(&scene).new.max(scene.new.spec));
        prop_assert!(sizes.new >= 0 && sizes.stable >= 0);
    }

    #[test]
    fn sizes_arrive_when_pods_come(scene in scenes()) {
        let mut scene = Scene { old: 0, ..scene };
        for _ in 0..100 {
            let sizes = next(&scene);
            scene.new = size(sizes.new, sizes.new);
            scene.stable = scene.stable.map(|_| size(sizes.stable, sizes.stable));
        }
        let arrived = Sizes { new: scene.new.spec, stable: scene.stable.map_or(0, |stable| stable.spec) };
        prop_assert_eq!(arrived, wanted(&scene));
    }
}
