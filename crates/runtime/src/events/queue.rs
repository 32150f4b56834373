//! [`Queue`]: the Events that wait to be written.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use object::{Time, Value};
use tokio::sync::Notify;

use super::EventType;
use crate::Tally;

/// Events that may wait in one queue.
pub(super) const BACKLOG: usize = 2_500;

/// One Event, or several that say the same.
pub(super) struct Record {
    pub about: Value,
    pub host: String,
    pub event_type: EventType,
    pub reason: String,
    pub message: String,
    pub first: Time,
    pub last: Time,
    pub times: u64,
    /// Whether it counts with an equal one only when nothing else was told of the object between them.
    pub in_order: bool,
}

/// Object, part of it, type, reason and message.
pub(super) type Series = (String, String, EventType, String, String);

impl Record {
    /// Returns what the Event has in common with those that say the same.
    pub fn series(&self) -> Series {
        let text = |field: &str| self.about[field].as_str().unwrap_or_default().to_owned();
        (text("uid"), text("fieldPath"), self.event_type, self.reason.clone(), self.message.clone())
    }
}

/// Takes out of `series` what was told of the same object and differs from `last`.
pub(super) fn forget_others<T>(series: &mut BTreeMap<Series, T>, last: &Series) {
    let first = (last.0.clone(), String::new(), EventType::Normal, String::new(), String::new());
    let of_object = series.range(first..).map(|(other, _)| other).take_while(|other| other.0 == last.0);
    let others: Vec<Series> = of_object.filter(|other| *other != last).cloned().collect();
    for other in others {
        series.remove(&other);
    }
}

pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
    tally: Tally,
}

#[derive(Default)]
struct State {
    /// By the order they came in.
    waiting: BTreeMap<u64, Record>,
    places: BTreeMap<Series, u64>,
    count: u64,
    closed: bool,
}

impl State {
    /// Forgets the place of a record that waits no more; a later one that says the same has its own.
    fn leave(&mut self, record: &Record, place: u64) {
        let series = record.series();
        if self.places.get(&series) == Some(&place) {
            self.places.remove(&series);
        }
    }
}

impl Queue {
    /// Returns an empty queue that counts in `tally` what it drops.
    pub fn new(tally: Tally) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), tally }
    }

    /// Puts a record behind the others, or with the one that says the same.
    pub fn push(&self, record: Record) {
        let (mut state, series) = (self.lock(), record.series());
        if record.in_order {
            forget_others(&mut state.places, &series);
        }
        if let Some(same) = state.places.get(&series).copied().and_then(|place| state.waiting.get_mut(&place))
        {
            same.times += record.times;
            same.last = record.last;
            return;
        }
        if state.waiting.len() >= BACKLOG
            && let Some((first, oldest)) = state.waiting.pop_first()
        {
            state.leave(&oldest, first);
            self.tally.event_dropped();
            tracing::debug!(reason = oldest.reason, "too many events waiting, the oldest is dropped");
        }
        state.count += 1;
        let place = state.count;
        state.places.insert(series, place);
        state.waiting.insert(place, record);
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for the first record; `None` when there is none and there will be none.
    pub async fn next(&self) -> Option<Record> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.lock();
                if let Some((place, record)) = state.waiting.pop_first() {
                    state.leave(&record, place);
                    return Some(record);
                }
                if state.closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Says that nothing comes any more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
