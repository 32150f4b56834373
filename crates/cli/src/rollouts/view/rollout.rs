//! Rollouts.

use std::collections::BTreeSet;

use object::Object;

use super::images::{self, Image};
use super::{
    AnalysisRunInfo, CanaryProgress, ExperimentInfo, Related, ReplicaSetInfo, Row, analysis, canary,
    experiment, phase, replica_set,
};

/// How a Rollout brings a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// By steps.
    Canary(CanaryProgress),
    /// By switching services.
    BlueGreen,
    /// Neither is set.
    Unset,
}

impl Strategy {
    /// Returns the word that is shown.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Canary(_) => "Canary",
            Self::BlueGreen => "BlueGreen",
            Self::Unset => "",
        }
    }
}

/// Numbers of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicas {
    /// Asked for by the spec.
    pub desired: i64,
    /// That exist.
    pub current: i64,
    /// Of the new version.
    pub updated: i64,
    /// Ready.
    pub ready: i64,
    /// Available.
    pub available: i64,
}

impl Replicas {
    /// Returns the numbers in the Rollout's spec and status.
    pub fn of(rollout: &Object) -> Self {
        let status = |field: &str| rollout.int(&["status", field]).unwrap_or_default();
        Self {
            desired: rollout.int(&["spec", "replicas"]).unwrap_or(1),
            current: status("replicas"),
            updated: status("updatedReplicas"),
            ready: status("readyReplicas"),
            available: status("availableReplicas"),
        }
    }
}

/// What is shown of a Rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutInfo {
    /// Name, age and phase.
    pub row: Row,
    /// Its namespace.
    pub namespace: String,
    /// Why it is in its phase.
    pub message: String,
    /// How it brings a new version, and how far it is.
    pub strategy: Strategy,
    /// Numbers of pods.
    pub replicas: Replicas,
    /// Its ReplicaSets.
    pub replica_sets: Vec<ReplicaSetInfo>,
    /// Its Experiments.
    pub experiments: Vec<ExperimentInfo>,
    /// Its AnalysisRuns.
    pub analysis_runs: Vec<AnalysisRunInfo>,
}

impl RolloutInfo {
    /// Returns the images that run, tagged with whom they serve.
    pub fn images(&self) -> Vec<Image> {
        images::of_rollout(&self.replica_sets, &self.experiments)
    }

    /// Returns the revisions that anything belongs to, newest first.
    pub fn revisions(&self) -> Vec<i64> {
        let sets = self.replica_sets.iter().map(|set| set.revision);
        let experiments = self.experiments.iter().map(|experiment| experiment.revision);
        let runs = self.analysis_runs.iter().map(|run| run.revision);
        let all: BTreeSet<i64> = sets.chain(experiments).chain(runs).collect();
        all.into_iter().rev().collect()
    }
}

/// Returns what is shown of the Rollout; `related` may hold what belongs to others.
pub fn rollout_info(rollout: &Object, related: &Related) -> RolloutInfo {
    let phase = phase::phase(rollout);
    let replica_sets = replica_set::of_owner(rollout.uid(), Some(rollout), related);
    let strategy = match () {
        () if rollout.get(&["spec", "strategy", "canary"]).is_some() => {
            Strategy::Canary(canary::progress(rollout, &replica_sets))
        }
        () if rollout.get(&["spec", "strategy", "blueGreen"]).is_some() => Strategy::BlueGreen,
        () => Strategy::Unset,
    };
    RolloutInfo {
        row: Row::of(rollout, phase.word.clone(), phase.icon()),
        namespace: rollout.namespace().into(),
        message: phase.message,
        strategy,
        replicas: Replicas::of(rollout),
        replica_sets,
        experiments: experiment::of_owner(rollout.uid(), related),
        analysis_runs: analysis::of_owner(rollout.uid(), related),
    }
}
