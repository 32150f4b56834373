//! Simulation: a canary, its promotion and a bad version's abort, under faults, for many seeds.
//!
//! `SLIPWAY_SEED=17 cargo test -p sim --test simulation seeds` plays one seed; `SLIPWAY_SEEDS=2000` plays that many.

use super::story;

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sim::Rates;

/// Seeds that once failed, with what they showed.
/// 61: an abort right after the stable ReplicaSet was made smaller counted pods that were already going.
const KEPT: [u64; 1] = [61];
/// Seeds that are played when nothing else is said.
const SEEDS: u64 = 200;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays one seed in a runtime of its own under a paused clock.
fn play(seed: u64) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let world = story::play(seed, Some(Rates::ROUGH), dir.path()).await;
        let faults = world.faults().unwrap();
        assert!(faults.struck() > 0, "no fault struck: the seed proves nothing");
        faults.stop();
        story::settles(&world, Duration::from_secs(600)).await;
        assert_eq!(world.invariants().broken(), Vec::<String>::new());
        world.stop().await;
    });
}

#[test]
fn every_seed_ends_where_it_should() {
    let seeds: Vec<u64> = match number("SLIPWAY_SEED") {
        Some(seed) => vec![seed],
        None => KEPT.into_iter().chain(1..=number("SLIPWAY_SEEDS").unwrap_or(SEEDS)).collect(),
    };
    let failed = play_all(&seeds);
    for seed in &failed {
        eprintln!(
            "seed {seed} failed; play it again with: SLIPWAY_SEED={seed} cargo test -p sim --test simulation seeds"
        );
    }
    assert!(failed.is_empty(), "failing seeds: {failed:?}");
}

/// Plays the seeds on all cores and returns those that failed, in order.
fn play_all(seeds: &[u64]) -> Vec<u64> {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if std::panic::catch_unwind(AssertUnwindSafe(|| play(*seed))).is_err() {
                        failed.lock().unwrap().push(*seed);
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    failed
}
