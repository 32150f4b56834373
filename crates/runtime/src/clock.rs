//! The only clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use object::Time;
use tokio::time::Instant;

/// Tells the time and waits. All of Slipway asks this and nothing else.
///
/// [`Clock::system`] is the wall clock. [`Clock::starting_at`] follows tokio's clock from a given time on, so that it
/// is virtual where tokio's is paused.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Tokio { epoch: Time, start: Instant },
    Skewed { right: Box<Clock>, skew: Skew },
}

/// How far a clock of [`Clock::skewed`] is off. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Skew(Arc<AtomicI64>);

impl Skew {
    /// Sets the clock this many milliseconds forward, or back when negative.
    pub fn jump(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }

    fn of(&self, time: Time) -> Time {
        let skew = self.0.load(Ordering::SeqCst);
        let by = Duration::from_millis(skew.unsigned_abs());
        if skew < 0 { time.before(by) } else { time.after(by) }
    }
}

impl Clock {
    /// Returns the wall clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Returns a clock that shows `epoch` now and advances with tokio's clock. Needs a tokio runtime.
    pub fn starting_at(epoch: Time) -> Self {
        Self(Source::Tokio { epoch, start: Instant::now() })
    }

    /// Returns a clock that is off from this one by what its [`Skew`] says, at first by nothing.
    #[must_use]
    pub fn skewed(&self) -> (Self, Skew) {
        let skew = Skew::default();
        (Self(Source::Skewed { right: Box::new(self.clone()), skew: skew.clone() }), skew)
    }

    /// Returns the current time.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
    pub fn now(&self) -> Time {
        match &self.0 {
            Source::System => Time::from_timestamp(jiff::Timestamp::now()),
            Source::Tokio { epoch, start } => epoch.after(start.elapsed()),
            Source::Skewed { right, skew } => skew.of(right.now()),
        }
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// Waits until `time`; returns at once when it has passed. Follows changes of the wall clock within a minute.
    pub async fn sleep_until(&self, time: Time) {
        loop {
            let left = time.since(self.now());
            if left.is_zero() {
                return;
            }
            let step = match self.0 {
                Source::System | Source::Skewed { .. } => left.min(Duration::from_secs(60)),
                Source::Tokio { .. } => left,
            };
            tokio::time::sleep(step).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_tokio_clock_is_virtual() {
        let clock = Clock::starting_at(Time::parse("2026-01-01T00:00:00Z").unwrap());
        clock.sleep(Duration::from_secs(3600)).await;
        assert_eq!(clock.now().to_string(), "2026-01-01T01:00:00Z");
        clock.sleep_until(Time::parse("2026-01-02T00:00:00Z").unwrap()).await;
        assert_eq!(clock.now().to_string(), "2026-01-02T00:00:00Z");
    }

    #[tokio::test(start_paused = true)]
    async fn a_skewed_clock_jumps_and_those_who_wait_follow() {
        let (clock, skew) = Clock::starting_at(Time::from_unix(100)).skewed();
        skew.jump(-5000);
        assert_eq!(clock.now(), Time::from_unix(95));
        let (waiting, end) = (clock.clone(), Time::from_unix(10_000));
        let waited = async move { waiting.sleep_until(end).await };
        let jumped = async { skew.jump(9_900_000) };
        let begin = Instant::now();
        tokio::join!(waited, jumped);
        assert!(begin.elapsed() <= Duration::from_secs(60), "{:?}", begin.elapsed());
    }
}
