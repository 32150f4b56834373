//! Playing many seeds on all cores.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Returns the seeds to play: that of `SLIPWAY_SEED`; else those that once failed and then `1..=count`, where
/// `SLIPWAY_SEEDS` replaces the range: `2000` is `1..=2000`, `900..2000` begins at 900 and leaves `kept` out.
pub fn chosen(kept: &[u64], count: u64) -> Vec<u64> {
    let variable = |name: &str| std::env::var(name).ok();
    if let Some(seed) = variable("SLIPWAY_SEED").and_then(|text| text.parse().ok()) {
        return vec![seed];
    }
    match variable("SLIPWAY_SEEDS").as_deref().and_then(range) {
        Some((1, last)) => kept.iter().copied().chain(1..=last).collect(),
        Some((first, last)) => (first..=last).collect(),
        None => kept.iter().copied().chain(1..=count).collect(),
    }
}

/// Returns the first and the last seed of a text like `2000` or `900..2000`.
fn range(text: &str) -> Option<(u64, u64)> {
    match text.split_once("..") {
        Some((first, last)) => Some((first.parse().ok()?, last.parse().ok()?)),
        None => Some((1, text.parse().ok()?)),
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
    fn ranges_begin_where_they_say() {
        let table = [("2000", Some((1, 2000))), ("900..2000", Some((900, 2000))), ("x", None), ("1..", None)];
        for (text, wanted) in table {
            assert_eq!(range(text), wanted, "{text}");
        }
    }

    #[test]
    fn seeds_that_panic_are_named() {
        let failed = failing(&[5, 1, 7], "play", |seed| assert!(seed < 5, "as wanted by the test"));
        assert_eq!(failed, [5, 7]);
    }
}
