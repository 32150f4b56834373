use std::collections::VecDeque;
use std::sync::Arc;

use crate::{Change, Limits, Revision};

/// What one change costs beside its key and the value it superseded. Units: bytes, approximate.
const OVERHEAD: usize = 256;

/// The changes after `oldest`, without a gap: the change of revision r is at index r - oldest - 1.
#[derive(Debug)]
pub(crate) struct History {
    oldest: Revision,
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
}

impl History {
    /// Returns an empty history that starts at `revision`.
    pub(crate) fn new(revision: Revision) -> Self {
        Self { oldest: revision, changes: VecDeque::new(), bytes: 0 }
    }

    /// Returns the oldest revision of which a snapshot, or after which every change, is known.
    pub(crate) fn oldest(&self) -> Revision {
        self.oldest
    }

    /// Returns the newest revision.
    pub(crate) fn newest(&self) -> Revision {
        self.oldest + self.changes.len() as Revision
    }

    pub(crate) fn push(&mut self, change: Arc<Change>) {
        debug_assert_eq!(change.revision(), self.newest() + 1);
        self.bytes += cost(&change);
        self.changes.push_back(change);
    }

    /// Drops and returns the oldest change.
    pub(crate) fn pop(&mut self) -> Option<Arc<Change>> {
        let change = self.changes.pop_front()?;
        self.bytes -= cost(&change);
        self.oldest += 1;
        Some(change)
    }

    /// Returns whether more is kept than `limits` allow; one change is always allowed.
    pub(crate) fn exceeds(&self, limits: &Limits) -> bool {
        let kept = self.changes.len();
        kept > 1 && (kept > limits.history_revisions || self.bytes > limits.history_bytes)
    }

    /// Returns the changes after `from`, which must not be older than [`oldest`](Self::oldest).
    pub(crate) fn after(&self, from: Revision) -> impl Iterator<Item = &Arc<Change>> {
        let skip = usize::try_from(from.saturating_sub(self.oldest)).unwrap_or(usize::MAX);
        self.changes.range(skip.min(self.changes.len())..)
    }
}

/// A superseded value lives exactly as long as the change that superseded it; the new one lives in the state anyway.
fn cost(change: &Change) -> usize {
    let superseded = change.previous.as_ref().map_or(0, |entry| entry.value.len());
    OVERHEAD + change.entry.key.len() + superseded
}
