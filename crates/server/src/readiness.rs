//! What a process waits for before it calls itself ready.

use std::sync::{Arc, OnceLock};

use runtime::Cache;

/// The caches that must be complete for `/readyz`. A replica that stands by needs none and is ready: it can take over. Cheap
/// to clone; clones share what is said.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<OnceLock<Vec<Cache>>>);

impl Readiness {
    /// Returns the readiness of a replica that stands by.
    pub fn standby() -> Self {
        Self::default()
    }

    /// Says what is needed now that the process works. Only the first word counts.
    pub fn needs(&self, caches: Vec<Cache>) {
        let _ = self.0.set(caches);
    }

    /// Returns true when nothing that is needed is incomplete.
    pub fn is_ready(&self) -> bool {
        self.0.get().is_none_or(|caches| caches.iter().all(Cache::is_synced))
    }
}

impl From<Vec<Cache>> for Readiness {
    fn from(caches: Vec<Cache>) -> Self {
        let readiness = Self::default();
        readiness.needs(caches);
        readiness
    }
}
