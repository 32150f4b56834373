//! The order of tasks: phase, wave, rank of the kind, name.

/// Kinds in the order they are applied; all others come after.
///
/// Source: gitops-engine `kindOrder`.
const RANKS: [&str; 35] = [
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Returns the rank of `kind`, lower first.
pub fn rank(kind: &str) -> usize {
    RANKS.iter().position(|name| *name == kind).unwrap_or(RANKS.len())
}

/// Returns for each of the distinct `waves` of prunes the wave it is moved to, so that what was made last goes first:
/// the n-th smallest becomes the n-th largest. Example: -1, 0, 5 become 5, 0, -1.
pub fn reversed(waves: impl IntoIterator<Item = i64>) -> std::collections::BTreeMap<i64, i64> {
    let distinct: std::collections::BTreeSet<i64> = waves.into_iter().collect();
    distinct.iter().copied().zip(distinct.iter().rev().copied()).collect()
}
