//! Owners of background tasks.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Time that tasks get to end by themselves after [`Tasks::stop`].
const GRACE: Duration = Duration::from_secs(5);

/// A group of background tasks that end with their owner: dropping the last clone aborts them.
#[derive(Clone, Debug, Default)]
pub struct Tasks(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    set: Mutex<JoinSet<()>>,
    token: CancellationToken,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

impl Tasks {
    /// Returns an empty group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty group that is told to stop when `self` is.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(Arc::new(Inner { set: Mutex::default(), token: self.0.token.child_token() }))
    }

    /// Starts `task`; a panic in it is logged and ends only it.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let mut set = self.0.set.lock().unwrap_or_else(PoisonError::into_inner);
        while set.try_join_next().is_some() {}
        set.spawn(async move {
            task.await;
            tracing::debug!(task = name, "task ended");
        });
    }

    /// Returns the token that is cancelled when the group is told to stop.
    pub fn token(&self) -> CancellationToken {
        self.0.token.clone()
    }

    /// Tells the tasks to stop, waits up to 5 s for them, then aborts the rest.
    pub async fn stop(&self) {
        self.0.token.cancel();
        let mut set = std::mem::take(&mut *self.0.set.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while set.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            set.shutdown().await;
        }
    }

    /// Aborts all tasks wherever they are: what a crash of the process would do.
    pub fn abort(&self) {
        self.0.token.cancel();
        self.0.set.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[tokio::test(start_paused = true)]
    async fn stop_cancels_then_aborts() {
        let tasks = Tasks::new();
        let polite = Arc::new(AtomicBool::new(false));
        let (seen, token) = (polite.clone(), tasks.token());
        tasks.spawn("polite", async move {
            token.cancelled().await;
            seen.store(true, Ordering::SeqCst);
        });
        tasks.spawn("deaf", std::future::pending());
        tasks.stop().await;
        assert!(polite.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn children_stop_with_their_parent() {
        let tasks = Tasks::new();
        let child = tasks.child();
        tasks.stop().await;
        assert!(child.token().is_cancelled());
    }
}
