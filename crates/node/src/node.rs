//! [`Node`]: registered with a cluster, running its pods.

use std::io;
use std::path::Path;
use std::sync::Arc;

use runtime::{Cluster, Recorder, Selection, Tasks, Watches, resources};
use thiserror::Error;

use crate::claim::Claim;
use crate::config::{NodeConfig, Pods};
use crate::images::{ImageError, ImageStore};
use crate::log::Writing;
use crate::pod::Setup;
use crate::register::Registration;
use crate::{kubelet, pods, process, simulate};

/// Most pods on a node of processes.
const MAX_PROCESSES: u32 = 250;
/// Most pods on a simulated node.
const MAX_SIMULATED: u32 = 100_000;

/// Why a node cannot run.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The directory of the node cannot be used.
    #[error("node directory {path}: {source}")]
    Directory {
        /// The directory.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// Another process uses the directory.
    #[error("the folder {path} is in use by another process (pid {owner})")]
    Claimed {
        /// The directory.
        path: String,
        /// Id of the other process.
        owner: String,
    },
    /// The store of images cannot be used.
    #[error(transparent)]
    Images(#[from] ImageError),
    /// The log endpoint cannot be served.
    #[error("log endpoint: {0}")]
    Logs(io::Error),
}

/// A node of a cluster.
pub struct Node {
    cluster: Cluster,
    config: NodeConfig,
}

impl Node {
    /// Returns a node that does nothing yet.
    pub fn new(cluster: Cluster, config: NodeConfig) -> Self {
        Self { cluster, config }
    }

    /// Registers the node and runs its pods until `tasks` end. Returns once everything is started.
    ///
    /// Processes that an earlier node with the same directory left behind are killed first. Two nodes never have the
    /// same directory at a time: each would take the other's processes for left behind.
    ///
    /// Errors: [`NodeError`]; nothing is registered then.
    pub async fn run(self, tasks: &Tasks) -> Result<(), NodeError> {
        let watches = Watches::new(self.cluster.clone(), tasks);
        let mine = Selection::fields(&format!("spec.nodeName={}", self.config.name));
        let cache = watches.cache_with(&resources::PODS, &mine);
        let mut registration = Registration {
            cluster: self.cluster.clone(),
            name: self.config.name.clone(),
            port: None,
            pods: MAX_SIMULATED,
            heartbeat: self.config.heartbeat,
        };
        match self.config.pods {
            Pods::Simulated(rules) => simulate::run(&self.cluster, &cache, rules, tasks),
            Pods::Processes => {
                let setup = setup(&self.cluster, &self.config, tasks).await?;
                let port = kubelet::serve(&cache, &setup, tasks).await;
                registration.port = Some(port.map_err(NodeError::Logs)?);
                registration.pods = MAX_PROCESSES;
                pods::run(setup, &cache, tasks);
            }
        }
        registration.keep(tasks);
        Ok(())
    }
}

/// Claims the node's directory, rids it of what an earlier node left running, and opens what is in it.
async fn setup(cluster: &Cluster, config: &NodeConfig, tasks: &Tasks) -> Result<Arc<Setup>, NodeError> {
    let given = &config.dir;
    let dir = std::path::absolute(given)
        .map_err(|source| NodeError::Directory { path: given.display().to_string(), source })?;
    let claim = Claim::take(&dir, "node", cluster.clock()).await?;
    let pods = dir.join("pods");
    make(&pods)?;
    process::kill_orphans(&pods);
    Ok(Arc::new(Setup {
        cluster: cluster.clone(),
        node: config.name.clone(),
        pods,
        images: ImageStore::open(dir.join("images"))?,
        recorder: Recorder::new(cluster.clone(), "kubelet", tasks).on_host(&config.name),
        writing: Writing::default(),
        _claim: claim,
    }))
}

fn make(path: &Path) -> Result<(), NodeError> {
    std::fs::create_dir_all(path)
        .map_err(|source| NodeError::Directory { path: path.display().to_string(), source })
}
