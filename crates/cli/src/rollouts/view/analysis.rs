//! AnalysisRuns and their Jobs.

use object::{Object, Time, Value};

use super::{Icon, Related, Row, is_owned, revision};

/// Key of a measurement's metadata that names its Job.
const JOB_NAME: &str = "job-name";

/// What is shown of an AnalysisRun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalysisRunInfo {
    /// Name, age and phase.
    pub row: Row,
    /// Revision of the Rollout.
    pub revision: i64,
    /// Measurements that succeeded, over all metrics.
    pub successful: i64,
    /// Measurements that failed.
    pub failed: i64,
    /// Measurements that could not tell.
    pub inconclusive: i64,
    /// Measurements that could not be made.
    pub error: i64,
    /// Jobs of its measurements in order.
    pub jobs: Vec<JobInfo>,
}

/// What is shown of a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobInfo {
    /// Name, age and phase of the measurement.
    pub row: Row,
}

/// Returns the sign of an analysis phase.
pub(super) fn icon(phase: &str) -> Icon {
    match phase {
        "Successful" => Icon::Ok,
        "Inconclusive" => Icon::Unknown,
        "Failed" => Icon::Bad,
        "Error" => Icon::Warning,
        "Running" => Icon::Progressing,
        "Pending" => Icon::Waiting,
        _ => Icon::None,
    }
}

/// Returns the AnalysisRuns that `owner` owns: newest revision first, then by age.
pub(super) fn of_owner(owner: &str, related: &Related) -> Vec<AnalysisRunInfo> {
    let mut runs: Vec<AnalysisRunInfo> =
        related.analysis_runs.iter().filter(|run| is_owned(run, owner)).map(|run| info(run)).collect();
    runs.sort_by(|a, b| {
        let by_age = || a.row.created.cmp(&b.row.created);
        b.revision.cmp(&a.revision).then_with(by_age).then_with(|| b.row.name.cmp(&a.row.name))
    });
    runs
}

fn info(run: &Object) -> AnalysisRunInfo {
    let phase = run.str(&["status", "phase"]);
    let results = run.items(&["status", "metricResults"]);
    let sum = |field: &str| results.iter().filter_map(|result| result[field].as_i64()).sum();
    AnalysisRunInfo {
        row: Row::of(run, phase, icon(phase)),
        revision: revision(run),
        successful: sum("successful"),
        failed: sum("failed"),
        inconclusive: sum("inconclusive"),
        error: sum("error"),
        jobs: results
            .iter()
            .flat_map(|result| result["measurements"].as_array().into_iter().flatten())
            .filter_map(job)
            .collect(),
    }
}

fn job(measurement: &Value) -> Option<JobInfo> {
    let name = measurement["metadata"][JOB_NAME].as_str()?.to_owned();
    let phase = measurement["phase"].as_str().unwrap_or_default();
    let created = measurement["startedAt"].as_str().and_then(|text| Time::parse(text).ok());
    Some(JobInfo { row: Row { name, created, status: phase.into(), icon: icon(phase) } })
}
