//! Growing waits between tries.

use std::time::Duration;

use object::Time;

/// First wait. Source: kubelet `backOffPeriod`.
const FIRST: Duration = Duration::from_secs(10);
/// Longest wait. Source: kubelet `MaxContainerBackOff`.
const LONGEST: Duration = Duration::from_secs(300);
/// A try that lasted this long starts over. Source: kubelet `containerBackOffReset`.
const FORGIVEN: Duration = Duration::from_secs(600);

/// The waits between tries: none, 10 s, 20 s, 40 s … 5 min; forgotten after a try that lasted 10 min.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Returns the waits after `failures` tries.
    pub(crate) fn after(failures: u32) -> Self {
        Self { failures }
    }

    /// Returns the wait after a try from `started` to `finished`, and counts it.
    pub(crate) fn next(&mut self, started: Time, finished: Time) -> Duration {
        if finished.since(started) >= FORGIVEN {
            self.failures = 0;
        }
        let wait = match self.failures {
            0 => Duration::ZERO,
            more => FIRST.saturating_mul(2_u32.saturating_pow(more - 1)).min(LONGEST),
        };
        self.failures = self.failures.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_are_forgiven() {
        let (start, mut backoff) = (Time::from_unix(0), Backoff::default());
        let waits: Vec<u64> = (0..8).map(|_| backoff.next(start, start).as_secs()).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(backoff.next(start, start.after(FORGIVEN)), Duration::ZERO);
        assert_eq!(backoff.next(start, start), FIRST);
    }
}
