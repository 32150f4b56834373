use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::{IoFailure, StoreError};

/// A store's directory, held for this process alone as long as the value lives.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// The operating system drops the lock with the process, however it ends.
    _lock: File,
}

impl Directory {
    /// Creates the directory if need be and takes its lock.
    ///
    /// **Errors:** `Locked` when another process or store has it.
    pub(crate) fn lock(path: &Path) -> Result<Self, StoreError> {
        let failure = |error| IoFailure::new("open the store's directory", error);
        std::fs::create_dir_all(path).map_err(failure)?;
        let mut lock = private().create(true).open(path.join("lock")).map_err(failure)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(path, lock)),
            Err(TryLockError::Error(error)) => return Err(failure(error).into()),
        }
        // Only for the message of `Locked`: a full disk must not keep the store from opening.
        if let Err(error) = sign(&mut lock) {
            tracing::debug!(%error, "cannot note the owner of the store's lock");
        }
        Ok(Self { path: path.into(), _lock: lock })
    }

    /// Returns the path of the data file.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data.redb")
    }

    /// Returns the path of an empty file, readable by its owner alone, in which to prepare a data file.
    pub(crate) fn draft(&self) -> std::io::Result<PathBuf> {
        let path = self.path.join("data.redb.draft");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        private().create_new(true).open(&path)?;
        Ok(path)
    }

    /// Makes a newly created file's name durable.
    pub(crate) fn sync(&self) -> std::io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

/// Returns options to read and write a file; a new one is for its owner alone, for a cluster's secrets are in there.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn locked(path: &Path, mut lock: File) -> StoreError {
    let mut owner = String::new();
    let read = lock.read_to_string(&mut owner);
    if read.is_err() || owner.trim().is_empty() {
        owner = "unknown".into();
    }
    StoreError::Locked { dir: path.into(), owner: owner.trim().into() }
}

fn sign(lock: &mut File) -> std::io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}
