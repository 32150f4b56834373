//! The process under test: it starts, runs until it crashes, and starts anew; meanwhile its clock jumps.

use std::sync::Arc;
use std::time::Duration;

use controllers::analysis::AnalysisConfig;
use controllers::application::ApplicationConfig;
use controllers::experiment::ExperimentConfig;
use controllers::instance::Instance;
use controllers::rollout::RolloutConfig;
use runtime::{Clock, Cluster, Order, Skew, Tasks, Watches};
use source::{LocalRepositories, Repositories, Settings};

use super::{NAMESPACE, Scope, WorldConfig};
use crate::faults::Fault;
use crate::{Answers, Faults, Random};

/// The process under test, again and again.
pub(super) struct Controllers {
    /// The cluster as the process sees it.
    pub cluster: Cluster,
    pub answers: Answers,
    pub config: WorldConfig,
}

impl Controllers {
    /// Runs the process for ever.
    pub async fn run(self, faults: Option<Faults>) {
        let mut random = Random::new(self.config.seed ^ 0x5eed);
        loop {
            let tasks = Tasks::new();
            self.start(&tasks, random.draw());
            match &faults {
                Some(faults) => faults.crashed().await,
                None => std::future::pending().await,
            }
            tasks.abort();
            self.cluster.clock().sleep(Duration::from_millis(random.below(5000))).await;
        }
    }

    fn start(&self, tasks: &Tasks, seed: u64) {
        let watches = Watches::new(self.cluster.clone(), tasks);
        let order = Order::Seeded(seed);
        let rollout = RolloutConfig { instance: Instance::default(), workers: 2, order };
        controllers::rollout::run(&watches, rollout, tasks);
        let experiment = ExperimentConfig { instance: Instance::default(), workers: 2, order };
        controllers::experiment::run(&watches, experiment, tasks);
        let analysis = AnalysisConfig { instance: Instance::default(), workers: 2, order };
        controllers::analysis::run(&watches, Arc::new(self.answers.clone()), analysis, tasks);
        if self.config.scope == Scope::Everything {
            self.start_applications(&watches, order, tasks);
        }
    }

    fn start_applications(&self, watches: &Watches, order: Order, tasks: &Tasks) {
        let mut settings = Settings::new(self.config.dir.join("repositories"));
        settings.local = LocalRepositories::Read;
        let mut application =
            ApplicationConfig { jitter: Duration::ZERO, workers: 2, order, ..Default::default() };
        application.settings.namespace = NAMESPACE.into();
        application.settings.refresh_after = self.config.resync;
        controllers::application::run(watches, Arc::new(Repositories::new(settings)), application, tasks);
    }
}

/// Lets the clock of the process jump, looking once a minute whether it does.
pub(super) async fn jump(clock: Clock, skew: Skew, faults: Faults) {
    loop {
        clock.sleep(Duration::from_millis(30_000 + faults.below(60_000))).await;
        if faults.strikes(Fault::JumpForward) {
            skew.jump(milliseconds(faults.below(90_000)));
        }
        if faults.strikes(Fault::JumpBack) {
            skew.jump(-milliseconds(faults.below(5_000)));
        }
    }
}

fn milliseconds(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
