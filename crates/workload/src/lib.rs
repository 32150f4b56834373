//! The built-in controllers of the embedded cluster: what kube-controller-manager and kube-scheduler do on a real one.
//!
//! Each controller is a pure planner over what its caches show and a thin reconciler that carries the plan out. They
//! speak only the Kubernetes API, keep nothing but short-lived notes of their own writes, and write nothing at rest.
//! Never used against a cluster that runs its own. Start at [`run`].

mod deployment;
mod discovery;
mod endpoints;
mod expiry;
mod garbage;
mod job;
mod namespace;
pub mod pod;
mod replica_set;
mod scheduler;
mod share;
mod write;

pub use expiry::expire_events;

use runtime::{Cluster, Tasks, Watches};

/// Which controllers run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set(Vec<Kind>);

/// A built-in controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// ReplicaSets to Pods.
    ReplicaSet,
    /// Deployments to ReplicaSets.
    Deployment,
    /// Jobs to Pods.
    Job,
    /// Services to EndpointSlices and Endpoints.
    Endpoints,
    /// Namespaces: default account, and emptying those that are deleted.
    Namespace,
    /// Objects whose owners are gone or go.
    Garbage,
    /// Pods to nodes.
    Scheduler,
}

impl Kind {
    /// Every controller.
    pub const ALL: [Self; 7] = [
        Self::ReplicaSet,
        Self::Deployment,
        Self::Job,
        Self::Endpoints,
        Self::Namespace,
        Self::Garbage,
        Self::Scheduler,
    ];
}

impl Set {
    /// Returns every controller.
    pub fn all() -> Self {
        Self(Kind::ALL.to_vec())
    }

    /// Returns these controllers only.
    pub fn of(kinds: &[Kind]) -> Self {
        Self(kinds.to_vec())
    }
}

/// Starts the controllers of `set`; they end with `tasks`.
pub fn run(cluster: &Cluster, watches: &Watches, tasks: &Tasks, set: &Set) {
    for kind in &set.0 {
        match kind {
            Kind::ReplicaSet => replica_set::run(cluster, watches, tasks),
            Kind::Deployment => deployment::run(cluster, watches, tasks),
            Kind::Job => job::run(cluster, watches, tasks),
            Kind::Endpoints => endpoints::run(cluster, watches, tasks),
            Kind::Namespace => namespace::run(cluster, watches, tasks),
            Kind::Garbage => garbage::run(cluster, watches, tasks),
            Kind::Scheduler => scheduler::run(cluster, watches, tasks),
        }
    }
}
