use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::batch::Write;
use crate::directory::Directory;
use crate::disk::{Disk, Medium};
use crate::shared::Shared;
use crate::state::{State, Window};
use crate::writer::Writer;
use crate::{Change, Deleted, Entry, Expect, Limits, Page, Revision, StoreError, Watch};

/// The store. Clones are handles of the same store.
///
/// When the last is dropped, queued writes are finished (the drop waits for the disk), the directory is free to be
/// opened again, and watches end once they have delivered everything.
#[derive(Clone, Debug)]
pub struct Store {
    open: Arc<Open>,
}

#[derive(Debug)]
struct Open {
    shared: Arc<Shared>,
    limits: Limits,
    /// `None`: in memory only.
    writer: Option<Writer>,
}

impl Drop for Open {
    fn drop(&mut self) {
        // The writer first: what it still commits is to reach the watches.
        drop(self.writer.take());
        self.shared.close();
    }
}

impl Store {
    /// Returns an empty store that lives in memory only. Its writes never wait, and no thread is involved.
    pub fn memory() -> Self {
        Self::memory_with(Limits::default())
    }

    /// Returns the same as [`memory`](Self::memory), with these limits.
    pub fn memory_with(limits: Limits) -> Self {
        let shared = Arc::new(Shared::new(State::new(1, Vec::new(), limits)));
        Self { open: Arc::new(Open { shared, limits, writer: None }) }
    }

    /// Opens the store in `dir`, creating it if need be. Its history starts at the revision it is opened at.
    ///
    /// Its writes wait for a thread: under tokio's paused clock, time moves on meanwhile. Use [`memory`](Self::memory)
    /// there.
    ///
    /// **Errors:** `Locked` when it is open elsewhere, `Io` when it cannot be read or created.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_with(dir, Limits::default())
    }

    /// Returns the same as [`open`](Self::open), with these limits.
    pub fn open_with(dir: &Path, limits: Limits) -> Result<Self, StoreError> {
        Self::open_on(Directory::lock(dir)?, limits)
    }

    pub(crate) fn open_on(medium: impl Medium + 'static, limits: Limits) -> Result<Self, StoreError> {
        let (disk, loaded) = Disk::open(medium)?;
        let shared = Arc::new(Shared::new(State::new(loaded.revision, loaded.entries, limits)));
        let writer = Some(Writer::start(disk, shared.clone())?);
        Ok(Self { open: Arc::new(Open { shared, limits, writer }) })
    }

    /// Sets a key's value if `expect` holds; returns the new entry once it is durable.
    ///
    /// Dropping the future after its first poll does not withdraw the write: it may or may not be done.
    ///
    /// **Errors:** `Exists`, `Missing`, `Conflict` as [`Expect`] says; `TooLarge`; `Io`; `Closed`.
    pub async fn put(&self, key: &str, value: Bytes, expect: Expect) -> Result<Entry, StoreError> {
        Ok(self.write(key, Some(value), expect).await?.entry.clone())
    }

    /// Removes a key if it exists and `expect` holds; returns what was removed once that is durable.
    ///
    /// **Errors:** as [`put`](Self::put); `Missing` also when `expect` would allow the key's absence.
    pub async fn delete(&self, key: &str, expect: Expect) -> Result<Deleted, StoreError> {
        let change = self.write(key, None, expect).await?;
        let revision = change.revision();
        let entry = change.previous.clone().ok_or_else(|| StoreError::Missing { key: key.into() })?;
        Ok(Deleted { entry, revision })
    }

    async fn write(
        &self,
        key: &str,
        value: Option<Bytes>,
        expect: Expect,
    ) -> Result<Arc<Change>, StoreError> {
        let write = Write::new(key, value, expect, &self.open.limits)?;
        match &self.open.writer {
            Some(writer) => writer.write(write).await,
            None => self.open.shared.write_through(write),
        }
    }

    /// Returns the key's latest entry.
    pub fn get(&self, key: &str) -> Option<Entry> {
        self.open.shared.read().get(key).cloned()
    }

    /// Returns the entries whose keys start with `prefix` and are greater than `after`, at most `limit`, in key order, of
    /// the snapshot at revision `at` (by default the newest).
    ///
    /// **Errors:** `Compacted` and `Future` when `at` is not between [`oldest`](Self::oldest) and
    /// [`revision`](Self::revision).
    pub fn range(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: Option<usize>,
        at: Option<Revision>,
    ) -> Result<Page, StoreError> {
        self.open.shared.read().range(Window { prefix, after, limit }, at)
    }

    /// Returns every change under `prefix` with a revision greater than `from`: past ones first, then live.
    ///
    /// **Errors:** `Compacted` and `Future` when `from` is not between [`oldest`](Self::oldest) and
    /// [`revision`](Self::revision).
    pub fn watch(&self, prefix: &str, from: Revision) -> Result<Watch, StoreError> {
        self.open.shared.read().known(from)?;
        Ok(Watch::new(self.open.shared.clone(), prefix, from))
    }

    /// Returns the revision of the latest write that is visible.
    pub fn revision(&self) -> Revision {
        self.open.shared.read().revision()
    }

    /// Returns the oldest revision that can still be read or watched from.
    pub fn oldest(&self) -> Revision {
        self.open.shared.read().history().oldest()
    }

    /// Forgets the history before `up_to` (at most the newest revision). The latest entries stay.
    pub fn compact(&self, up_to: Revision) {
        self.open.shared.compact(up_to);
    }
}
