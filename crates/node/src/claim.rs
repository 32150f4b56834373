//! [`Claim`]: a folder that one process uses at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::NodeError;

/// A folder that is this process's alone for as long as this lives, however the process ends.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

impl Claim {
    /// Claims the folder `dir` for `purpose`, a word that becomes the name of a lock file in it; makes it if need be.
    ///
    /// Errors: [`NodeError::Claimed`] with the owner's process id when another holds it, [`NodeError::Directory`].
    pub fn take(dir: &Path, purpose: &str) -> Result<Self, NodeError> {
        let failed = |source: io::Error| NodeError::Directory { path: dir.display().to_string(), source };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let path = dir.join(format!("{purpose}.lock"));
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let _ = lock.read_to_string(&mut owner);
                let owner = owner.trim().to_owned();
                return Err(NodeError::Claimed { path: dir.display().to_string(), owner });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Only for the message to others: a full disk is no reason not to go on.
        if let Err(error) = sign(&mut lock) {
            tracing::debug!(%error, "cannot note the owner of a lock");
        }
        Ok(Self { _lock: lock })
    }
}

fn sign(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_claimed_once_and_again_after_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let first = Claim::take(dir.path(), "node").unwrap();
        let error = Claim::take(dir.path(), "node").unwrap_err().to_string();
        let id = std::process::id();
        assert!(error.ends_with(&format!("is in use by another process (pid {id})")), "{error}");
        assert!(Claim::take(dir.path(), "other").is_ok());
        drop(first);
        assert!(Claim::take(dir.path(), "node").is_ok());
    }
}
