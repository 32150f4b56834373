//! What befalls the events of a watch: they lag, and the watch ends.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use futures::{FutureExt as _, Stream};
use tokio::time::{Instant, Sleep};

use super::{Fault, Faults};

/// Until when the watches of each kind lag.
#[derive(Debug, Default)]
pub(super) struct Lags(BTreeMap<String, Instant>);

/// The name under which all kinds lag.
const ALL: &str = "";

impl Lags {
    /// Lets the watches of `kind`, or of [`ALL`], lag for this long.
    fn begin(&mut self, kind: &str, lag: Duration) {
        let until = Instant::now() + lag;
        let old = self.0.entry(kind.to_owned()).or_insert(until);
        *old = (*old).max(until);
    }

    /// Returns until when an event of `kind` is held back.
    fn until(&self, kind: &str) -> Option<Instant> {
        let now = Instant::now();
        let lags = [ALL, kind].into_iter().filter_map(|kind| self.0.get(kind).copied());
        lags.max().filter(|until| *until > now)
    }
}

type Events = Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>;

/// The body of a watch: events in order, some late, until it ends early.
pub(super) struct Rough {
    pub faults: Faults,
    /// Path of the watched collection.
    pub kind: String,
    pub inner: Events,
    /// Events after which it ends, when it does.
    pub left: Option<u64>,
    pub held: Option<(Bytes, Pin<Box<Sleep>>)>,
}

impl Rough {
    /// Returns for how long an event that has just come is held back.
    fn lag(&self) -> Option<Instant> {
        let (faults, kind) = (&self.faults, self.kind.as_str());
        if faults.strikes(Fault::Stale) {
            let lag = Duration::from_millis(1000 + faults.below(9000));
            faults.lags().begin(ALL, lag);
        }
        if faults.strikes(Fault::Reorder) {
            let lag = Duration::from_millis(faults.below(5000));
            faults.lags().begin(kind, lag);
        }
        faults.lags().until(kind)
    }

    fn count(&mut self) {
        self.left = self.left.map(|left| left.saturating_sub(1));
    }
}

impl Stream for Rough {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some((event, mut sleep)) = self.held.take() {
                if sleep.poll_unpin(context).is_pending() {
                    self.held = Some((event, sleep));
                    return Poll::Pending;
                }
                self.count();
                return Poll::Ready(Some(Ok(event)));
            }
            if self.left == Some(0) {
                return Poll::Ready(None);
            }
            match ready!(self.inner.as_mut().poll_next(context)) {
                Some(Ok(event)) => {
                    let Some(until) = self.lag() else {
                        self.count();
                        return Poll::Ready(Some(Ok(event)));
                    };
                    self.held = Some((event, Box::pin(tokio::time::sleep_until(until))));
                }
                other => return Poll::Ready(other),
            }
        }
    }
}
