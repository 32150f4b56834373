use std::sync::Arc;

use bytes::Bytes;

/// A point in the store's history. An empty store is at revision 1; each write adds exactly one.
///
/// **Source:** etcd; starting at 1 keeps 0 free for "no particular revision".
pub type Revision = u64;

/// One key with its value and where in history the value comes from. Cloning copies no data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: Arc<str>,
    pub value: Bytes,
    /// The write that brought the key into being (since it was last deleted).
    pub created: Revision,
    /// The write that gave the key this value.
    pub modified: Revision,
}

/// What must hold of a key for a write to it to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The key does not exist; otherwise [`Exists`](crate::StoreError::Exists).
    Absent,
    /// The key exists and was last modified at this revision; otherwise [`Missing`](crate::StoreError::Missing) or
    /// [`Conflict`](crate::StoreError::Conflict).
    At(Revision),
    /// The key exists; otherwise [`Missing`](crate::StoreError::Missing).
    Present,
    /// Nothing.
    Any,
}

/// One write, as watches see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    /// What was put; for a delete the last value, with `modified` = the revision of the delete.
    pub entry: Entry,
    /// The entry just before this change; `None` when the key did not exist.
    pub previous: Option<Entry>,
}

impl Change {
    /// Returns the revision of this change; no other change has the same.
    pub fn revision(&self) -> Revision {
        self.entry.modified
    }

    /// Returns the entry as it is after this change; `None` after a delete.
    pub fn after(&self) -> Option<&Entry> {
        match self.kind {
            ChangeKind::Put { .. } => Some(&self.entry),
            ChangeKind::Delete => None,
        }
    }
}

/// What a [`Change`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// `created` tells a new key from a new value.
    Put {
        created: bool,
    },
    Delete,
}

/// What [`Store::delete`](crate::Store::delete) removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The last value, as it was: `modified` is still the write that gave it.
    pub entry: Entry,
    /// The revision of the delete.
    pub revision: Revision,
}

/// Part of one consistent snapshot, in key order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// The snapshot's revision: pass it as `at` to read the next page of the same snapshot, or as `from` to watch on.
    pub revision: Revision,
    /// Whether keys follow the last of `entries`.
    pub more: bool,
    /// How many follow.
    pub remaining: usize,
}
