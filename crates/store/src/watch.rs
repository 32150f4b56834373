use std::collections::VecDeque;
use std::sync::Arc;

use crate::shared::Shared;
use crate::{Change, Revision, StoreError};

/// How many changes to look at, and to take, per hold of the lock.
const LOOK: usize = 4096;
const TAKE: usize = 64;

/// The changes under a prefix, in order and without a gap: first those of the past, then live ones.
///
/// A watch holds no place in any queue: it reads the store's history at its own pace, so a slow one holds up nobody.
/// When it falls behind the oldest kept revision it ends with [`StoreError::Compacted`].
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    prefix: Arc<str>,
    taken: VecDeque<Arc<Change>>,
    /// Everything up to here was delivered, is in `taken`, or is under another prefix.
    seen: Revision,
    delivered: Revision,
    failed: bool,
}

impl Watch {
    pub(crate) fn new(shared: Arc<Shared>, prefix: &str, from: Revision) -> Self {
        let prefix = prefix.into();
        Self { shared, prefix, taken: VecDeque::new(), seen: from, delivered: from, failed: false }
    }

    /// Returns the next change, waiting for it; `None` once the store is closed or after an error.
    ///
    /// Cancel safe: a change is either returned or still to come.
    ///
    /// **Errors:** `Compacted` when changes this watch had not yet seen were dropped from the history.
    pub async fn next(&mut self) -> Option<Result<Change, StoreError>> {
        let shared = self.shared.clone();
        loop {
            let changed = shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let closed = shared.is_closed();
            if let Some(answer) = self.try_next() {
                return Some(answer);
            }
            if closed || self.failed {
                return None;
            }
            changed.await;
        }
    }

    /// Returns the revision up to which everything under the prefix has been delivered, for bookmarks. It advances, also
    /// past changes under other prefixes, while [`next`](Self::next) is being polled.
    pub fn progress(&self) -> Revision {
        self.delivered
    }

    /// Returns the next change if there already is one, without waiting.
    ///
    /// **Errors:** as [`next`](Self::next).
    pub fn try_next(&mut self) -> Option<Result<Change, StoreError>> {
        if self.failed {
            return None;
        }
        if self.taken.is_empty()
            && let Err(error) = self.take()
        {
            self.failed = true;
            return Some(Err(error));
        }
        let next = self.taken.pop_front();
        self.delivered = next.as_ref().map_or(self.seen, |change| change.revision());
        next.map(|change| Ok(Arc::unwrap_or_clone(change)))
    }

    /// Fills `taken` from the history, until something was found or the end is reached.
    fn take(&mut self) -> Result<(), StoreError> {
        while self.taken.is_empty() && self.look()? {}
        Ok(())
    }

    /// Looks at one stretch of the history; returns whether there is more.
    fn look(&mut self) -> Result<bool, StoreError> {
        let state = self.shared.read();
        state.known(self.seen)?;
        for change in state.history().after(self.seen).take(LOOK) {
            self.seen = change.revision();
            if change.entry.key.starts_with(&*self.prefix) {
                self.taken.push_back(change.clone());
            }
            if self.taken.len() == TAKE {
                break;
            }
        }
        Ok(self.seen < state.revision())
    }
}
