//! What was measured.

use std::fmt;
use std::time::Duration;

/// One measured figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    /// The value is to be at most this.
    goal: Option<f64>,
    /// What the original needed for the same.
    original: Option<f64>,
}

impl Figure {
    /// Returns a figure without a goal.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, goal: None, original: None }
    }

    /// Returns how many of `unit` there were in a second.
    pub(crate) fn rate(what: impl Into<String>, count: u64, time: Duration, unit: &'static str) -> Self {
        Self::new(what, as_float(count) / time.as_secs_f64(), unit)
    }

    /// Returns it with a goal: at most this, in the figure's unit.
    #[must_use]
    pub(crate) fn at_most(mut self, goal: f64) -> Self {
        self.goal = Some(goal);
        self
    }

    /// Returns it beside what the `original` needed; the goal is at most this `share` of that.
    #[must_use]
    pub(crate) fn beside(mut self, original: f64, share: f64) -> Self {
        self.original = Some(original);
        self.at_most(original * share)
    }
}

/// Returns `count` as a float; what is counted here is far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, value, unit, goal, original } = self;
        let digits = if *value < 10.0 { 3 } else { usize::from(*value < 1000.0) };
        write!(f, "{what:<54} {value:>10.digits$} {unit}")?;
        if let Some(original) = original {
            write!(f, "  (the original: {original:.1}; {:.2} of it)", value / original)?;
        }
        match goal {
            Some(goal) => write!(f, "  (goal: at most {}; {:.2} of it)", rounded(*goal), value / goal),
            None => Ok(()),
        }
    }
}

/// Returns a goal with three digits behind the point at most.
fn rounded(goal: f64) -> f64 {
    (goal * 1000.0).round() / 1000.0
}

/// Returns the middle of `times`; zero when there are none.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_tells_its_share_of_the_goal() {
        let text = Figure::new("start", 0.75, "s").at_most(1.5).to_string();
        assert!(text.ends_with("0.750 s  (goal: at most 1.5; 0.50 of it)"), "{text}");
        let text = Figure::rate("writes", 5000, Duration::from_secs(2), "writes/s").to_string();
        assert!(text.ends_with(" 2500 writes/s"), "{text}");
    }

    #[test]
    fn a_figure_beside_the_originals_tells_both_shares() {
        let text = Figure::new("create", 12.2, "s").beside(61.0, 0.5).to_string();
        assert!(
            text.ends_with("12.2 s  (the original: 61.0; 0.20 of it)  (goal: at most 30.5; 0.40 of it)"),
            "{text}"
        );
    }

    #[test]
    fn the_median_is_the_middle() {
        let times = [9, 1, 5].map(Duration::from_secs).to_vec();
        assert_eq!(median(times), Duration::from_secs(5));
        assert_eq!(median(Vec::new()), Duration::ZERO);
    }
}
