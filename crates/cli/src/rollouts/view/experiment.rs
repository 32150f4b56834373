//! Experiments.

use object::Object;

use super::images::{self, Image};
use super::{AnalysisRunInfo, Related, ReplicaSetInfo, Row, analysis, is_owned, replica_set, revision};

/// What is shown of an Experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExperimentInfo {
    /// Name, age and phase.
    pub row: Row,
    /// Its namespace.
    pub namespace: String,
    /// Why it is in its phase.
    pub message: String,
    /// Revision of the Rollout.
    pub revision: i64,
    /// ReplicaSets of its templates.
    pub replica_sets: Vec<ReplicaSetInfo>,
    /// Its AnalysisRuns.
    pub analysis_runs: Vec<AnalysisRunInfo>,
}

impl ExperimentInfo {
    /// Returns the images that run, tagged with their templates.
    pub fn images(&self) -> Vec<Image> {
        images::of_experiment(&self.replica_sets)
    }
}

/// Returns what is shown of the Experiment; `related` may hold what belongs to others.
pub fn experiment_info(experiment: &Object, related: &Related) -> ExperimentInfo {
    let phase = experiment.str(&["status", "phase"]);
    ExperimentInfo {
        row: Row::of(experiment, phase, analysis::icon(phase)),
        namespace: experiment.namespace().into(),
        message: experiment.str(&["status", "message"]).into(),
        revision: revision(experiment),
        replica_sets: replica_set::of_owner(experiment.uid(), None, related),
        analysis_runs: analysis::of_owner(experiment.uid(), related),
    }
}

/// Returns the Experiments that `owner` owns: newest revision first, then by age.
pub(super) fn of_owner(owner: &str, related: &Related) -> Vec<ExperimentInfo> {
    let mut all: Vec<ExperimentInfo> = related
        .experiments
        .iter()
        .filter(|experiment| is_owned(experiment, owner))
        .map(|experiment| experiment_info(experiment, related))
        .collect();
    all.sort_by(|a, b| {
        let by_age = || a.row.created.cmp(&b.row.created);
        b.revision.cmp(&a.revision).then_with(by_age).then_with(|| a.row.name.cmp(&b.row.name))
    });
    all
}
