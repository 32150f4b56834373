//! [`Admission`]: how many requests are made at once, and which of those that wait comes first.
//!
//! No fixed rate: the number of requests under way grows while the API server answers fast and shrinks when it says 429 or
//! becomes slow (additive increase, multiplicative decrease, as TCP does). So the server's own strength sets the pace. A
//! rate can be given as an upper bound. Requests for Leases are never kept waiting, nor counted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

mod pace;

pub use pace::Bounds;
use pace::Pace;

/// What a request is for: when requests have to wait, the first lane goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Leases: at once, always.
    Lease,
    /// ReplicaSets: what users wait for.
    ReplicaSets,
    /// Everything else that a decision needs or does.
    Objects,
    /// What is told about objects.
    Statuses,
    /// Events.
    Events,
}

/// One request in so many is of the last lane in which any wait: a server that is slow for long would leave it waiting for
/// ever.
const LAST_LANE: u64 = 8;
/// Lanes in which requests may wait.
const LANES: usize = 4;
/// Longest wait before somebody who waits looks for himself.
const GLANCE: Duration = Duration::from_secs(1);

impl Lane {
    /// Returns the lane of a request.
    pub(crate) fn of(method: &http::Method, path: &str) -> Self {
        let path = path.split('?').next().unwrap_or_default();
        let has = |plural: &str| path.split('/').any(|part| part == plural);
        let is_patch = method == http::Method::PATCH;
        if has("leases") {
            Self::Lease
        } else if has("events") && method != http::Method::GET {
            Self::Events
        } else if has("replicasets") {
            Self::ReplicaSets
        } else if path.ends_with("/status") || (is_patch && (has("analysisruns") || has("experiments"))) {
            // these two have no subresource: a patch is nearly always of the status
            Self::Statuses
        } else {
            Self::Objects
        }
    }

    fn index(self) -> Option<usize> {
        match self {
            Self::Lease => None,
            Self::ReplicaSets => Some(0),
            Self::Objects => Some(1),
            Self::Statuses => Some(2),
            Self::Events => Some(3),
        }
    }
}

/// Lets requests through. Cheap to clone; clones let through together.
#[derive(Clone)]
pub struct Admission(Arc<Mutex<State>>);

struct State {
    pace: Pace,
    start: Instant,
    under_way: usize,
    turns: u64,
    waiting: [VecDeque<oneshot::Sender<Permit>>; LANES],
}

impl State {
    /// Takes out who goes next.
    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        self.turns += 1;
        if self.turns.is_multiple_of(LAST_LANE) {
            self.waiting.iter_mut().rev().find_map(VecDeque::pop_front)
        } else {
            self.waiting.iter_mut().find_map(VecDeque::pop_front)
        }
    }
}

/// Leave to make one request; ends when it is dropped.
pub(crate) struct Permit {
    admission: Option<Admission>,
    began: Duration,
}

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered; how long that took says how the server is.
    Answered,
    /// Answered; how long it took says nothing, e.g. a long listing.
    Listed,
    /// The server has too much to do, and wants to be left alone this long.
    TooMany(Duration),
}

impl Default for Admission {
    fn default() -> Self {
        Self::new(Bounds::default())
    }
}

impl Admission {
    /// Returns an admission within these bounds.
    pub fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Mutex::new(State {
            pace: Pace::new(bounds),
            start: Instant::now(),
            under_way: 0,
            turns: 0,
            waiting: Default::default(),
        })))
    }

    /// Returns how many requests may be under way at once now.
    pub fn limit(&self) -> usize {
        self.lock().pace.limit()
    }

    /// Returns how many requests wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.iter().map(VecDeque::len).sum()
    }

    /// Waits for leave to make a request.
    pub(crate) async fn admit(&self, lane: Lane) -> Permit {
        let Some(index) = lane.index() else { return Permit { admission: None, began: Duration::ZERO } };
        let mut turn = {
            let mut state = self.lock();
            let (sender, receiver) = oneshot::channel();
            state.waiting[index].push_back(sender);
            receiver
        };
        self.dispatch();
        loop {
            let wait = {
                let state = self.lock();
                state.pace.closed_for(state.start.elapsed()).unwrap_or(GLANCE).min(GLANCE)
            };
            match tokio::time::timeout(wait, &mut turn).await {
                Ok(Ok(permit)) => return permit,
                Ok(Err(_)) => return Permit { admission: None, began: Duration::ZERO },
                Err(_) => self.dispatch(),
            }
        }
    }

    /// Lets those through who may go.
    fn dispatch(&self) {
        loop {
            let mut state = self.lock();
            let now = state.start.elapsed();
            if state.under_way >= state.pace.limit() || state.pace.closed_for(now).is_some() {
                return;
            }
            let Some(turn) = state.next() else { return };
            if turn.is_closed() {
                continue;
            }
            state.pace.take(now);
            state.under_way += 1;
            drop(state);
            // who has gone meanwhile gives it back by dropping it
            drop(turn.send(self.permit()));
        }
    }

    fn permit(&self) -> Permit {
        Permit { admission: Some(self.clone()), began: self.lock().start.elapsed() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Ends the request and learns from how it went.
    pub fn done(self, outcome: Outcome) {
        let Some(admission) = &self.admission else { return };
        let mut state = admission.lock();
        let now = state.start.elapsed();
        let is_full = state.under_way + 1 >= state.pace.limit();
        state.pace.learn((self.began, now), outcome, is_full);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(admission) = self.admission.take() {
            admission.lock().under_way -= 1;
            admission.dispatch();
        }
    }
}

#[cfg(test)]
mod tests;
