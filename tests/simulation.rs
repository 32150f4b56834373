//! Simulation: the whole of J1, from the commit to the traffic, under faults, for many seeds.
//!
//! `SLIPWAY_SEED=17 cargo test -p slipway --test simulation` plays one seed; `SLIPWAY_SEEDS=2000` plays that many.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use sim::{Rates, User, WorldConfig, seeds};
use testkit::scenario::play_step;

#[path = "in_process/driver.rs"]
mod driver;
#[path = "in_process/journey.rs"]
mod journey;

/// Seeds that once failed. 73: a process that died between a sync and the comparison after it left clients waiting for it.
const KEPT: [u64; 1] = [73];
/// Seeds that are played when nothing else is said.
const SEEDS: u64 = 200;
/// What a step may take while faults strike.
const PATIENCE: &str = "30m";

/// Plays one seed in a runtime of its own under a paused clock.
fn play(seed: u64) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let config = WorldConfig {
            faults: Some(Rates::ROUGH),
            user: User::Commits,
            ..WorldConfig::new(seed, dir.path())
        };
        let (driver, journey) = journey::start(config).await;
        for (index, mut step) in journey.steps.into_iter().enumerate() {
            step.within = Some(PATIENCE.to_owned());
            driver.world.invariants().acting();
            play_step(index + 1, &step, &driver).await.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(driver.world.invariants().broken(), Vec::<String>::new(), "step {}", index + 1);
        }
        let faults = driver.world.faults().unwrap();
        assert!(faults.struck() > 0, "no fault struck: the seed proves nothing");
        faults.stop();
        driver.world.settle(Duration::from_secs(600)).await.unwrap();
        assert_eq!(driver.world.invariants().broken(), Vec::<String>::new());
        driver.world.stop().await;
    });
}

#[test]
fn every_seed_ends_where_it_should() {
    let chosen = seeds::chosen(&KEPT, SEEDS);
    let failed = seeds::failing(&chosen, "cargo test -p slipway --test simulation", play);
    assert!(failed.is_empty(), "failing seeds: {failed:?}");
}
