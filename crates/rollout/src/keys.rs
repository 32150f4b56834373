//! Labels and annotations that Rollouts put on objects.

/// Label and selector key of the pod-template hash, on ReplicaSets, pods and Services.
pub const HASH: &str = "rollouts-pod-template-hash";
/// Annotation of ReplicaSets, Rollouts and AnalysisRuns: the revision, a decimal number.
pub const REVISION: &str = "rollout.argoproj.io/revision";
/// Annotation of ReplicaSets: revisions it had before, comma separated.
pub const REVISION_HISTORY: &str = "rollout.argoproj.io/revision-history";
/// Annotation of ReplicaSets: `spec.replicas` of the Rollout when it was last scaled.
pub const DESIRED_REPLICAS: &str = "rollout.argoproj.io/desired-replicas";
/// Annotation of ReplicaSets: RFC 3339 time at which it is scaled to 0.
pub const SCALE_DOWN_DEADLINE: &str = "scale-down-deadline";
/// Annotation of Services: name of the Rollout that switches them.
pub const MANAGED_BY: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
/// Label that says which controller instance acts on an object.
pub const INSTANCE_ID: &str = "argo-rollouts.argoproj.io/controller-instance-id";
/// Label of AnalysisRuns: `Step` or `Background`.
pub const ROLLOUT_TYPE: &str = "rollout-type";
/// Label of AnalysisRuns: index of the step.
pub const STEP_INDEX: &str = "step-index";
/// Annotation of an Experiment's ReplicaSets.
pub const EXPERIMENT_NAME: &str = "experiment.argoproj.io/name";
/// Annotation of ReplicaSets: what their pods were given for their role, in JSON.
pub const EPHEMERAL_METADATA: &str = "rollout.argoproj.io/ephemeral-metadata";
/// Annotation of Rollouts: generation of the workload that `workloadRef` names.
pub const WORKLOAD_GENERATION: &str = "rollout.argoproj.io/workload-generation";
/// Annotation of Rollouts: `true` makes ConfigMaps and Secrets part of a version.
pub const TRACK_CONFIG: &str = "slipway.dev/track-config";
/// Annotation of copies of ConfigMaps and Secrets: name of the original.
pub const COPY_OF: &str = "slipway.dev/copy-of";
/// Label of copies of ConfigMaps and Secrets: name of the Rollout.
pub const COPY_FOR: &str = "slipway.dev/copy-for";
/// Annotation of `kubectl apply`.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Annotation of the notification engine.
pub const NOTIFIED: &str = "notified.notifications.argoproj.io";
