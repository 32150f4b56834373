//! `status` of an AnalysisRun.

use crate::crds::schema::{Schema, boolean, field, int32, labels, list, object, required, string, time};

pub(super) fn status() -> Schema {
    object(&[
        required("phase", phase(), "Verdict: Pending, Running, Successful, Failed, Error or Inconclusive."),
        field("message", string(), "Why that verdict."),
        field("startedAt", time(), "When it began."),
        field("completedAt", time(), "When it ended."),
        field("metricResults", list(result()), "Results by metric."),
        field("runSummary", summary(), "Counts over metrics."),
        field("dryRunSummary", summary(), "Counts over metrics whose verdict does not count."),
    ])
}

fn phase() -> Schema {
    string()
}

fn summary() -> Schema {
    object(&[
        field("count", int32(), "All."),
        field("successful", int32(), "Successful."),
        field("failed", int32(), "Failed."),
        field("inconclusive", int32(), "Inconclusive."),
        field("error", int32(), "In error."),
    ])
}

fn result() -> Schema {
    object(&[
        required("name", string(), "Name of the metric."),
        required("phase", phase(), "Verdict."),
        field("message", string(), "Why that verdict."),
        field("measurements", list(measurement()), "The last measurements, oldest first."),
        field("count", int32(), "Measurements that count: all but errors."),
        field("successful", int32(), "Successful ones."),
        field("failed", int32(), "Failed ones."),
        field("inconclusive", int32(), "Inconclusive ones."),
        field("error", int32(), "Errors."),
        field("consecutiveError", int32(), "Errors in a row, up to the last measurement."),
        field("consecutiveSuccess", int32(), "Successes in a row, up to the last measurement."),
        field("dryRun", boolean(), "Whether the verdict does not count."),
        field("metadata", labels(), "Facts about the metric."),
    ])
}

fn measurement() -> Schema {
    object(&[
        required("phase", phase(), "Verdict."),
        field("message", string(), "Why that verdict."),
        field("startedAt", time(), "When it began."),
        field("finishedAt", time(), "When it ended."),
        field("value", string(), "What was measured, as text."),
        field("metadata", labels(), "Facts about the measurement."),
        field("resumeAt", time(), "When to look again."),
    ])
}
