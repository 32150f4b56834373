//! [`Shards`]: several replicas share the objects, each acts on its own.
//!
//! Each replica holds a Lease and publishes in it by which view of the living replicas it shares the work; who owns what
//! follows from the view ([`ring`]), and when it may be acted on from the Leases of all ([`membership`]). Only [`keeper`]
//! talks to the cluster: one listing of the Leases every 2 s and one write of the own every 4 s, nothing else at rest.
//!
//! A [`crate::Controller`] that is sharded skips the objects of others, and every write that its reconciler makes through
//! [`crate::Cluster`] is refused once the object is given up, however far the pass has come.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object::Key;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{ApiError, Cluster, Tasks};

mod keeper;
mod membership;
mod ring;

pub use membership::{Membership, Seen, Timings};
pub use ring::{View, owner};

/// Where the replicas meet, and who this one is.
#[derive(Clone, Debug)]
pub struct ShardConfig {
    /// Namespace of the Leases.
    pub namespace: String,
    /// Value of the label that the Leases of one group carry: replicas that work on the same objects.
    pub group: String,
    /// Name of this replica and of its Lease: never used before, also not by the same pod before a restart.
    pub member: String,
    /// How long things may take; alike in all replicas.
    pub timings: Timings,
}

/// Label of the Leases: the group of replicas.
pub const GROUP_LABEL: &str = "slipway.dev/shards";
/// Annotation of a Lease: the view that its holder works by, names with commas between.
pub const VIEW_ANNOTATION: &str = "slipway.dev/view";

/// Which objects are this replica's. Cheap to clone; clones share the knowledge.
#[derive(Clone, Default)]
pub struct Shards(Option<Arc<Inner>>);

struct Inner {
    start: Instant,
    state: Mutex<State>,
    /// Counts what may have changed what is ours.
    grants: watch::Sender<u64>,
    /// Counts writes that ended.
    ended: watch::Sender<u64>,
}

struct State {
    membership: Membership,
    /// Writes under way, by the key that they are made for.
    writing: BTreeMap<Key, usize>,
    /// Passes under way.
    passes: BTreeMap<u64, (Key, Arc<AtomicBool>)>,
    count: u64,
}

impl Shards {
    /// Returns a replica that owns everything: there are no others, or a lease keeps them waiting.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Joins the group; leaves it, giving everything up, with `tasks`.
    pub fn join(cluster: &Cluster, config: ShardConfig, tasks: &Tasks) -> Self {
        let state = State {
            membership: Membership::new(&config.member, config.timings),
            writing: BTreeMap::new(),
            passes: BTreeMap::new(),
            count: 0,
        };
        let inner = Arc::new(Inner {
            start: Instant::now(),
            state: Mutex::new(state),
            grants: watch::Sender::new(0),
            ended: watch::Sender::new(0),
        });
        keeper::run(cluster.clone(), config, inner.clone(), tasks);
        Self(Some(inner))
    }

    /// Returns true when there are, or may be, other replicas.
    pub fn is_shared(&self) -> bool {
        self.0.is_some()
    }

    /// Returns true when `key` is this replica's now.
    pub fn owns(&self, key: &Key) -> bool {
        self.0.as_ref().is_none_or(|inner| inner.lock().membership.owns(key, inner.now()))
    }

    /// Returns the replicas that this one knows to live, by name; none when it is alone by definition.
    pub fn members(&self) -> View {
        self.0.as_ref().map(|inner| inner.lock().membership.live()).unwrap_or_default()
    }

    /// Returns what changes whenever keys may have become ours; `None` when they always are.
    pub fn grants(&self) -> Option<watch::Receiver<u64>> {
        self.0.as_ref().map(|inner| inner.grants.subscribe())
    }

    /// Begins a pass for `key`; `None` when it is not ours. Not for a replica that owns everything.
    pub(crate) fn pass(&self, key: &Key) -> Option<Pass> {
        let inner = self.0.as_ref()?;
        let mut state = inner.lock();
        if !state.membership.owns(key, inner.now()) {
            return None;
        }
        state.count += 1;
        let (number, revoked) = (state.count, Arc::new(AtomicBool::new(false)));
        state.passes.insert(number, (key.clone(), revoked.clone()));
        Some(Pass(Arc::new(PassInner { inner: inner.clone(), key: key.clone(), number, revoked })))
    }
}

impl std::fmt::Debug for Shards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shards").field("members", &self.members()).finish_non_exhaustive()
    }
}

impl Inner {
    /// Returns the time since the start, by a clock that nobody sets.
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known; passes for keys that are not ours after it write no more.
    fn change<T>(&self, change: impl FnOnce(&mut Membership) -> T) -> T {
        let mut state = self.lock();
        let before = state.membership.grant();
        let outcome = change(&mut state.membership);
        let now = self.now();
        for (key, revoked) in state.passes.values() {
            if !state.membership.owns(key, now) {
                revoked.store(true, Ordering::SeqCst);
            }
        }
        let changed = state.membership.grant() != before;
        drop(state);
        if changed {
            self.grants.send_modify(|count| *count += 1);
        }
        outcome
    }

    /// Returns true when no write is under way for a key that the newest claim does not hold.
    fn is_drained(&self) -> bool {
        let state = self.lock();
        state.writing.keys().all(|key| state.membership.claims(key))
    }
}

/// A pass over an object that was ours when it began. Ends when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Pass(Arc<PassInner>);

struct PassInner {
    inner: Arc<Inner>,
    key: Key,
    number: u64,
    revoked: Arc<AtomicBool>,
}

tokio::task_local! {
    static PASS: Pass;
}

impl Pass {
    /// Runs `work` as part of the pass: its writes are refused once the key is given up.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        PASS.scope(self, work).await
    }

    /// Returns true when the key was given up meanwhile, be it that it has come back.
    pub fn is_over(&self) -> bool {
        let PassInner { inner, key, revoked, .. } = &*self.0;
        revoked.load(Ordering::SeqCst) || !inner.lock().membership.owns(key, inner.now())
    }

    /// Returns a permit for one write of the pass that this task is in, nothing outside of passes. To be kept until the
    /// write is answered.
    ///
    /// Errors: the key was given up.
    pub fn write() -> Result<Option<Write>, ApiError> {
        let Ok(pass) = PASS.try_with(Self::clone) else { return Ok(None) };
        let PassInner { inner, key, revoked, .. } = &*pass.0;
        let mut state = inner.lock();
        let owned = state.membership.owns(key, inner.now());
        if !owned || revoked.load(Ordering::SeqCst) {
            revoked.store(true, Ordering::SeqCst);
            return Err(ApiError::no_answer(format!("{key} belongs to another replica now")));
        }
        *state.writing.entry(key.clone()).or_default() += 1;
        drop(state);
        Ok(Some(Write(pass)))
    }
}

impl Drop for PassInner {
    fn drop(&mut self) {
        self.inner.lock().passes.remove(&self.number);
    }
}

/// A write under way.
pub(crate) struct Write(Pass);

impl Drop for Write {
    fn drop(&mut self) {
        let PassInner { inner, key, .. } = &*self.0.0;
        let mut state = inner.lock();
        if let Some(count) = state.writing.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                state.writing.remove(key);
            }
        }
        drop(state);
        inner.ended.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests;
