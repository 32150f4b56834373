//! Blocking work with a hard end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};

use super::Repositories;
use crate::{RepoUrl, SourceError};

impl Repositories {
    /// Runs `work` on a thread of its own and waits for it, at most `limit` of real time. Work that is late is told to
    /// stop, and is left to end by itself: a server that never answers must not hold the caller, nor keep the runtime
    /// from shutting down.
    pub(super) async fn bounded<T: Send + 'static>(
        &self,
        url: &RepoUrl,
        limit: Duration,
        work: impl FnOnce(&AtomicBool) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let url = url.clone();
        let late = || SourceError::Timeout { url: url.clone(), limit };
        let failed = |message: &str| SourceError::Cache { url: url.clone(), message: message.to_owned() };
        let permits = Arc::clone(&self.0.permits);
        let permit = tokio::time::timeout(limit, permits.acquire_owned()).await.map_err(|_| late())?;
        let waiting = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            wait(limit, work)
        });
        match waiting.await {
            Ok(Ok(result)) => result,
            Ok(Err(RecvTimeoutError::Timeout)) => Err(late()),
            Ok(Err(RecvTimeoutError::Disconnected)) | Err(_) => Err(failed("reading it ended abnormally")),
        }
    }
}

fn wait<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> Result<T, RecvTimeoutError> {
    let stop = Arc::new(AtomicBool::new(false));
    let (send, receive) = sync_channel(1);
    let told = Arc::clone(&stop);
    let run = move || {
        // nobody listens any more when it is late
        let _ = send.send(work(&told));
    };
    thread::Builder::new().name("git".into()).spawn(run).map_err(|_| RecvTimeoutError::Disconnected)?;
    let result = receive.recv_timeout(limit);
    stop.store(true, Ordering::Relaxed);
    result
}
