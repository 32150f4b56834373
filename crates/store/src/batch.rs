//! What writes decide: expectations are checked and revisions given here, before anything is visible.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::state::State;
use crate::{Change, ChangeKind, Entry, Expect, Limits, Revision, StoreError};

/// One write that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub key: Arc<str>,
    /// `None` deletes.
    pub value: Option<Bytes>,
    pub expect: Expect,
}

impl Write {
    /// Returns the write, or `TooLarge`.
    pub(crate) fn new(
        key: &str,
        value: Option<Bytes>,
        expect: Expect,
        limits: &Limits,
    ) -> Result<Self, StoreError> {
        let size = value.as_ref().map_or(0, Bytes::len);
        within("key", key, key.len(), limits.key_bytes)?;
        within("value", key, size, limits.value_bytes)?;
        Ok(Self { key: key.into(), value, expect })
    }

    /// Returns the key's and the value's length together, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, Bytes::len)
    }
}

fn within(part: &'static str, key: &str, size: usize, limit: usize) -> Result<(), StoreError> {
    if size <= limit {
        return Ok(());
    }
    let key = key.chars().take(64).collect::<String>().into();
    Err(StoreError::TooLarge { key, part, size, limit })
}

/// Changes that will become visible together, in order, on top of one state.
#[derive(Debug)]
pub(crate) struct Batch {
    base: Revision,
    revision: Revision,
    changes: Vec<Arc<Change>>,
    latest: BTreeMap<Arc<str>, Option<Entry>>,
}

impl Batch {
    /// Returns an empty batch whose first change follows `revision`.
    pub(crate) fn after(revision: Revision) -> Self {
        Self { base: revision, revision, changes: Vec::new(), latest: BTreeMap::new() }
    }

    /// Adds a write if its expectation holds of `state` with the batch so far on top; returns the change it makes.
    pub(crate) fn stage(&mut self, state: &State, write: Write) -> Result<Arc<Change>, StoreError> {
        let previous = match self.latest.get(&write.key) {
            Some(staged) => staged.clone(),
            None => state.get(&write.key).cloned(),
        };
        check(&write, previous.as_ref())?;
        let change = Arc::new(change(write, previous, self.revision + 1)?);
        self.revision += 1;
        self.latest.insert(change.entry.key.clone(), change.after().cloned());
        self.changes.push(change.clone());
        Ok(change)
    }

    /// Returns whether an earlier write of this batch touches the key, so that an answer about it hangs on the batch.
    pub(crate) fn touches(&self, key: &str) -> bool {
        self.latest.contains_key(key)
    }

    /// Returns the store's revision before the batch.
    pub(crate) fn base(&self) -> Revision {
        self.base
    }

    /// Returns the store's revision after the batch.
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the keys written, each with its entry after the batch (`None`: deleted).
    pub(crate) fn outcome(&self) -> &BTreeMap<Arc<str>, Option<Entry>> {
        &self.latest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the changes in order.
    pub(crate) fn changes(&self) -> &[Arc<Change>] {
        &self.changes
    }

    pub(crate) fn into_changes(self) -> Vec<Arc<Change>> {
        self.changes
    }
}

fn check(write: &Write, found: Option<&Entry>) -> Result<(), StoreError> {
    let key = || write.key.clone();
    match (write.expect, found) {
        (Expect::Any, _) | (Expect::Absent, None) | (Expect::Present, Some(_)) => Ok(()),
        (Expect::Absent, Some(_)) => Err(StoreError::Exists { key: key() }),
        (Expect::Present | Expect::At(_), None) => Err(StoreError::Missing { key: key() }),
        (Expect::At(wanted), Some(entry)) if entry.modified == wanted => Ok(()),
        (Expect::At(wanted), Some(entry)) => {
            Err(StoreError::Conflict { key: key(), wanted, found: entry.modified })
        }
    }
}

fn change(write: Write, previous: Option<Entry>, revision: Revision) -> Result<Change, StoreError> {
    let Write { key, value, expect: _ } = write;
    match (value, previous) {
        (Some(value), Some(old)) => {
            let entry = Entry { key: old.key.clone(), value, created: old.created, modified: revision };
            Ok(Change { kind: ChangeKind::Put { created: false }, entry, previous: Some(old) })
        }
        (Some(value), None) => {
            let entry = Entry { key, value, created: revision, modified: revision };
            Ok(Change { kind: ChangeKind::Put { created: true }, entry, previous: None })
        }
        (None, Some(old)) => {
            let entry = Entry { modified: revision, ..old.clone() };
            Ok(Change { kind: ChangeKind::Delete, entry, previous: Some(old) })
        }
        (None, None) => Err(StoreError::Missing { key }),
    }
}
