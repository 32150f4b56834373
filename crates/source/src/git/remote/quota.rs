//! How much a fetch may write, and when it has to stop.

use std::{
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

/// How often the size of a cache is looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// Bounds of one fetch.
pub(crate) struct Quota<'a> {
    /// Bytes on disk.
    pub bytes: u64,
    /// Set to make the fetch stop.
    pub stop: &'a AtomicBool,
}

impl Quota<'_> {
    /// Runs `fetch`, which is told to stop when the cache grows over the quota.
    pub(super) fn watch<T>(&self, cache: &Path, fetch: impl FnOnce(&AtomicBool) -> T) -> T {
        let (running, ended) = channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                    if self.is_exceeded(cache) {
                        self.stop.store(true, Ordering::Relaxed);
                        return;
                    }
                }
            });
            let result = fetch(self.stop);
            drop(running);
            result
        })
    }

    /// True when the packs of the cache are larger than the quota.
    pub(super) fn is_exceeded(&self, cache: &Path) -> bool {
        let packs = std::fs::read_dir(cache.join("objects/pack")).into_iter().flatten().flatten();
        packs.filter_map(|entry| entry.metadata().ok()).map(|data| data.len()).sum::<u64>() > self.bytes
    }
}
