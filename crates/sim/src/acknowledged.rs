//! [`Acknowledged`]: which writes the controllers were told are done, and which the store has shown.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runtime::Tasks;
use store::Store;

/// Revisions of writes, as told and as shown. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged(Arc<Mutex<Revisions>>);

#[derive(Debug, Default)]
struct Revisions {
    told: BTreeSet<u64>,
    shown: BTreeSet<u64>,
}

impl Acknowledged {
    /// Starts to take down what the store shows; ends with `tasks`.
    pub(crate) fn watch(&self, store: &Store, tasks: &Tasks) -> Result<(), store::StoreError> {
        let mut watch = store.watch("", store.oldest())?;
        let revisions = self.clone();
        tasks.spawn("acknowledged", async move {
            while let Some(Ok(change)) = watch.next().await {
                revisions.lock().shown.insert(change.revision());
            }
        });
        Ok(())
    }

    /// Takes down a write that a controller was told is done, by the body of the answer.
    pub(crate) fn tell(&self, answer: &[u8]) {
        self.lock().told.extend(revision(answer));
    }

    /// Returns whether a controller was told that it made this write.
    pub fn was_told(&self, revision: u64) -> bool {
        self.lock().told.contains(&revision)
    }

    /// Returns the writes that were told but never shown although a later one was, in order.
    pub fn lost(&self) -> Vec<u64> {
        let revisions = self.lock();
        let last = revisions.shown.last().copied().unwrap_or_default();
        let lost = revisions.told.difference(&revisions.shown);
        lost.copied().filter(|revision| *revision < last).collect()
    }

    /// Returns how many writes were told: a run that told none proves nothing.
    pub fn told(&self) -> usize {
        self.lock().told.len()
    }

    fn lock(&self) -> MutexGuard<'_, Revisions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the revision of the object in an answer; none for a Status or an object that is gone.
fn revision(answer: &[u8]) -> Option<u64> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    answer["metadata"]["resourceVersion"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_write_that_was_told_but_never_shown_is_lost() {
        let (store, tasks, writes) = (Store::memory(), Tasks::new(), Acknowledged::default());
        writes.watch(&store, &tasks).unwrap();
        let entry = store.put("/a", bytes::Bytes::new(), store::Expect::Any).await.unwrap();
        let never = entry.modified - 1;
        for revision in [entry.modified, never] {
            writes.tell(format!(r#"{{"metadata":{{"resourceVersion":"{revision}"}}}}"#).as_bytes());
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert_eq!(writes.lost(), [never]);
        assert!(writes.was_told(entry.modified));
    }
}
