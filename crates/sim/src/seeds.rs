//! Playing many seeds on all cores.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Returns the seeds to play: that of `SLIPWAY_SEED`; else those that once failed and then `1..=count`, where
/// `SLIPWAY_SEEDS` replaces `count`.
pub fn chosen(kept: &[u64], count: u64) -> Vec<u64> {
    let number = |name: &str| -> Option<u64> { std::env::var(name).ok()?.parse().ok() };
    match number("SLIPWAY_SEED") {
        Some(seed) => vec![seed],
        None => kept.iter().copied().chain(1..=number("SLIPWAY_SEEDS").unwrap_or(count)).collect(),
    }
}

/// Plays the seeds on all cores and returns those whose play panicked, in order. A failing seed prints the line that
/// plays it again: `SLIPWAY_SEED=<seed>` before `command`.
pub fn failing(seeds: &[u64], command: &str, play: impl Fn(u64) + Sync) -> Vec<u64> {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if std::panic::catch_unwind(AssertUnwindSafe(|| play(*seed))).is_err() {
                        eprintln!("seed {seed} failed; play it again with: SLIPWAY_SEED={seed} {command}");
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(*seed);
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.sort_unstable();
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_that_panic_are_named() {
        let failed = failing(&[5, 1, 7], "play", |seed| assert!(seed < 5, "as wanted by the test"));
        assert_eq!(failed, [5, 7]);
    }
}
