//! What is shown of a Rollout or an Experiment: pure functions of objects, the time and whether colours are on.
//!
//! Start at [`rollout_info`] and [`render`].

mod analysis;
mod canary;
mod experiment;
mod icon;
mod images;
pub mod phase;
mod pod;
mod render;
mod replica_set;
mod rollout;
mod tree;

use std::sync::Arc;

use object::{Object, Time};

pub use analysis::{AnalysisRunInfo, JobInfo};
pub use canary::{CanaryProgress, current_step, set_weight};
pub use experiment::{ExperimentInfo, experiment_info};
pub use icon::Icon;
pub use images::{Image, Tag};
pub use pod::PodInfo;
pub use render::{render, render_experiment};
pub use replica_set::{Place, ReplicaSetInfo};
pub use rollout::{Replicas, RolloutInfo, Strategy, rollout_info};

/// The objects of a namespace that may belong to a Rollout; those that do not are passed over.
#[derive(Clone, Debug, Default)]
pub struct Related {
    /// ReplicaSets.
    pub replica_sets: Vec<Arc<Object>>,
    /// Pods.
    pub pods: Vec<Arc<Object>>,
    /// Experiments.
    pub experiments: Vec<Arc<Object>>,
    /// AnalysisRuns.
    pub analysis_runs: Vec<Arc<Object>>,
}

/// What every row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Name of the object.
    pub name: String,
    /// When it was created or started.
    pub created: Option<Time>,
    /// State in one word.
    pub status: String,
    /// Sign of the state.
    pub icon: Icon,
}

impl Row {
    fn of(object: &Object, status: impl Into<String>, icon: Icon) -> Self {
        Self { name: object.name().to_owned(), created: object.creation_time(), status: status.into(), icon }
    }
}

/// Returns true when one of the owners of `object` has `uid`.
fn is_owned(object: &Object, uid: &str) -> bool {
    object.items(&["metadata", "ownerReferences"]).iter().any(|owner| owner["uid"].as_str() == Some(uid))
}

/// Returns the revision that the object was made for, 0 when it does not say.
fn revision(object: &Object) -> i64 {
    object.annotation("rollout.argoproj.io/revision").and_then(|text| text.parse().ok()).unwrap_or_default()
}
