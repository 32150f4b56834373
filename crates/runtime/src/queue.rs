//! [`Queue`]: which object is looked at next, and when.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object::{Key, Time};
use tokio::sync::Notify;

use crate::{Clock, Durations};

/// Which of several due keys comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The one that was due first, then the one that came first.
    #[default]
    Arrival,
    /// The one that was due first, then by a hash of this seed: for simulations.
    Seeded(u64),
}

/// A queue of keys by the time they are due. A key is in it once, at its earliest time, and is handed out to one
/// worker at a time.
#[derive(Debug)]
pub struct Queue {
    clock: Clock,
    order: Order,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    due: BTreeMap<(Time, u64), Key>,
    waiting: BTreeMap<Key, (Time, u64)>,
    /// With the time they were handed out.
    running: BTreeMap<Key, Time>,
    again: BTreeMap<Key, Time>,
    count: u64,
    added: u64,
    waits: Durations,
}

impl Queue {
    /// Returns an empty queue.
    pub fn new(clock: Clock, order: Order) -> Self {
        Self { clock, order, state: Mutex::default(), changed: Notify::new() }
    }

    /// Asks for `key` now.
    pub fn add(&self, key: Key) {
        self.add_at(key, self.clock.now());
    }

    /// Asks for `key` at `time`; an earlier time asked for before stays.
    pub fn add_at(&self, key: Key, time: Time) {
        let mut state = self.lock();
        state.added += 1;
        if state.running.contains_key(&key) {
            let again = state.again.entry(key).or_insert(time);
            *again = (*again).min(time);
            return;
        }
        state.insert(key, time, self.order);
        drop(state);
        self.changed.notify_one();
    }

    /// Returns the number of keys that wait, whether due or not.
    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Returns the number of keys that are due and wait for a worker.
    pub fn due(&self) -> usize {
        let now = self.clock.now();
        self.lock().due.range(..=(now, u64::MAX)).count()
    }

    /// Returns how often a key was asked for so far, also when it waited already.
    pub fn added(&self) -> u64 {
        self.lock().added
    }

    /// Returns how long keys that were due waited for a worker so far.
    pub fn waits(&self) -> Durations {
        self.lock().waits.clone()
    }

    /// Returns for how long each key that is handed out has been.
    pub fn running(&self) -> Vec<Duration> {
        let now = self.clock.now();
        self.lock().running.values().map(|since| now.since(*since)).collect()
    }

    /// Returns true when no key waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for the next due key and hands it out; [`Queue::done`] must follow.
    pub async fn next(&self) -> Key {
        loop {
            let changed = self.changed.notified();
            let wait = match self.pop() {
                Ok(key) => return key,
                Err(wait) => wait,
            };
            match wait {
                Some(wait) => {
                    let _ = tokio::time::timeout(wait, changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// Gives `key` back; if it was asked for meanwhile it waits again.
    pub fn done(&self, key: &Key) {
        let mut state = self.lock();
        state.running.remove(key);
        if let Some(time) = state.again.remove(key) {
            state.insert(key.clone(), time, self.order);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Hands out a due key, or tells how long until the next is due.
    fn pop(&self) -> Result<Key, Option<Duration>> {
        let now = self.clock.now();
        let mut state = self.lock();
        let Some((&(time, count), _)) = state.due.first_key_value() else { return Err(None) };
        if time > now {
            return Err(Some(time.since(now).min(Duration::from_secs(60))));
        }
        let Some(key) = state.due.remove(&(time, count)) else { return Err(None) };
        state.waiting.remove(&key);
        state.running.insert(key.clone(), now);
        state.waits.record(now.since(time));
        if !state.due.is_empty() {
            self.changed.notify_one();
        }
        Ok(key)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn insert(&mut self, key: Key, time: Time, order: Order) {
        if let Some(&slot) = self.waiting.get(&key) {
            if slot.0 <= time {
                return;
            }
            self.due.remove(&slot);
        }
        self.count += 1;
        let tie = match order {
            Order::Arrival => self.count,
            Order::Seeded(seed) => mix(seed ^ self.count) ^ self.count & 0xffff,
        };
        let mut slot = (time, tie);
        while self.due.contains_key(&slot) {
            slot.1 = slot.1.wrapping_add(1);
        }
        self.waiting.insert(key.clone(), slot);
        self.due.insert(slot, key);
    }
}

/// One round of SplitMix64.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn key(name: &str) -> Key {
        Key::new("", name)
    }

    fn queue(order: Order) -> Queue {
        Queue::new(Clock::starting_at(Time::from_unix(0)), order)
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_comes_once_at_its_earliest_time() {
        let queue = queue(Order::Arrival);
        queue.add_at(key("a"), Time::from_unix(10));
        queue.add_at(key("a"), Time::from_unix(5));
        queue.add_at(key("b"), Time::from_unix(7));
        queue.add_at(key("a"), Time::from_unix(20));
        assert_eq!((queue.added(), queue.len(), queue.due()), (4, 2, 0));
        assert_eq!(queue.next().await, key("a"));
        assert_eq!(queue.clock.now(), Time::from_unix(5));
        queue.add(key("c"));
        assert_eq!((queue.len(), queue.due()), (2, 1));
        assert_eq!(queue.next().await, key("c"));
        assert_eq!(queue.next().await, key("b"));
        assert!(queue.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_running_key_is_not_handed_out_again_until_done() {
        let queue = queue(Order::Arrival);
        queue.add(key("a"));
        let first = queue.next().await;
        queue.add(key("a"));
        let second = tokio::time::timeout(Duration::from_secs(9), queue.next()).await;
        assert!(second.is_err());
        queue.done(&first);
        assert_eq!(queue.next().await, first);
    }

    #[tokio::test(start_paused = true)]
    async fn seeds_change_the_order_of_ties_and_lose_nothing() {
        let mut orders = BTreeSet::new();
        for seed in 0..8 {
            let queue = queue(Order::Seeded(seed));
            for name in ["a", "b", "c", "d"] {
                queue.add(key(name));
            }
            let mut names = Vec::new();
            for _ in 0..4 {
                names.push(queue.next().await.name);
            }
            orders.insert(names.clone());
            names.sort();
            assert_eq!(names, ["a", "b", "c", "d"]);
        }
        assert!(orders.len() > 1);
    }
}
