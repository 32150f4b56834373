//! J1 in one process under virtual time.
#![expect(clippy::unwrap_used, reason = "tests")]

use sim::WorldConfig;
use testkit::scenario::play;

#[path = "in_process/driver.rs"]
mod driver;
#[path = "in_process/journey.rs"]
mod journey;

#[tokio::test(start_paused = true)]
async fn one_commit_one_canary() {
    let dir = tempfile::tempdir().unwrap();
    let (driver, scenario) = journey::start(WorldConfig::new(1, dir.path())).await;
    let observed = play(&scenario, &driver).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(observed.len(), scenario.steps.len());
    assert_eq!(driver.world.invariants().broken(), Vec::<String>::new());
    assert!(driver.world.invariants().looks() > 100);
    driver.world.stop().await;
}
