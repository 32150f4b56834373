//! Writes that more than one controller makes.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use object::{Object, Value};
use runtime::{ApiError, Cache, Cluster, Deletion, Failure, Next, Propagation, Resource, Subresource};

/// Wait after a conflict: the watch delivers the other write within it.
const CONFLICT: Duration = Duration::from_millis(20);

/// Replaces the status of `object` unless it is `status` already; returns whether anything was written.
pub(crate) async fn status(
    cluster: &Cluster,
    resource: &Resource,
    cache: &Cache,
    object: &Object,
    status: Value,
) -> Result<bool, ApiError> {
    if object.get(&["status"]) == Some(&status) {
        return Ok(false);
    }
    let mut wanted = object.clone();
    wanted.set(&["status"], status);
    let stored = cluster.replace(resource, &wanted, Subresource::Status).await?;
    cache.note(stored);
    Ok(true)
}

/// Deletes exactly this object, its dependents in the background.
pub(crate) async fn delete(cluster: &Cluster, resource: &Resource, object: &Object) -> Result<(), ApiError> {
    let deletion = Deletion {
        propagation: Some(Propagation::Background),
        uid: Some(object.uid().to_owned()),
        ..Deletion::default()
    };
    match cluster.delete(resource, &object.key(), &deletion).await {
        Err(error) if error.is_conflict() => Ok(()),
        other => other,
    }
}

/// Turns a lost race into another look; other errors stay failures.
pub(crate) fn settle(outcome: Result<Next, ApiError>) -> Result<Next, Failure> {
    match outcome {
        Err(error) if error.is_conflict() || error.is_not_found() => {
            tracing::debug!(%error, "lost a race, looking again");
            Ok(Next::After(CONFLICT))
        }
        other => other.map_err(Failure::from),
    }
}

/// Uids of objects this process deleted and whose end the cache has not shown yet.
///
/// Without it a second pass would see them alive and delete others in their place.
#[derive(Debug, Default)]
pub(crate) struct Doomed(Mutex<BTreeSet<String>>);

impl Doomed {
    /// Remembers that `object` is deleted.
    pub(crate) fn add(&self, object: &Object) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(object.uid().to_owned());
    }

    /// Takes `object` back: its deletion failed.
    pub(crate) fn remove(&self, object: &Object) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(object.uid());
    }

    /// Returns true when `object` is deleted though it still looks alive.
    pub(crate) fn contains(&self, object: &Object) -> bool {
        let mut doomed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if object.is_deleting() {
            doomed.remove(object.uid());
            return true;
        }
        doomed.contains(object.uid())
    }
}
