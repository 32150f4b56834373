//! [`Claim`]: a folder that one process uses at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use runtime::Clock;

use crate::NodeError;

/// Time for an owner that was just killed to be gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// A folder that is this process's alone for as long as this lives, however the process ends.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

impl Claim {
    /// Claims the folder `dir` for `purpose`, a word that becomes the name of a lock file in it; makes it if need be.
    /// An owner is given 2 s to end.
    ///
    /// Errors: [`NodeError::Claimed`] with the owner's process id when another holds it, [`NodeError::Directory`].
    pub async fn take(dir: &Path, purpose: &str, clock: &Clock) -> Result<Self, NodeError> {
        let begun = clock.now();
        loop {
            match Self::attempt(dir, purpose) {
                Err(NodeError::Claimed { .. }) if clock.now().since(begun) < PATIENCE => {
                    clock.sleep(PAUSE).await
                }
                other => return other,
            }
        }
    }

    fn attempt(dir: &Path, purpose: &str) -> Result<Self, NodeError> {
        let failed = |source: io::Error| NodeError::Directory { path: dir.display().to_string(), source };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let path = dir.join(format!("{purpose}.lock"));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut lock = options.open(path).map_err(failed)?;
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

    fn clock() -> Clock {
        Clock::starting_at(object::Time::from_unix(0))
    }

    #[tokio::test(start_paused = true)]
    async fn a_folder_is_claimed_once_and_again_after_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let first = Claim::take(dir.path(), "node", &clock()).await.unwrap();
        let error = Claim::take(dir.path(), "node", &clock()).await.unwrap_err().to_string();
        let id = std::process::id();
        assert!(error.ends_with(&format!("is in use by another process (pid {id})")), "{error}");
        assert!(Claim::take(dir.path(), "other", &clock()).await.is_ok());
        drop(first);
        assert!(Claim::take(dir.path(), "node", &clock()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_owner_that_is_ending_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let first = Claim::take(dir.path(), "node", &clock()).await.unwrap();
        let ending = async {
            clock().sleep(Duration::from_secs(1)).await;
            drop(first);
        };
        let clock = clock();
        let (second, ()) = tokio::join!(Claim::take(dir.path(), "node", &clock), ending);
        assert!(second.is_ok());
    }
}
