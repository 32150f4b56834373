//! [`World`]: one cluster and its controllers in this process.

mod installed;
mod process;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use apiserver::{ApiServer, Config};
use node::{Node, NodeConfig, Pods, Rules};
use object::{Time, Value};
use runtime::{Clock, Cluster, Tasks, Watches};
use store::Store;

use crate::{Acknowledged, Answers, Faults, Invariants, Rates, User};
use process::Controllers;

/// Namespace of Applications.
const NAMESPACE: &str = "argocd";

/// How a world is made.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Decides the order of ties, names, and faults.
    pub seed: u64,
    /// Faults between the controllers and the API server; none when absent.
    pub faults: Option<Rates>,
    /// What each image answers to requests.
    pub answers: BTreeMap<String, Value>,
    /// What `http://metrics.test` answers, by path and query.
    pub pages: BTreeMap<String, Value>,
    /// How pods behave.
    pub rules: Rules,
    /// Folder of the Git caches.
    pub dir: PathBuf,
    /// Time between comparisons of an Application with its source.
    pub resync: Duration,
    /// What runs in it.
    pub scope: Scope,
    /// What is known of its user's acts.
    pub user: User,
}

/// What runs in a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All controllers, the cluster's and ours.
    #[default]
    Everything,
    /// What Rollouts need: no Applications, and of the cluster's no Deployments, Jobs and EndpointSlices.
    Rollouts,
}

impl Scope {
    /// Returns the cluster's own controllers.
    fn workloads(self) -> workload::Set {
        use workload::Kind::{Garbage, Namespace, ReplicaSet, Scheduler};
        match self {
            Self::Everything => workload::Set::all(),
            Self::Rollouts => workload::Set::of(&[ReplicaSet, Namespace, Garbage, Scheduler]),
        }
    }
}

impl WorldConfig {
    /// Returns a world without faults whose pods are ready after a second and answer nothing; sources are compared every
    /// 10 s.
    pub fn new(seed: u64, dir: &Path) -> Self {
        Self {
            seed,
            faults: None,
            answers: BTreeMap::new(),
            pages: BTreeMap::new(),
            rules: Rules::default(),
            dir: dir.to_owned(),
            resync: Duration::from_secs(10),
            scope: Scope::Everything,
            user: User::Unknown,
        }
    }
}

/// Why a world did not come up, in words.
pub type WorldError = Box<dyn std::error::Error + Send + Sync>;

/// A cluster with everything that acts on it. Needs a paused tokio clock to be fast.
pub struct World {
    cluster: Cluster,
    answers: Answers,
    invariants: Invariants,
    faults: Option<Faults>,
    tasks: Tasks,
    store: Store,
}

impl World {
    /// Makes a world at 2026-01-01T00:00:00Z and starts everything in it.
    pub async fn start(config: WorldConfig) -> Result<Self, WorldError> {
        let store = installed::store().await?;
        let clock = Clock::starting_at(Time::from_unix(installed::BEGIN));
        let api =
            ApiServer::new(store.clone(), clock.clone(), Config { seed: config.seed, ..Config::default() });
        api.bootstrap().await?;
        let cluster = Cluster::new(kube::Client::new(api.router(), "default"), clock.clone());
        let tasks = Tasks::new();
        let watches = Watches::new(cluster.clone(), &tasks);
        workload::run(&cluster, &watches, &tasks, &config.scope.workloads());
        let pods = Pods::Simulated(config.rules.clone());
        let node = NodeConfig::new("simulated", &config.dir, pods).silent();
        Node::new(cluster.clone(), node).run(&tasks).await?;
        let answers = Answers::new(&watches, config.answers.clone(), config.pages.clone());
        let acknowledged = Acknowledged::default();
        acknowledged.watch(&store, &tasks)?;
        let invariants = Invariants::watch(&store, &acknowledged, config.user, &tasks)?;
        let faults = config.faults.map(|rates| Faults::new(config.seed, rates, acknowledged));
        let router = faults.as_ref().map_or_else(|| api.router(), |faults| faults.wrap(api.router()));
        let (wrong, skew) = clock.skewed();
        if let Some(faults) = &faults {
            tasks.spawn("clock", process::jump(clock, skew, faults.clone()));
        }
        let controllers = Controllers {
            cluster: Cluster::new(kube::Client::new(router, "default"), wrong),
            answers: answers.clone(),
            config,
        };
        tasks.spawn("controllers", controllers.run(faults.clone()));
        Ok(Self { cluster, answers, invariants, faults, tasks, store })
    }

    /// Returns the cluster, free of faults.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Returns what the pods answer.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Returns what has been looked at after every change.
    pub fn invariants(&self) -> &Invariants {
        &self.invariants
    }

    /// Returns the faults, if there are any.
    pub fn faults(&self) -> Option<&Faults> {
        self.faults.as_ref()
    }

    /// Returns the store of the cluster: its history is what a seed tells.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the number of writes so far, of everybody.
    pub fn revision(&self) -> u64 {
        self.store.revision()
    }

    /// Waits until the world is at rest: a minute without any write, and then ten minutes without one.
    ///
    /// Errors: it is not at rest within `limit`, or writes again after it was; in words.
    pub async fn settle(&self, limit: Duration) -> Result<(), String> {
        let clock = self.cluster.clock();
        let deadline = clock.now().after(limit);
        let mut before = self.revision();
        loop {
            clock.sleep(Duration::from_secs(60)).await;
            let writes = self.revision() - before;
            if writes == 0 {
                break;
            }
            if clock.now() >= deadline {
                return Err(format!("not at rest: {writes} writes in the last minute"));
            }
            before = self.revision();
        }
        clock.sleep(Duration::from_secs(600)).await;
        match self.revision() - before {
            0 => Ok(()),
            writes => Err(format!("{writes} writes at rest")),
        }
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.tasks.stop().await;
    }
}
