//! The verdict on one metric.

use api::analysis::{AnalysisPhase as Phase, MetricResult};

/// Limits of a metric, defaults filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Failed measurements that are tolerated; -1 for any number.
    pub failure: i64,
    /// Inconclusive measurements that are tolerated.
    pub inconclusive: i64,
    /// Errors in a row that are tolerated.
    pub consecutive_error: i64,
    /// Successes in a row that settle the metric; 0 for none.
    pub consecutive_success: i64,
    /// Measurements that settle the metric; `None` when it goes on until the run is told to stop.
    pub count: Option<i64>,
}

/// Whether the run is being told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// It goes on.
    Running,
    /// It is told to stop, by its spec or because another metric is decided badly.
    Terminating,
}

/// Returns the limit that a metric has broken and the words for it. Of several, errors win over inconclusive results
/// over failures.
pub(crate) fn broken(limits: &Limits, result: &MetricResult) -> Option<(Phase, String)> {
    let errors = i64::from(result.consecutive_error);
    if errors > limits.consecutive_error {
        let text =
            format!("consecutiveErrors ({errors}) > consecutiveErrorLimit ({})", limits.consecutive_error);
        return Some((Phase::Error, text));
    }
    let inconclusive = i64::from(result.inconclusive);
    if inconclusive > limits.inconclusive {
        let text = format!("inconclusive ({inconclusive}) > inconclusiveLimit ({})", limits.inconclusive);
        return Some((Phase::Inconclusive, text));
    }
    let failed = i64::from(result.failed);
    (limits.failure >= 0 && failed > limits.failure)
        .then(|| (Phase::Failed, format!("failed ({failed}) > failureLimit ({})", limits.failure)))
}

/// Returns the verdict on a metric after its last measurement.
pub(crate) fn judge(limits: &Limits, result: &MetricResult, course: Course) -> Phase {
    if let Some(phase) = result.phase.filter(|phase| phase.completed()) {
        return phase;
    }
    let Some(last) = result.measurements.last() else {
        return match course {
            Course::Terminating => Phase::Successful,
            Course::Running => Phase::Pending,
        };
    };
    if !last.phase.is_some_and(Phase::completed) {
        return Phase::Running;
    }
    if let Some((phase, _)) = broken(limits, result) {
        return phase;
    }
    let in_a_row = limits.consecutive_success > 0;
    if in_a_row && i64::from(result.consecutive_success) >= limits.consecutive_success {
        return Phase::Successful;
    }
    if limits.count.is_some_and(|count| i64::from(result.count) >= count) {
        return match (in_a_row, limits.failure >= 0) {
            (true, true) => Phase::Inconclusive,
            (true, false) => Phase::Failed,
            (false, _) => Phase::Successful,
        };
    }
    match course {
        Course::Terminating => Phase::Successful,
        Course::Running => Phase::Running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::analysis::Measurement;

    const LIMITS: Limits =
        Limits { failure: 1, inconclusive: 0, consecutive_error: 4, consecutive_success: 0, count: Some(3) };

    fn result(counts: [i32; 5], last: Phase) -> MetricResult {
        let [count, failed, inconclusive, consecutive_error, consecutive_success] = counts;
        MetricResult {
            count,
            failed,
            inconclusive,
            consecutive_error,
            consecutive_success,
            measurements: vec![Measurement { phase: Some(last), ..Measurement::default() }],
            ..MetricResult::default()
        }
    }

    #[test]
    fn verdicts() {
        let endless = Limits { count: None, ..LIMITS };
        let row = Limits { consecutive_success: 2, ..LIMITS };
        let row_only = Limits { failure: -1, ..row };
        for (limits, counts, last, expected) in [
            (LIMITS, [1, 0, 0, 0, 1], Phase::Successful, Phase::Running),
            (LIMITS, [3, 1, 0, 0, 1], Phase::Successful, Phase::Successful),
            (LIMITS, [2, 2, 0, 0, 0], Phase::Failed, Phase::Failed),
            (LIMITS, [1, 0, 1, 0, 0], Phase::Inconclusive, Phase::Inconclusive),
            (LIMITS, [0, 0, 0, 5, 0], Phase::Error, Phase::Error),
            (LIMITS, [0, 0, 0, 4, 0], Phase::Error, Phase::Running),
            (LIMITS, [0, 0, 0, 0, 0], Phase::Running, Phase::Running),
            (endless, [90, 1, 0, 0, 9], Phase::Successful, Phase::Running),
            (row, [2, 0, 0, 0, 2], Phase::Successful, Phase::Successful),
            (row, [3, 1, 0, 0, 1], Phase::Successful, Phase::Inconclusive),
            (row_only, [3, 2, 0, 0, 1], Phase::Successful, Phase::Failed),
        ] {
            assert_eq!(judge(&limits, &result(counts, last), Course::Running), expected, "{counts:?} {last}");
        }
        let good = result([90, 1, 0, 0, 9], Phase::Successful);
        assert_eq!(judge(&endless, &good, Course::Terminating), Phase::Successful);
    }
}
