//! Time on the wire: RFC 3339 seconds and microseconds, Go durations, and the ages people read.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A text that is not a time or a duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TimeError {
    /// Not an RFC 3339 time.
    #[error("parsing time {text:?}: not an RFC 3339 time")]
    Time {
        /// The text.
        text: String,
    },
    /// Not a Go duration.
    #[error("time: invalid duration {text:?}")]
    Duration {
        /// The text.
        text: String,
    },
}

/// A point in time with nanoseconds, in UTC. Written with whole seconds, as `metav1.Time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Timestamp);

impl Time {
    /// Returns the time `seconds` after 1970-01-01T00:00:00Z; out-of-range values are clamped.
    pub fn from_unix(seconds: i64) -> Self {
        Self(Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        }))
    }

    /// Returns the time of a library timestamp.
    pub fn from_timestamp(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }

    /// Returns the library timestamp.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }

    /// Returns the time written in RFC 3339, with any fraction of a second and any offset.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        text.parse().map(Self).map_err(|_| TimeError::Time { text: text.to_owned() })
    }

    /// Returns whole seconds since 1970, rounded down.
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// Returns this time without its fraction of a second: what is left after a trip through the API.
    #[must_use]
    pub fn whole_seconds(self) -> Self {
        Self::from_unix(self.0.as_nanosecond().div_euclid(1_000_000_000).try_into().unwrap_or_default())
    }

    /// Returns `self - earlier`, zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.duration_since(earlier.0).try_into().unwrap_or_default()
    }

    /// Returns `self + duration`, clamped to the last representable time.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        Self(self.0.checked_add(duration).unwrap_or(Timestamp::MAX))
    }

    /// Returns `self - duration`, clamped to the first representable time.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        Self(self.0.checked_sub(duration).unwrap_or(Timestamp::MIN))
    }

    /// Returns the form of `metav1.MicroTime`, e.g. `2026-11-21T11:12:00.123456Z`.
    pub fn to_micro(self) -> String {
        format!("{:.6}", self.0)
    }
}

impl fmt::Display for Time {
    /// Writes RFC 3339 with whole seconds, e.g. `2026-11-21T11:12:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.whole_seconds().0)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Units of Go's `time.ParseDuration`, in nanoseconds. Longer names first where one starts another.
const UNITS: [(&str, f64); 8] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// Returns the duration written as Go's `time.ParseDuration` reads it, e.g. `1h30m`, `1.5s`, `300ms`; negative ones
/// are an error.
///
/// Example: `"1h30m"` is 5,400 s.
pub fn parse_duration(text: &str) -> Result<Duration, TimeError> {
    let fail = || TimeError::Duration { text: text.to_owned() };
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut nanoseconds = 0.0;
    if rest.is_empty() {
        return Err(fail());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(fail)?;
        let number: f64 = rest[..digits].parse().map_err(|_| fail())?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, factor) = UNITS.iter().find(|(unit, _)| *unit == &rest[..end]).ok_or_else(fail)?;
        nanoseconds += number * factor;
        rest = &rest[end..];
    }
    if nanoseconds > 9.2e18 {
        return Err(fail());
    }
    Duration::try_from_secs_f64(nanoseconds / 1e9).map_err(|_| fail())
}

/// Returns the duration in the form of Go's `Duration.String`, e.g. `1h30m0s`, `1.5s`, `300ms`, `0s`.
pub fn format_duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    if nanoseconds == 0 {
        return "0s".into();
    }
    if nanoseconds < 1_000_000_000 {
        let (divisor, unit) = match nanoseconds {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{}{unit}", decimal(nanoseconds, divisor));
    }
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = decimal(nanoseconds - u128::from(seconds / 60) * 60_000_000_000, 1_000_000_000);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, minutes) => format!("{minutes}m{rest}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}s"),
    }
}

fn decimal(value: u128, divisor: u128) -> String {
    let (whole, rest) = (value / divisor, value % divisor);
    if rest == 0 {
        return whole.to_string();
    }
    let width = divisor.ilog10() as usize;
    format!("{whole}.{}", format!("{rest:0width$}").trim_end_matches('0'))
}

/// Returns the age as kubectl prints it, e.g. `59s`, `2m3s`, `5h10m`, `3d4h`, `2y30d`.
///
/// Source: `k8s.io/apimachinery/pkg/util/duration.HumanDuration`.
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |whole: u64, unit: &str, rest: u64, rest_unit: &str| {
        if rest == 0 { format!("{whole}{unit}") } else { format!("{whole}{unit}{rest}{rest_unit}") }
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => pair(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => pair(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if hours < 192 => pair(days, "d", hours % 24, "h"),
        () if days < 730 => format!("{days}d"),
        () if days < 2920 => pair(days / 365, "y", days % 365, "d"),
        () => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_whole_seconds() {
        let time = Time::parse("2026-11-21T11:12:00.987654321Z").unwrap();
        assert_eq!(time.to_string(), "2026-11-21T11:12:00Z");
        assert_eq!(time.to_micro(), "2026-11-21T11:12:00.987654Z");
        assert_eq!(Time::parse("2026-11-21T13:12:00+02:00").unwrap().to_string(), "2026-11-21T11:12:00Z");
        assert!(Time::parse("yesterday").is_err());
    }

    #[test]
    fn durations_read_and_print_as_go_does() {
        for (text, printed) in [
            ("1h30m", "1h30m0s"),
            ("90s", "1m30s"),
            ("1.5s", "1.5s"),
            ("300ms", "300ms"),
            ("0", "0s"),
            ("1500us", "1.5ms"),
        ] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), printed, "{text}");
        }
        for text in ["", "5", "-1s", "1x", "s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ages_are_those_of_kubectl() {
        for (seconds, text) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (123, "2m3s"),
            (600, "10m"),
            (10_800, "3h"),
            (18_600, "5h10m"),
            (86_400 * 3 + 3600 * 4, "3d4h"),
            (86_400 * 10, "10d"),
            (86_400 * 760, "2y30d"),
        ] {
            assert_eq!(human_duration(Duration::from_secs(seconds)), text);
        }
    }
}
