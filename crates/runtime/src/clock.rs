//! The only clock.

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

    /// Returns the current time.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
    pub fn now(&self) -> Time {
        match &self.0 {
            Source::System => Time::from_timestamp(jiff::Timestamp::now()),
            Source::Tokio { epoch, start } => epoch.after(start.elapsed()),
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
                Source::System => left.min(Duration::from_secs(60)),
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
}
