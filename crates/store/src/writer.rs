//! Group commit: one thread takes the writes that wait, commits them together, then shows and answers them.

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::batch::{Batch, Write};
use crate::disk::Disk;
use crate::shared::Shared;
use crate::{Change, IoFailure, StoreError};

/// Writes that may wait before callers have to.
const QUEUE: usize = 1024;
/// Most writes, and about the most bytes, of one commit.
const BATCH_WRITES: usize = 512;
const BATCH_BYTES: usize = 8 << 20;

type Answer = Result<Arc<Change>, StoreError>;

/// A write and who waits for it.
#[derive(Debug)]
pub(crate) struct Request {
    write: Write,
    reply: oneshot::Sender<Answer>,
}

/// The thread's front: dropping it lets the thread finish what is queued and waits for that.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(disk: Disk, shared: Arc<Shared>) -> Result<Self, StoreError> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(disk, &shared, requests))
            .map_err(|error| IoFailure::new("start the store's writer", error))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Returns the write's change once it is durable and visible.
    pub(crate) async fn write(&self, write: Write) -> Answer {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send(Request { write, reply }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
    }
}

/// Closes the store's watches when the thread ends, however it ends.
struct CloseOnExit<'a>(&'a Shared);

impl Drop for CloseOnExit<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn run(mut disk: Disk, shared: &Shared, mut requests: mpsc::Receiver<Request>) {
    let _close = CloseOnExit(shared);
    while let Some(first) = requests.blocking_recv() {
        let batch = gather(first, &mut requests);
        commit(&mut disk, shared, batch);
    }
}

/// Returns the request with those that wait behind it.
fn gather(first: Request, requests: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let mut bytes = first.write.size();
    let mut batch = vec![first];
    while batch.len() < BATCH_WRITES && bytes < BATCH_BYTES {
        let Ok(request) = requests.try_recv() else { break };
        bytes += request.write.size();
        batch.push(request);
    }
    batch
}

/// Decides, commits, shows and answers the requests, in this order.
fn commit(disk: &mut Disk, shared: &Shared, requests: Vec<Request>) {
    let (batch, staged) = stage(shared, requests);
    let committed = if batch.is_empty() { Ok(()) } else { disk.commit(&batch) };
    match committed {
        Ok(()) => {
            shared.publish(batch);
            staged.into_iter().for_each(|staged| staged.reply.answer(staged.answer));
        }
        Err(failure) => {
            tracing::warn!(error = %failure, writes = staged.len(), "the store could not commit");
            staged.into_iter().for_each(|staged| staged.fail(&failure));
        }
    }
}

/// A decided request that waits for the commit.
struct Staged {
    answer: Answer,
    reply: oneshot::Sender<Answer>,
    /// Whether the answer would not hold without the batch.
    hangs: bool,
}

impl Staged {
    fn fail(self, failure: &IoFailure) {
        let answer = if self.hangs { Err(failure.clone().into()) } else { self.answer };
        self.reply.answer(answer);
    }
}

fn stage(shared: &Shared, requests: Vec<Request>) -> (Batch, Vec<Staged>) {
    let state = shared.read();
    let mut batch = Batch::after(state.revision());
    let mut staged = Vec::with_capacity(requests.len());
    for Request { write, reply } in requests {
        let touched = batch.touches(&write.key);
        let answer = batch.stage(&state, write);
        staged.push(Staged { hangs: touched || answer.is_ok(), answer, reply });
    }
    (batch, staged)
}

trait Reply {
    fn answer(self, answer: Answer);
}

impl Reply for oneshot::Sender<Answer> {
    /// Answers; a caller that has stopped waiting is no error.
    fn answer(self, answer: Answer) {
        drop(self.send(answer));
    }
}
