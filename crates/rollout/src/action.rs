//! What a plan changes in the cluster, as data.

use std::fmt;

use object::{Key, Object, Value};
use traffic::{Change, Reference};

/// One change. The shell carries them out in order; a plan holds at most one kind of scaling.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Create this ReplicaSet. When the name is taken by another object's ReplicaSet, write
    /// [`crate::collided`] instead of the plan's status.
    CreateReplicaSet(Object),
    /// Make the Rollout the controller of a ReplicaSet that matches its selector.
    AdoptReplicaSet {
        /// The ReplicaSet.
        key: Key,
        /// Merge patch of the ReplicaSet.
        patch: Value,
    },
    /// Change annotations or `minReadySeconds` of a ReplicaSet, not its size.
    AnnotateReplicaSet {
        /// The ReplicaSet.
        key: Key,
        /// Merge patch of the ReplicaSet.
        patch: Value,
    },
    /// Change the size of a ReplicaSet.
    ScaleReplicaSet {
        /// The ReplicaSet.
        key: Key,
        /// `spec.replicas` as observed.
        from: i32,
        /// `spec.replicas` as wanted.
        to: i32,
        /// Merge patch of the ReplicaSet: `spec.replicas` and the annotations that go with it.
        patch: Value,
    },
    /// Delete an old, empty ReplicaSet.
    DeleteReplicaSet {
        /// The ReplicaSet.
        key: Key,
        /// Its uid, as a precondition.
        uid: String,
    },
    /// Change the Rollout itself: the revision annotation, or the default of `spec.replicas`.
    PatchRollout {
        /// Merge patch of the Rollout.
        patch: Value,
    },
    /// Create this AnalysisRun. When the name is taken, plan again with the run observed.
    CreateAnalysisRun(Object),
    /// Set `spec.terminate` of an AnalysisRun.
    TerminateAnalysisRun {
        /// The AnalysisRun.
        key: Key,
    },
    /// Delete an AnalysisRun that is beyond the history limits.
    DeleteAnalysisRun {
        /// The AnalysisRun.
        key: Key,
        /// Its uid, as a precondition.
        uid: String,
    },
    /// Point a Service to the pods of one ReplicaSet.
    SwitchService(ServiceSwitch),
    /// Create this Experiment. When the name is taken, plan again with it observed.
    CreateExperiment(Object),
    /// Set `spec.terminate` of an Experiment.
    TerminateExperiment {
        /// The Experiment.
        key: Key,
    },
    /// Delete an Experiment that is beyond the history limits.
    DeleteExperiment {
        /// The Experiment.
        key: Key,
        /// Its uid, as a precondition.
        uid: String,
    },
    /// Create this copy of a ConfigMap or Secret; one that is there already is the same.
    CreateConfig(Object),
    /// Delete a copy of a ConfigMap or Secret.
    DeleteConfig {
        /// `ConfigMap` or `Secret`.
        kind: String,
        /// The copy.
        key: Key,
        /// Its uid, as a precondition.
        uid: String,
    },
    /// Change the size of the workload that `workloadRef` names.
    ScaleWorkload {
        /// The workload.
        reference: Reference,
        /// `spec.replicas` as observed.
        from: i32,
        /// `spec.replicas` as wanted.
        to: i32,
    },
    /// Change labels or annotations of a pod.
    PatchPod {
        /// The pod.
        key: Key,
        /// Merge patch of the pod.
        patch: Value,
    },
    /// Write an object of a router.
    Route(Change),
    /// Evict a pod that is older than `spec.restartAt`; 429 means later.
    EvictPod {
        /// The pod.
        key: Key,
    },
}

/// How a Service is switched.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSwitch {
    /// The Service.
    pub key: Key,
    /// Hash it selects now, empty for none.
    pub from: String,
    /// Hash it is to select.
    pub to: String,
    /// Merge patch of the Service.
    pub patch: Value,
}

impl Action {
    /// Returns a merge patch that sets `spec.terminate`.
    pub fn terminate_patch() -> Value {
        object::json!({"spec": {"terminate": true}})
    }
}

impl fmt::Display for Action {
    /// Writes one line for people, as `--dry-run` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateReplicaSet(object) => write!(f, "create ReplicaSet {}", object.key()),
            Self::AdoptReplicaSet { key, .. } => write!(f, "adopt ReplicaSet {key}"),
            Self::AnnotateReplicaSet { key, patch } => write!(f, "annotate ReplicaSet {key}: {patch}"),
            Self::ScaleReplicaSet { key, from, to, .. } => {
                write!(f, "scale ReplicaSet {key} from {from} to {to}")
            }
            Self::DeleteReplicaSet { key, .. } => write!(f, "delete ReplicaSet {key}"),
            Self::PatchRollout { patch } => write!(f, "patch Rollout: {patch}"),
            Self::CreateAnalysisRun(object) => write!(f, "create AnalysisRun {}", object.key()),
            Self::TerminateAnalysisRun { key } => write!(f, "terminate AnalysisRun {key}"),
            Self::DeleteAnalysisRun { key, .. } => write!(f, "delete AnalysisRun {key}"),
            Self::SwitchService(switch) => {
                write!(f, "switch Service {} from '{}' to '{}'", switch.key, switch.from, switch.to)
            }
            Self::CreateExperiment(object) => write!(f, "create Experiment {}", object.key()),
            Self::TerminateExperiment { key } => write!(f, "terminate Experiment {key}"),
            Self::DeleteExperiment { key, .. } => write!(f, "delete Experiment {key}"),
            Self::CreateConfig(object) => write!(f, "create {} {}", object.kind(), object.key()),
            Self::DeleteConfig { kind, key, .. } => write!(f, "delete {kind} {key}"),
            Self::ScaleWorkload { reference, from, to } => {
                write!(f, "scale {} {} from {from} to {to}", reference.gvk.kind, reference.key())
            }
            Self::PatchPod { key, patch } => write!(f, "patch Pod {key}: {patch}"),
            Self::Route(change) => change.fmt(f),
            Self::EvictPod { key } => write!(f, "evict Pod {key}"),
        }
    }
}
