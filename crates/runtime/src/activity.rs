//! [`Activity`]: what the controllers of a process have done so far, as plain numbers for whoever shows them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object::Key;

use crate::{Queue, Tally};

/// Upper bounds of the classes that durations are counted in, in milliseconds; what takes longer has a class of its own.
/// They hold those of all histograms of Argo CD and Argo Rollouts.
pub const BOUNDS: [u64; 14] = [5, 10, 25, 50, 100, 150, 200, 250, 500, 1000, 2000, 4000, 8000, 16_000];

/// How long passes took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    classes: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Durations {
    pub(crate) fn record(&mut self, took: Duration) {
        let class = BOUNDS.iter().position(|bound| took <= Duration::from_millis(*bound));
        self.classes[class.unwrap_or(BOUNDS.len())] += 1;
        self.sum = self.sum.saturating_add(took);
    }

    /// Returns the number of passes.
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// Returns their time together.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// Returns the number of passes that took at most `bound` milliseconds, one of [`BOUNDS`].
    pub fn up_to(&self, bound: u64) -> u64 {
        BOUNDS.iter().zip(&self.classes).filter(|(class, _)| **class <= bound).map(|(_, count)| count).sum()
    }
}

/// The passes over one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passes {
    /// How long they took.
    pub durations: Durations,
    /// Those that failed.
    pub failed: u64,
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Nothing more until something changes.
    Done,
    /// To be looked at again at a time.
    Again,
    /// Not finished; it is tried again.
    Failed,
}

/// What one controller has done.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// Passes by how they ended.
    pub endings: BTreeMap<Ending, u64>,
    /// How long all passes took.
    pub durations: Durations,
    /// Those over the objects of a namespace, also of objects that are gone.
    pub by_namespace: BTreeMap<String, Durations>,
    /// Those over each object that is there.
    pub by_object: BTreeMap<Key, Passes>,
    /// Passes that panicked; they are among those that failed.
    pub panics: u64,
    /// Keys that were asked for.
    pub added: u64,
    /// Keys that are due and wait for a worker.
    pub depth: usize,
    /// How long keys that were due waited for a worker.
    pub waits: Durations,
    /// How long each pass under way has taken so far.
    pub running: Vec<Duration>,
}

#[derive(Debug, Default)]
struct Entry {
    work: Work,
    queue: Option<Arc<Queue>>,
}

/// The work of all controllers that report here, by their names. Cheap to clone; clones share the numbers.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    entries: Arc<Mutex<BTreeMap<&'static str, Entry>>>,
    tally: Tally,
}

/// The resources that controllers reconcile whose objects are told apart in [`Tally`].
const RECONCILED: [(&str, &str); 3] =
    [("rollout", "rollouts"), ("analysisrun", "analysisruns"), ("experiment", "experiments")];

impl Activity {
    /// Returns an activity of controllers that ask what is counted in `tally`: what an object leaves there goes with it.
    pub fn counting(tally: &Tally) -> Self {
        Self { tally: tally.clone(), ..Self::default() }
    }

    /// Returns what each controller has done so far.
    pub fn work(&self) -> BTreeMap<&'static str, Work> {
        let entries = self.lock();
        let work = entries.iter().map(|(name, entry)| {
            let queue = entry.queue.as_deref();
            let (added, depth) = (queue.map_or(0, Queue::added), queue.map_or(0, Queue::due));
            let waits = queue.map(Queue::waits).unwrap_or_default();
            let running = queue.map(Queue::running).unwrap_or_default();
            (*name, Work { added, depth, waits, running, ..entry.work.clone() })
        });
        work.collect()
    }

    pub(crate) fn register(&self, controller: &'static str, queue: Arc<Queue>) {
        self.lock().entry(controller).or_default().queue = Some(queue);
    }

    pub(crate) fn record(&self, controller: &'static str, key: &Key, (ending, took): (Ending, Duration)) {
        let mut entries = self.lock();
        let work = &mut entries.entry(controller).or_default().work;
        *work.endings.entry(ending).or_default() += 1;
        work.durations.record(took);
        work.by_namespace.entry(key.namespace.clone()).or_default().record(took);
        let passes = work.by_object.entry(key.clone()).or_default();
        passes.durations.record(took);
        passes.failed += u64::from(ending == Ending::Failed);
    }

    pub(crate) fn panicked(&self, controller: &'static str) {
        self.lock().entry(controller).or_default().work.panics += 1;
    }

    /// Drops the numbers of an object that is gone.
    pub(crate) fn forget(&self, controller: &'static str, key: &Key) {
        if let Some(entry) = self.lock().get_mut(controller) {
            entry.work.by_object.remove(key);
        }
        if let Some((_, resource)) = RECONCILED.iter().find(|(name, _)| *name == controller) {
            self.tally.forget(resource, key);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_in_their_classes() {
        let mut durations = Durations::default();
        for millis in [0, 5, 6, 150, 20_000] {
            durations.record(Duration::from_millis(millis));
        }
        let counts = [5, 10, 150, 16_000].map(|bound| durations.up_to(bound));
        assert_eq!((counts, durations.count()), ([2, 3, 4, 4], 5));
        assert_eq!(durations.sum(), Duration::from_millis(20_161));
    }

    #[test]
    fn what_is_gone_leaves_only_what_counts_for_all() {
        let (activity, key) = (Activity::default(), Key::new("ns", "a"));
        activity.record("rollout", &key, (Ending::Failed, Duration::from_millis(1)));
        assert_eq!(activity.work()["rollout"].by_object[&key].failed, 1);
        activity.forget("rollout", &key);
        let work = &activity.work()["rollout"];
        assert!(work.by_object.is_empty());
        assert_eq!((work.durations.count(), work.by_namespace["ns"].count()), (1, 1));
        assert_eq!(work.endings[&Ending::Failed], 1);
    }
}
