use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::Notify;

use crate::batch::{Batch, Write};
use crate::state::State;
use crate::{Change, StoreError};

/// The state, and the bell that rings when it changed.
///
/// The bell is a `Notify` and not a `watch` channel: it wakes in the order of waiting, so that a run under virtual
/// time is the same each time.
#[derive(Debug)]
pub(crate) struct Shared {
    state: RwLock<State>,
    closed: AtomicBool,
    pub changed: Notify,
}

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self { state: RwLock::new(state), closed: AtomicBool::new(false), changed: Notify::new() }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides one write and makes it visible at once: the whole life of a write that goes to no disk.
    pub(crate) fn write_through(&self, write: Write) -> Result<Arc<Change>, StoreError> {
        let mut state = self.write();
        let mut batch = Batch::after(state.revision());
        let change = batch.stage(&state, write)?;
        state.apply(change.clone());
        drop(state);
        self.changed.notify_waiters();
        Ok(change)
    }

    /// Makes a batch visible, all of it at once.
    pub(crate) fn publish(&self, batch: Batch) {
        let mut state = self.write();
        batch.into_changes().into_iter().for_each(|change| state.apply(change));
        drop(state);
        self.changed.notify_waiters();
    }

    pub(crate) fn compact(&self, up_to: crate::Revision) {
        self.write().compact(up_to);
    }

    /// Ends the watches once they have delivered what there is.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
