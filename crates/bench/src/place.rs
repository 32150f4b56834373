//! [`Place`]: the parts of `slipway dev` in this process, in real time, without sockets.

use std::time::Duration;

use anyhow::anyhow;
use apiserver::{ApiServer, Config};
use controllers::instance::Instance;
use controllers::rollout::RolloutConfig;
use node::{Node, NodeConfig, Pods, Rule, Rules};
use runtime::{Clock, Cluster, Order, Tasks, Watches};
use store::Store;
use tempfile::TempDir;

/// A cluster in this process.
pub(crate) struct Place {
    pub(crate) cluster: Cluster,
    pub(crate) watches: Watches,
    pub(crate) store: Store,
    pub(crate) tasks: Tasks,
    dir: TempDir,
}

impl Place {
    /// Returns an API server over a store in memory, with our definitions and nothing that acts.
    ///
    /// **Errors:** it does not come up.
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let (store, clock, tasks) = (Store::memory(), Clock::system(), Tasks::new());
        let api = ApiServer::new(store.clone(), clock.clone(), Config::default());
        api.bootstrap().await?;
        let cluster = Cluster::new(kube::Client::new(api.router(), "default"), clock);
        controllers::install(&cluster, "argocd").await.map_err(|error| anyhow!("definitions: {error}"))?;
        let watches = Watches::new(cluster.clone(), &tasks);
        Ok(Self { cluster, watches, store, tasks, dir: tempfile::tempdir()? })
    }

    /// Starts the built-in controllers, pods that are ready at once, and the Rollout controller.
    ///
    /// **Errors:** the node cannot be registered.
    pub(crate) async fn run_rollouts(&self) -> anyhow::Result<()> {
        workload::run(&self.cluster, &self.watches, &self.tasks, &workload::Set::all());
        let at_once = Rule { ready_after: Duration::ZERO, ..Rule::default() };
        let pods = Pods::Simulated(Rules::new(vec![at_once]));
        let config = NodeConfig::new("simulated", self.dir.path(), pods).silent();
        Node::new(self.cluster.clone(), config)
            .run(&self.tasks)
            .await
            .map_err(|error| anyhow!("node: {error}"))?;
        let rollout = RolloutConfig { instance: Instance::default(), workers: 4, order: Order::Arrival };
        controllers::rollout::run(&self.watches, rollout, &self.tasks);
        Ok(())
    }
}
