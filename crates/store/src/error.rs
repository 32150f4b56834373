use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use crate::Revision;

/// Why the store did not do what it was asked. Nothing was changed, except as said for [`StoreError::Io`].
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("key {key:?} already exists")]
    Exists { key: Arc<str> },
    #[error("key {key:?} does not exist")]
    Missing { key: Arc<str> },
    #[error("key {key:?} was expected at revision {wanted} but is at {found}")]
    Conflict { key: Arc<str>, wanted: Revision, found: Revision },
    /// The revision asked for (or reached by a slow watch) is no longer in the history.
    #[error("revision {requested} has been compacted, the oldest kept is {oldest}")]
    Compacted { requested: Revision, oldest: Revision },
    #[error("revision {requested} is in the future, the store is at {current}")]
    Future { requested: Revision, current: Revision },
    /// A key or value beyond [`Limits`](crate::Limits). Units: bytes. `key` is cut to 64 characters.
    #[error("the {part} of key {key:?} has {size} bytes, more than the {limit} allowed")]
    TooLarge { key: Arc<str>, part: &'static str, size: usize, limit: usize },
    /// The disk failed. The write is not visible and took no revision; reads go on; later writes are tried afresh.
    /// On a full disk deletes fail too, for each commit needs new pages: room must be made outside the store.
    ///
    /// A crash between the failure and the next successful write may, if the disk had taken the write but could not
    /// say so, let it be seen after reopening.
    #[error("{0}")]
    Io(IoFailure),
    /// Another process (or another `Store` of this one) has the directory open.
    #[error("the store in {} is in use by another process (pid {owner})", dir.display())]
    Locked { dir: PathBuf, owner: String },
    /// The store has been shut down.
    #[error("the store is closed")]
    Closed,
}

/// What the store was doing when the disk failed, and the cause. Cheap to clone: one failure answers many writes.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {action}: {cause}")]
pub struct IoFailure {
    action: &'static str,
    cause: Arc<redb::Error>,
}

impl IoFailure {
    pub(crate) fn new(action: &'static str, cause: impl Into<redb::Error>) -> Self {
        Self { action, cause: Arc::new(cause.into()) }
    }

    /// Returns the operating system's kind of error, such as `StorageFull`; `Other` where it was not one of its.
    pub fn kind(&self) -> ErrorKind {
        match &*self.cause {
            redb::Error::Io(error) => error.kind(),
            _ => ErrorKind::Other,
        }
    }
}

impl From<IoFailure> for StoreError {
    fn from(failure: IoFailure) -> Self {
        Self::Io(failure)
    }
}
