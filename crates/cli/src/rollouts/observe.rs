//! Reading a Rollout or an Experiment with what belongs to it, once or as it changes.

use object::Object;
use runtime::{ApiError, Cache, Cluster, Resource, Selection, Subscription, Tasks, Watches, resources};
use std::sync::Arc;

use super::view::Related;

/// Every ReplicaSet and pod of Rollouts and Experiments has this label; those of Deployments do not.
const OURS: &str = "rollouts-pod-template-hash";

/// Returns what may belong to the Rollouts and Experiments of a namespace.
pub(super) async fn related(cluster: &Cluster, namespace: &str) -> Result<Related, ApiError> {
    let (ours, all) = (Selection::labels(OURS), Selection::default());
    let list =
        async |resource: Resource, selection| cluster.list(&resource, Some(namespace), selection).await;
    let (replica_sets, pods, experiments, analysis_runs) = tokio::try_join!(
        list(resources::REPLICA_SETS, &ours),
        list(resources::PODS, &ours),
        list(resources::EXPERIMENTS, &all),
        list(resources::ANALYSIS_RUNS, &all),
    )?;
    let share = |objects: Vec<Object>| objects.into_iter().map(Arc::new).collect();
    Ok(Related {
        replica_sets: share(replica_sets),
        pods: share(pods),
        experiments: share(experiments),
        analysis_runs: share(analysis_runs),
    })
}

/// One object and everything that may belong to it, kept up to date.
pub(crate) struct Watched {
    /// The object.
    pub subject: One,
    replica_sets: Mirror,
    pods: Mirror,
    experiments: Mirror,
    analysis_runs: Mirror,
}

struct Mirror {
    cache: Cache,
    changes: Subscription,
}

impl Mirror {
    fn open(watches: &Watches, resource: &Resource, selection: &Selection) -> Self {
        let cache = watches.cache_with(resource, selection);
        let changes = cache.subscribe();
        Self { cache, changes }
    }
}

/// One object, kept up to date.
pub(crate) struct One(Mirror);

impl One {
    /// Starts to watch; ends with `tasks`.
    pub async fn open(cluster: &Cluster, tasks: &Tasks, resource: &Resource, key: &object::Key) -> Self {
        let watches = Watches::new(cluster.clone(), tasks);
        let mut selection = Selection::namespace(&key.namespace);
        selection.fields = Some(format!("metadata.name={}", key.name));
        let one = Self(Mirror::open(&watches, resource, &selection));
        one.0.cache.synced().await;
        one
    }

    /// Returns the object, `None` when it does not exist.
    pub fn get(&self) -> Option<Arc<Object>> {
        self.0.cache.list().into_iter().next()
    }

    /// Waits for the next state of the object, beginning with the first; `None` when it was deleted.
    pub async fn next(&mut self) -> Option<Arc<Object>> {
        match self.0.changes.next().await {
            Some(change) => change.new.map(|new| new.object().clone()),
            None => std::future::pending().await,
        }
    }

    /// Waits for the next change; never returns when there are no more.
    pub async fn changed(&mut self) {
        changed(&mut self.0).await;
    }
}

impl Watched {
    /// Starts to watch; ends with `tasks`.
    pub async fn open(cluster: &Cluster, tasks: &Tasks, resource: &Resource, key: &object::Key) -> Self {
        let watches = Watches::new(cluster.clone(), tasks);
        let all = Selection::namespace(&key.namespace);
        let ours = Selection { labels: Some(OURS.to_owned()), ..all.clone() };
        let watched = Self {
            subject: One::open(cluster, tasks, resource, key).await,
            replica_sets: Mirror::open(&watches, &resources::REPLICA_SETS, &ours),
            pods: Mirror::open(&watches, &resources::PODS, &ours),
            experiments: Mirror::open(&watches, &resources::EXPERIMENTS, &all),
            analysis_runs: Mirror::open(&watches, &resources::ANALYSIS_RUNS, &all),
        };
        watched.replica_sets.cache.synced().await;
        watched.pods.cache.synced().await;
        watched.experiments.cache.synced().await;
        watched.analysis_runs.cache.synced().await;
        watched
    }

    /// Returns what may belong to the object.
    pub fn related(&self) -> Related {
        Related {
            replica_sets: self.replica_sets.cache.list(),
            pods: self.pods.cache.list(),
            experiments: self.experiments.cache.list(),
            analysis_runs: self.analysis_runs.cache.list(),
        }
    }

    /// Waits for the next change of anything.
    pub async fn changed(&mut self) {
        tokio::select! {
            () = self.subject.changed() => {}
            () = changed(&mut self.replica_sets) => {}
            () = changed(&mut self.pods) => {}
            () = changed(&mut self.experiments) => {}
            () = changed(&mut self.analysis_runs) => {}
        }
    }
}

async fn changed(mirror: &mut Mirror) {
    if mirror.changes.next().await.is_none() {
        std::future::pending::<()>().await;
    }
}
