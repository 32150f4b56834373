//! What a process waits for before it calls itself ready.

use std::sync::{Arc, OnceLock};

use runtime::{Cache, Watches};

/// The caches that must be complete for `/readyz`. A replica that stands by needs none and is ready: it can take over. Cheap
/// to clone; clones share what is said.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    caches: OnceLock<Vec<Cache>>,
    watches: OnceLock<Watches>,
}

impl Readiness {
    /// Returns the readiness of a replica that stands by.
    pub fn standby() -> Self {
        Self::default()
    }

    /// Says what is needed now that the process works. Only the first word counts.
    pub fn needs(&self, caches: Vec<Cache>) {
        let _ = self.0.caches.set(caches);
    }

    /// Says what is watched, so that it can be told what the cluster lacks. Only the first word counts.
    pub fn watches(&self, watches: Watches) {
        let _ = self.0.watches.set(watches);
    }

    /// Returns a sentence for each resource that the cluster lacks. The process works without, so it is no less ready.
    pub fn lacks(&self) -> Vec<String> {
        self.0.watches.get().map(|watches| watches.unserved().into_values().collect()).unwrap_or_default()
    }

    /// Returns true when nothing that is needed is incomplete.
    pub fn is_ready(&self) -> bool {
        self.0.caches.get().is_none_or(|caches| caches.iter().all(Cache::is_synced))
    }
}

impl From<Vec<Cache>> for Readiness {
    fn from(caches: Vec<Cache>) -> Self {
        let readiness = Self::default();
        readiness.needs(caches);
        readiness
    }
}
