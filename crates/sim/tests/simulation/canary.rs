//! A canary in a seeded world without faults.

use super::story;

use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_canary_is_promoted_and_a_bad_one_is_aborted() {
    let dir = tempfile::tempdir().unwrap();
    let world = story::play(1, None, dir.path()).await;
    world.settle(Duration::from_secs(600)).await.unwrap();
    assert_eq!(world.invariants().broken(), Vec::<String>::new());
    assert!(world.invariants().looks() > 100);
    world.stop().await;
}
