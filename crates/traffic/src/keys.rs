//! Labels and annotations of router objects.

/// Label of pods: the pod-template hash.
pub(crate) const HASH: &str = "rollouts-pod-template-hash";
/// Annotation: name of the Rollout that changes the object.
pub(crate) const MANAGED_BY: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
/// Annotation of Ingresses: which annotations which Rollout has made, as JSON.
pub(crate) const MANAGED_ALB: &str = "rollouts.argoproj.io/managed-alb-annotations";
