//! Simulation: a canary, its promotion and a bad version's abort, under faults, for many seeds.
//!
//! `SLIPWAY_SEED=17 cargo test -p sim --test simulation seeds` plays one seed; `SLIPWAY_SEEDS=2000` plays that many.

use super::story;

use std::time::Duration;

use sim::{Rates, seeds};

/// Seeds that once failed, with what they showed.
/// 61: an abort right after the stable ReplicaSet was made smaller counted pods that were already going.
/// 24: a write whose answer was lost, while watches lag: the stable ReplicaSet was smaller than the controller knew when the
/// new one was to go.
const KEPT: [u64; 2] = [24, 61];
/// Seeds that are played when nothing else is said; the whole journey is played under more of them.
const SEEDS: u64 = 40;

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
        world.settle(Duration::from_secs(600)).await.unwrap();
        if std::env::var_os("SLIPWAY_TALE").is_some() {
            eprintln!("{}", sim::tale(world.store()).unwrap());
        }
        assert_eq!(world.invariants().broken(), Vec::<String>::new());
        world.stop().await;
    });
}

#[test]
fn every_seed_ends_where_it_should() {
    let chosen = seeds::chosen(&KEPT, SEEDS);
    let failed = seeds::failing(&chosen, "cargo test -p sim --test simulation seeds", play);
    assert!(failed.is_empty(), "failing seeds: {failed:?}");
}
