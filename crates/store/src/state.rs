//! What readers see: every key's versions, and the history.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use crate::history::History;
use crate::{Change, Entry, Limits, Page, Revision, StoreError};

#[cfg(test)]
mod tests;

/// The store's contents at each revision from the oldest kept to the newest.
#[derive(Debug)]
pub(crate) struct State {
    keys: BTreeMap<Arc<str>, Versions>,
    history: History,
    limits: Limits,
}

/// A key's entries by the revision that made them so, ascending; `None` is a delete. Never empty.
type Versions = VecDeque<(Revision, Option<Entry>)>;

/// Which part of a snapshot is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    pub prefix: &'a str,
    /// Only keys greater than this.
    pub after: Option<&'a str>,
    pub limit: Option<usize>,
}

impl State {
    /// Returns a state at `revision` with these entries and no history.
    pub(crate) fn new(revision: Revision, entries: Vec<Entry>, limits: Limits) -> Self {
        let versions = |entry: Entry| (entry.key.clone(), Versions::from([(entry.modified, Some(entry))]));
        Self { keys: entries.into_iter().map(versions).collect(), history: History::new(revision), limits }
    }

    pub(crate) fn revision(&self) -> Revision {
        self.history.newest()
    }

    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Returns the key's latest entry.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.keys.get(key)?.back()?.1.as_ref()
    }

    /// Returns the window of the snapshot at `at`, by default the newest.
    ///
    /// **Errors:** `Compacted` and `Future` when `at` is not between the oldest and the newest revision.
    pub(crate) fn range(&self, window: Window<'_>, at: Option<Revision>) -> Result<Page, StoreError> {
        let revision = at.unwrap_or_else(|| self.revision());
        self.known(revision)?;
        let mut matching = self.matching(window).filter_map(|versions| visible(versions, revision));
        let limit = window.limit.unwrap_or(usize::MAX);
        let entries: Vec<Entry> = matching.by_ref().take(limit).cloned().collect();
        let remaining = matching.count();
        Ok(Page { entries, revision, more: remaining > 0, remaining })
    }

    /// Checks that `revision` is in the history.
    pub(crate) fn known(&self, revision: Revision) -> Result<(), StoreError> {
        let (oldest, current) = (self.history.oldest(), self.revision());
        if revision < oldest {
            return Err(StoreError::Compacted { requested: revision, oldest });
        }
        if revision > current {
            return Err(StoreError::Future { requested: revision, current });
        }
        Ok(())
    }

    fn matching<'a>(&'a self, window: Window<'a>) -> impl Iterator<Item = &'a Versions> {
        let start = match window.after {
            Some(after) if after >= window.prefix => Bound::Excluded(after),
            Some(_) | None => Bound::Included(window.prefix),
        };
        self.keys
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(window.prefix))
            .map(|(_, versions)| versions)
    }

    /// Makes the next change visible; compacts what this pushes over the limits.
    pub(crate) fn apply(&mut self, change: Arc<Change>) {
        let version = (change.revision(), change.after().cloned());
        self.keys.entry(change.entry.key.clone()).or_default().push_back(version);
        self.history.push(change);
        while self.history.exceeds(&self.limits) {
            self.forget_one();
        }
    }

    /// Forgets what happened before `up_to`; that revision (at most the newest) becomes the oldest known.
    pub(crate) fn compact(&mut self, up_to: Revision) {
        let up_to = up_to.min(self.revision());
        while self.history.oldest() < up_to {
            self.forget_one();
        }
    }

    fn forget_one(&mut self) {
        if let Some(change) = self.history.pop() {
            prune(&mut self.keys, &change.entry.key, change.revision());
        }
    }
}

/// Returns the entry that a snapshot at `revision` shows.
fn visible(versions: &Versions, revision: Revision) -> Option<&Entry> {
    let shown = versions.partition_point(|(made, _)| *made <= revision).checked_sub(1)?;
    versions.get(shown)?.1.as_ref()
}

/// Drops the versions of a key that no snapshot at `oldest` or later shows.
fn prune(keys: &mut BTreeMap<Arc<str>, Versions>, key: &str, oldest: Revision) {
    let Some(versions) = keys.get_mut(key) else { return };
    let superseded = versions.partition_point(|(made, _)| *made <= oldest).saturating_sub(1);
    versions.drain(..superseded);
    if matches!(versions.front(), Some((made, None)) if *made <= oldest) {
        versions.pop_front();
    }
    if versions.is_empty() {
        keys.remove(key);
    }
}
