//! [`Pace`]: the number of requests that may be under way, by what was learned. Pure: it is told the time since the start.

use std::time::Duration;

use super::Outcome;

/// Requests under way at the start.
const START: f64 = 16.0;
/// Fewest and most.
const LEAST: f64 = 2.0;
const MOST: f64 = 128.0;
/// An answer that takes longer says that the server has too much to do.
const SLOW: Duration = Duration::from_millis(500);
/// Fewest where answers are only slow: others may be what the server is busy with, and who holds back for them alone gets
/// nothing done.
const LEAST_WHEN_SLOW: f64 = 8.0;
/// Share that stays after a slow answer, and after a 429.
const AFTER_SLOW: f64 = 0.9;
const AFTER_TOO_MANY: f64 = 0.5;
/// Longest that all requests wait because one was told to.
const PAUSE: Duration = Duration::from_secs(60);

/// Bounds that a user sets, as `--qps` and `--burst`: never more, often less.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Requests per second in the long run; no bound when absent or not positive.
    pub qps: Option<f64>,
    /// Requests that may be made at once after a rest; twice `qps` when absent, at least 1.
    pub burst: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Pace {
    limit: f64,
    /// When the limit was lowered last: answers to requests from before say nothing new.
    lowered: Option<Duration>,
    paused_until: Duration,
    bucket: Option<Bucket>,
}

/// Tokens of a rate.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    size: f64,
    tokens: f64,
    at: Duration,
}

impl Pace {
    pub fn new(bounds: Bounds) -> Self {
        let bucket = bounds.qps.filter(|qps| *qps > 0.0).map(|rate| {
            let size = bounds.burst.map_or(rate * 2.0, f64::from).max(1.0);
            Bucket { rate, size, tokens: size, at: Duration::ZERO }
        });
        Self { limit: START, lowered: None, paused_until: Duration::ZERO, bucket }
    }

    /// Returns how many requests may be under way.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between LEAST and MOST"
    )]
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Returns how long no request may be made, however few are under way.
    pub fn closed_for(&self, now: Duration) -> Option<Duration> {
        let pause = self.paused_until.saturating_sub(now);
        let rate = self.bucket.as_ref().map_or(Duration::ZERO, |bucket| bucket.wait(now));
        Some(pause.max(rate)).filter(|wait| !wait.is_zero())
    }

    /// Takes note that a request is made.
    pub fn take(&mut self, now: Duration) {
        if let Some(bucket) = &mut self.bucket {
            bucket.tokens = bucket.tokens_at(now) - 1.0;
            bucket.at = now;
        }
    }

    /// Learns from a request. More are allowed only where the limit was what kept requests back.
    pub fn learn(&mut self, (began, now): (Duration, Duration), outcome: Outcome, is_full: bool) {
        let is_news = self.lowered.is_none_or(|lowered| began > lowered);
        match outcome {
            Outcome::TooMany(wait) => {
                self.paused_until = self.paused_until.max(now + wait.min(PAUSE));
                if is_news {
                    self.lower(AFTER_TOO_MANY, LEAST, now);
                }
            }
            Outcome::Answered if now.saturating_sub(began) > SLOW => {
                if is_news {
                    // where the server has said that it is too much, less may be right already
                    self.lower(AFTER_SLOW, LEAST_WHEN_SLOW.min(self.limit), now);
                }
            }
            Outcome::Answered | Outcome::Listed => {
                if is_full && is_news {
                    self.limit = (self.limit + 1.0 / self.limit).min(MOST);
                }
            }
        }
    }

    fn lower(&mut self, share: f64, least: f64, now: Duration) {
        self.limit = (self.limit * share).max(least);
        self.lowered = Some(now);
    }
}

impl Bucket {
    fn tokens_at(&self, now: Duration) -> f64 {
        (self.tokens + now.saturating_sub(self.at).as_secs_f64() * self.rate).min(self.size)
    }

    fn wait(&self, now: Duration) -> Duration {
        let lacking = 1.0 - self.tokens_at(now);
        // rounding must not let a wait end a moment early for ever
        if lacking <= 1e-9 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(lacking / self.rate) + Duration::from_millis(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    #[test]
    fn the_limit_grows_by_one_a_round_and_halves() {
        let mut pace = Pace::new(Bounds::default());
        for _ in 0..17 {
            pace.learn((NOW, NOW), Outcome::Answered, true);
        }
        assert_eq!(pace.limit(), 17);
        pace.learn((NOW, NOW), Outcome::Answered, false);
        assert_eq!(pace.limit(), 17);
        pace.learn((NOW, NOW * 2), Outcome::TooMany(Duration::from_secs(3)), true);
        assert_eq!((pace.limit(), pace.closed_for(NOW * 2)), (8, Some(Duration::from_secs(3))));
        // the others of the same round say the same thing
        pace.learn((NOW, NOW * 2), Outcome::TooMany(Duration::ZERO), true);
        assert_eq!((pace.limit(), pace.closed_for(NOW * 5)), (8, None));
        pace.learn((NOW * 5, NOW * 6), Outcome::Answered, true);
        assert_eq!(pace.limit(), 8, "it took a second, but no less than this for that alone");
        pace.learn((NOW * 6, NOW * 9), Outcome::Listed, false);
        assert_eq!(pace.limit(), 8, "a listing may take long");
    }

    #[test]
    fn it_never_stops_and_never_explodes() {
        let mut pace = Pace::new(Bounds::default());
        for second in 1..100 {
            pace.learn((NOW * second, NOW * (second + 1)), Outcome::Answered, true);
        }
        assert_eq!(pace.limit(), 8);
        for second in 101..200 {
            pace.learn((NOW * second, NOW * second), Outcome::TooMany(Duration::MAX), true);
        }
        assert_eq!((pace.limit(), pace.closed_for(NOW * 199)), (2, Some(Duration::from_secs(60))));
        for _ in 0..100_000 {
            pace.learn((NOW * 300, NOW * 300), Outcome::Answered, true);
        }
        assert_eq!(pace.limit(), 128);
    }

    #[test]
    fn a_rate_is_an_upper_bound() {
        let mut pace = Pace::new(Bounds { qps: Some(10.0), burst: Some(3) });
        for _ in 0..3 {
            assert_eq!(pace.closed_for(NOW), None);
            pace.take(NOW);
        }
        let wait = pace.closed_for(NOW).unwrap();
        assert!((100..=101).contains(&wait.as_millis()), "{wait:?}");
        assert_eq!(pace.closed_for(NOW + wait), None);
        assert_eq!(Pace::new(Bounds { qps: Some(-1.0), burst: None }).closed_for(NOW), None);
    }
}
