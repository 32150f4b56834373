//! [`Controller`]: watches feed a queue, workers reconcile its keys.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use object::{Key, Time};

use crate::{Activity, Cache, Change, Clock, Ending, Order, Queue, Shards, Tasks};

/// First wait after a failure; doubles with each further one.
const BACKOFF: Duration = Duration::from_millis(5);
/// Longest wait after a failure.
const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// Wait until it is asked again whose an object is, when that cannot be told yet.
const UNDECIDED: Duration = Duration::from_secs(1);

/// What a reconcile asks for next. Whatever it says, a change of a watched object wakes the key earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing until something changes.
    Done,
    /// Again at this time.
    At(Time),
    /// Again after this long.
    After(Duration),
}

/// A reconcile that could not finish; it is tried again after a growing wait.
#[derive(Debug)]
pub struct Failure {
    message: String,
    retry_after: Option<Duration>,
}

impl Failure {
    /// Returns a failure with a message that names the object and the cause.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), retry_after: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<crate::ApiError> for Failure {
    fn from(error: crate::ApiError) -> Self {
        Self { retry_after: error.retry_after(), message: error.message }
    }
}

/// One pass over one object: observe, validate, plan, apply, report.
pub trait Reconcile: Send + Sync + 'static {
    /// Brings the object `key` one step on. Must be idempotent: it may stop anywhere and run again.
    fn reconcile(&self, key: &Key) -> impl Future<Output = Result<Next, Failure>> + Send;
}

type Map = Box<dyn Fn(&Change) -> Vec<Key> + Send + Sync>;
type Share = Arc<dyn Fn(&Key) -> Option<Key> + Send + Sync>;

/// A controller under construction.
pub struct Controller {
    name: &'static str,
    queue: Arc<Queue>,
    clock: Clock,
    workers: usize,
    sources: Vec<(Cache, Map)>,
    activity: Activity,
    shards: Shards,
    share: Share,
}

impl Controller {
    /// Returns a controller with one worker that watches nothing yet.
    pub fn new(name: &'static str, clock: Clock) -> Self {
        let queue = Arc::new(Queue::new(clock.clone(), Order::Arrival));
        let (activity, shards) = (Activity::default(), Shards::everything());
        let share: Share = Arc::new(|key| Some(key.clone()));
        Self { name, queue, clock, workers: 1, sources: Vec::new(), activity, shards, share }
    }

    /// Returns it acting only on the objects that are this replica's. `share` names for an object the key by which it is
    /// shared out, the same in all replicas; `None` while that cannot be told.
    #[must_use]
    pub fn shared(
        mut self,
        shards: &Shards,
        share: impl Fn(&Key) -> Option<Key> + Send + Sync + 'static,
    ) -> Self {
        (self.shards, self.share) = (shards.clone(), Arc::new(share));
        self
    }

    /// Returns it reporting what it does to `activity`.
    #[must_use]
    pub fn report_to(mut self, activity: &Activity) -> Self {
        self.activity = activity.clone();
        self
    }

    /// Returns it with this many workers; different keys run side by side, one key never twice at once.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Returns it with this order among keys that are due at the same time.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.queue = Arc::new(Queue::new(self.clock.clone(), order));
        self
    }

    /// Returns it watching `cache`, first of all that of the objects to reconcile; `keys` names the objects to reconcile for a change.
    #[must_use]
    pub fn watch(
        mut self,
        cache: &Cache,
        keys: impl Fn(&Change) -> Vec<Key> + Send + Sync + 'static,
    ) -> Self {
        self.sources.push((cache.clone(), Box::new(keys)));
        self
    }

    /// Returns it watching `cache`, whose objects are the ones to reconcile.
    #[must_use]
    pub fn reconcile_each(self, cache: &Cache) -> Self {
        self.watch(cache, |change| vec![change.key.clone()])
    }

    /// Returns the queue, for waking keys from outside.
    pub fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    /// Starts the workers once all watched caches are complete; they end with `tasks`.
    pub fn run(self, reconciler: impl Reconcile, tasks: &Tasks) {
        let caches: Vec<Cache> = self.sources.iter().map(|(cache, _)| cache.clone()).collect();
        for (cache, keys) in self.sources {
            let (queue, mut changes) = (self.queue.clone(), cache.subscribe());
            tasks.spawn(self.name, async move {
                while let Some(change) = changes.next().await {
                    keys(&change).into_iter().for_each(|key| queue.add(key));
                }
            });
        }
        self.activity.register(self.name, self.queue.clone());
        let own = caches.first().cloned();
        if let (Some(own), Some(mut grants)) = (own.clone(), self.shards.grants()) {
            let queue = self.queue.clone();
            tasks.spawn(self.name, async move {
                while grants.changed().await.is_ok() {
                    own.keys().iter().for_each(|key| queue.add(Key::clone(key)));
                }
            });
        }
        let worker = Arc::new(Worker {
            own,
            activity: self.activity,
            shards: self.shards,
            share: self.share,
            name: self.name,
            clock: self.clock,
            queue: self.queue,
            reconciler,
            failures: Mutex::default(),
        });
        for _ in 0..self.workers {
            let (worker, token, caches) = (worker.clone(), tasks.token(), caches.clone());
            tasks.spawn(self.name, async move {
                for cache in caches {
                    if token.run_until_cancelled(cache.synced()).await.is_none() {
                        return;
                    }
                }
                worker.run(&token).await;
            });
        }
    }
}

