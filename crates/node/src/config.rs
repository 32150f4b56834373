//! How a node is set up.

use std::path::PathBuf;
use std::time::Duration;

use crate::simulate::Rules;

/// How the pods of a node run.
#[derive(Clone, Debug)]
pub enum Pods {
    /// As processes of this machine.
    Processes,
    /// Not at all: they become ready, crash or finish as rules say. No Events tell of them: nothing happens.
    Simulated(Rules),
}

/// How a node is set up.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Name of the Node object.
    pub name: String,
    /// Directory of the images, of the pods' volumes and of their logs. Not used for simulated pods.
    pub dir: PathBuf,
    /// How pods run.
    pub pods: Pods,
    /// Time between renewals of the node's lease; `None` renews nothing, for clusters without a node lifecycle
    /// controller.
    pub heartbeat: Option<Duration>,
}

impl NodeConfig {
    /// Returns a node that renews its lease every 10 s, as the kubelet.
    pub fn new(name: &str, dir: impl Into<PathBuf>, pods: Pods) -> Self {
        Self { name: name.to_owned(), dir: dir.into(), pods, heartbeat: Some(Duration::from_secs(10)) }
    }

    /// Returns the same node without a heart-beat.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.heartbeat = None;
        self
    }
}
