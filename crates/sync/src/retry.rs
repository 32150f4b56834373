//! How long to wait before the next attempt.

use std::time::Duration;

use api::application::Retry;
use thiserror::Error;

const FIRST: Duration = Duration::from_secs(5);
const FACTOR: i64 = 2;
const LONGEST: Duration = Duration::from_secs(180);

/// A text that is neither whole seconds nor a Go duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unable to parse {text} as a duration")]
pub struct BadDuration {
    /// The text.
    pub text: String,
}

/// Returns how long to wait after the failure that follows `retries` retries.
///
/// Source: Argo CD `RetryStrategy.NextRetryAt`: `min(maxDuration, duration · factor^retries)`, defaults 5 s, 2, 3 m; a
/// `maxDuration` of 0 means no bound. Example: duration 10 s, 3 retries made: 10 · 2³ = 80 s.
///
/// Errors: [`BadDuration`] for either duration.
pub fn wait(retry: &Retry, retries: i64) -> Result<Duration, BadDuration> {
    let (mut first, mut factor, mut longest) = (FIRST, FACTOR, LONGEST);
    if let Some(backoff) = &retry.backoff {
        first = parse(&backoff.duration)?.unwrap_or(first);
        longest = parse(&backoff.max_duration)?.unwrap_or(longest);
        factor = backoff.factor.unwrap_or(factor);
    }
    let retries = i32::try_from(retries.max(0)).unwrap_or(i32::MAX);
    #[expect(clippy::cast_precision_loss, reason = "a factor is a small number")]
    let seconds = first.as_secs_f64() * (factor as f64).powi(retries);
    let wait = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    Ok(if longest.is_zero() { wait } else { wait.min(longest) })
}

fn parse(text: &str) -> Result<Option<Duration>, BadDuration> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(seconds) = text.parse() {
        return Ok(Some(Duration::from_secs(seconds)));
    }
    object::time::parse_duration(text).map(Some).map_err(|_| BadDuration { text: text.to_owned() })
}

/// Returns how long to wait before self-heal attempt number `attempts + 1`.
///
/// Source: fact: the first is immediate, later ones wait `first · factor^(attempts-1)` up to `longest`. Example with 2 s,
/// 3, 300 s: 0, 2, 6, 18, 54, 162, 300 s.
pub fn self_heal_wait((first, factor, longest): (Duration, u32, Duration), attempts: i64) -> Duration {
    if attempts <= 0 {
        return Duration::ZERO;
    }
    let exponent = u32::try_from(attempts - 1).unwrap_or(u32::MAX);
    let growth = factor.checked_pow(exponent);
    growth.and_then(|growth| first.checked_mul(growth)).map_or(longest, |wait| wait.min(longest))
}