struct Worker<R> {
    name: &'static str,
    /// The first cache that is watched: that of the objects that are reconciled.
    own: Option<Cache>,
    activity: Activity,
    shards: Shards,
    share: Share,
    clock: Clock,
    queue: Arc<Queue>,
    reconciler: R,
    failures: Mutex<BTreeMap<Key, u32>>,
}

impl<R: Reconcile> Worker<R> {
    /// Reconciles keys until told to stop; a reconcile under way is finished first.
    async fn run(&self, token: &tokio_util::sync::CancellationToken) {
        while let Some(key) = token.run_until_cancelled(self.queue.next()).await {
            if let Some(time) = self.pass(&key).await {
                self.queue.add_at(key.clone(), time);
            }
            self.queue.done(&key);
        }
    }

    /// Reconciles one key if it is ours; returns when to look at it again.
    async fn pass(&self, key: &Key) -> Option<Time> {
        let started = self.clock.now();
        let outcome = if self.shards.is_shared() {
            let Some(share) = (self.share)(key) else { return Some(started.after(UNDECIDED)) };
            let Some(pass) = self.shards.pass(&share) else { return self.leave(key) };
            let outcome = pass.clone().run(self.reconcile(key)).await;
            if pass.is_over() {
                return self.leave(key);
            }
            outcome
        } else {
            self.reconcile(key).await
        };
        self.report(key, &outcome, self.clock.now().since(started));
        self.next(key, outcome)
    }

    /// Lets a key go that is another replica's; when it comes back, it is asked for anew.
    fn leave(&self, key: &Key) -> Option<Time> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        self.activity.forget(self.name, key);
        None
    }

    /// Reconciles; a panic is a failure like any other, of this object alone.
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let pass = std::panic::AssertUnwindSafe(self.reconciler.reconcile(key));
        pass.catch_unwind().await.unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            self.activity.panicked(self.name);
            tracing::error!(controller = self.name, %key, panic = said, "reconcile panicked");
            Err(Failure::new(format!("internal error: {said}")))
        })
    }

    fn report(&self, key: &Key, outcome: &Result<Next, Failure>, took: Duration) {
        let ending = match outcome {
            Ok(Next::Done) => Ending::Done,
            Ok(Next::At(_) | Next::After(_)) => Ending::Again,
            Err(_) => Ending::Failed,
        };
        self.activity.record(self.name, key, (ending, took));
        if self.own.as_ref().is_some_and(|own| !own.contains(key)) {
            self.activity.forget(self.name, key);
        }
    }

    fn next(&self, key: &Key, outcome: Result<Next, Failure>) -> Option<Time> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(next) => {
                failures.remove(key);
                match next {
                    Next::Done => None,
                    Next::At(time) => Some(time),
                    Next::After(wait) => Some(self.clock.now().after(wait)),
                }
            }
            Err(failure) => {
                let count = failures.entry(key.clone()).or_default();
                let wait = (BACKOFF * 2_u32.pow((*count).min(16))).min(BACKOFF_MAX);
                *count += 1;
                tracing::warn!(controller = self.name, %key, error = %failure, "reconcile failed, trying again");
                Some(self.clock.now().after(failure.retry_after.unwrap_or(wait).max(wait)))
            }
        }
    }
}

/// Returns a mapping from a child to the key of its managing controller, when that is of `kind`.
pub fn controller_keys(kind: &'static str) -> impl Fn(&Change) -> Vec<Key> + Send + Sync + 'static {
    move |change| {
        let both = change.old.iter().chain(change.new.iter());
        let mut keys: Vec<Key> = both
            .filter_map(|object| {
                let owner = object.controller().filter(|owner| owner.kind == kind)?;
                Some(Key::new(object.namespace(), &owner.name))
            })
            .collect();
        keys.dedup();
        keys
    }
}

#[cfg(test)]
#[path = "controller/tests.rs"]
mod tests;
