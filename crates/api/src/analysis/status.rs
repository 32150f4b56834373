//! `status` of an AnalysisRun.

use std::collections::BTreeMap;
use std::fmt;

use object::{Map, Value};
use serde::{Deserialize, Serialize};

use crate::wire::is_default;

/// Verdict of a measurement, a metric or a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnalysisPhase {
    /// Not begun.
    Pending,
    /// Begun.
    Running,
    /// Good.
    Successful,
    /// Bad.
    Failed,
    /// Could not be measured.
    Error,
    /// Neither good nor bad.
    Inconclusive,
}

impl AnalysisPhase {
    /// Returns true when the phase is final.
    pub fn completed(self) -> bool {
        matches!(self, Self::Successful | Self::Failed | Self::Error | Self::Inconclusive)
    }

    /// Returns the rank of the phase among those that are taken together: the higher, the worse.
    pub fn badness(self) -> u8 {
        match self {
            Self::Successful => 0,
            Self::Running => 1,
            Self::Pending => 2,
            Self::Inconclusive => 3,
            Self::Error => 4,
            Self::Failed => 5,
        }
    }
}

impl fmt::Display for AnalysisPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// When a finished run deletes itself, in seconds after its completion.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TtlStrategy {
    /// Whatever its verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_completion: Option<i32>,
    /// When failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_failure: Option<i32>,
    /// When successful.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_success: Option<i32>,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisRunStatus {
    /// Verdict; absent until the run is seen by its controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<AnalysisPhase>,
    /// Why that verdict.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Results by metric.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metric_results: Vec<MetricResult>,
    /// RFC 3339 time of the begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// RFC 3339 time of the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// Counts over metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_summary: Option<RunSummary>,
    /// Counts over dry-run metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run_summary: Option<RunSummary>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Counts over metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunSummary {
    /// All.
    #[serde(skip_serializing_if = "is_default")]
    pub count: i32,
    /// Successful.
    #[serde(skip_serializing_if = "is_default")]
    pub successful: i32,
    /// Failed.
    #[serde(skip_serializing_if = "is_default")]
    pub failed: i32,
    /// Inconclusive.
    #[serde(skip_serializing_if = "is_default")]
    pub inconclusive: i32,
    /// In error.
    #[serde(skip_serializing_if = "is_default")]
    pub error: i32,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Result of one metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricResult {
    /// Name of the metric.
    pub name: String,
    /// Verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<AnalysisPhase>,
    /// The last measurements, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measurements: Vec<Measurement>,
    /// Why that verdict.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Measurements that count: all but errors.
    #[serde(skip_serializing_if = "is_default")]
    pub count: i32,
    /// Successful ones.
    #[serde(skip_serializing_if = "is_default")]
    pub successful: i32,
    /// Failed ones.
    #[serde(skip_serializing_if = "is_default")]
    pub failed: i32,
    /// Inconclusive ones.
    #[serde(skip_serializing_if = "is_default")]
    pub inconclusive: i32,
    /// Errors.
    #[serde(skip_serializing_if = "is_default")]
    pub error: i32,
    /// Errors in a row, up to the last measurement.
    #[serde(skip_serializing_if = "is_default")]
    pub consecutive_error: i32,
    /// Successes in a row, up to the last measurement.
    #[serde(skip_serializing_if = "is_default")]
    pub consecutive_success: i32,
    /// Whether the verdict does not count.
    #[serde(skip_serializing_if = "is_default")]
    pub dry_run: bool,
    /// Facts about the metric.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Measurement {
    /// Verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<AnalysisPhase>,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// RFC 3339 time of the begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// RFC 3339 time of the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// What was measured, as text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// Facts about the measurement.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// RFC 3339 time at which to look again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<String>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
