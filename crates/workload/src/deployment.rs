//! Deployments: from one ReplicaSet to the next without losing more pods than allowed.

use std::sync::Arc;

use object::{Key, LabelSelector, Object, Value};
use runtime::{
    ApiError, Cache, Change, Cluster, Controller, EventType, Failure, Next, Reconcile, Recorder, Subresource,
    Tasks, Watches, controller_keys, resources,
};

use crate::{pod, share, write};

mod model;
mod plan;
mod rolling;
mod scale;
mod status;
mod template;

use model::Deployment;
use plan::Action;

/// Starts the controller.
pub(crate) fn run(cluster: &Cluster, watches: &Watches, tasks: &Tasks) {
    let deployments = watches.cache(&resources::DEPLOYMENTS);
    let (sets, pods) = (watches.cache(&resources::REPLICA_SETS), watches.cache(&resources::PODS));
    let (owners, orphans) = (controller_keys("Deployment"), deployments.clone());
    let wake = move |change: &Change| {
        let mut keys = owners(change);
        if let Some(set) = &change.new {
            keys.extend(share::selecting(&orphans, set));
        }
        keys
    };
    let by_set = sets.clone();
    let recreated = move |change: &Change| {
        // Only the end of a pod matters: a Recreate rollout waits for it.
        let ended = change.new.as_ref().is_none_or(|pod| pod::is_finished(pod));
        let owner = change.object().filter(|_| ended).and_then(|pod| pod.controller());
        let set = owner.and_then(|owner| by_set.get(&Key::new(&change.key.namespace, &owner.name)));
        let owner = set.and_then(|set| set.controller()).filter(|owner| owner.kind == "Deployment");
        owner.map(|owner| Key::new(&change.key.namespace, &owner.name)).into_iter().collect()
    };
    let reconciler = Deployments {
        cluster: cluster.clone(),
        all: deployments.clone(),
        sets: sets.clone(),
        pods: pods.clone(),
        recorder: Recorder::new(cluster.clone(), "deployment-controller", tasks),
    };
    Controller::new("deployment", cluster.clock().clone())
        .workers(4)
        .reconcile_each(&deployments)
        .watch(&sets, wake)
        .watch(&pods, recreated)
        .run(reconciler, tasks);
}

struct Deployments {
    cluster: Cluster,
    all: Cache,
    sets: Cache,
    pods: Cache,
    recorder: Recorder,
}

impl Reconcile for Deployments {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        match self.all.get(key) {
            Some(deployment) => write::settle(self.pass(&deployment).await),
            None => Ok(Next::Done),
        }
    }
}

impl Deployments {
    async fn pass(&self, object: &Object) -> Result<Next, ApiError> {
        let Ok(selector) =
            LabelSelector::from_json(object.get(&["spec", "selector"]).unwrap_or(&Value::Null))
        else {
            return Ok(Next::Done);
        };
        if selector.is_empty() {
            return Ok(Next::Done);
        }
        let mut children = share::children(object, &selector, &self.sets);
        if share::settle(&self.cluster, &resources::REPLICA_SETS, &self.sets, object, &children).await? {
            children = share::children(object, &selector, &self.sets);
        }
        let old_pods = self.pods_running(&children.owned);
        let deployment = Deployment::read(object, &children.owned);
        let plan = plan::plan(&deployment, &old_pods, self.cluster.clock().now());
        for action in plan.actions {
            self.apply(object, action).await?;
        }
        let current = self.all.get(&object.key()).filter(|current| current.uid() == object.uid());
        let Some(current) = current else { return Ok(Next::Done) };
        write::status(&self.cluster, &resources::DEPLOYMENTS, &self.all, &current, plan.status).await?;
        Ok(plan.wake.map_or(Next::Done, Next::At))
    }

    /// Returns the uids of the ReplicaSets that have pods which have not ended.
    fn pods_running(&self, sets: &[Arc<Object>]) -> Vec<String> {
        let running =
            |set: &&Arc<Object>| self.pods.owned_by(set.uid()).iter().any(|pod| !pod::is_finished(pod));
        sets.iter().filter(running).map(|set| set.uid().to_owned()).collect()
    }

    async fn apply(&self, object: &Object, action: Action) -> Result<(), ApiError> {
        match action {
            Action::Revision(revision) => {
                let mut wanted = object.clone();
                wanted.set_annotation(model::REVISION, &revision);
                let stored =
                    self.cluster.replace(&resources::DEPLOYMENTS, &wanted, Subresource::None).await?;
                self.all.note(stored);
            }
            Action::Create(set) => self.create(object, &set).await?,
            Action::Update { set, event } => {
                let stored = self.cluster.replace(&resources::REPLICA_SETS, &set, Subresource::None).await?;
                self.sets.note(stored);
                if let Some(message) = event {
                    self.recorder.record(object, EventType::Normal, "ScalingReplicaSet", &message);
                }
            }
            Action::Delete(set) => write::delete(&self.cluster, &resources::REPLICA_SETS, &set).await?,
        }
        Ok(())
    }

    /// Creates the new ReplicaSet; when its name is taken by another template the next pass picks another name.
    async fn create(&self, object: &Object, set: &Object) -> Result<(), ApiError> {
        match self.cluster.create(&resources::REPLICA_SETS, set).await {
            Ok(stored) => {
                let count = stored.int(&["spec", "replicas"]).unwrap_or_default();
                self.sets.note(stored);
                if count > 0 {
                    let message = format!("Scaled up replica set {} from 0 to {count}", set.name());
                    self.recorder.record(object, EventType::Normal, "ScalingReplicaSet", &message);
                }
                Ok(())
            }
            Err(error) if error.is_already_exists() => self.collide(object, set).await,
            Err(error) => {
                let message = format!("Failed to create new replica set {:?}: {error}", set.name());
                self.recorder.record(object, EventType::Warning, "ReplicaSetCreateError", &message);
                let now = self.cluster.clock().now();
                let failed = status::with_failed_create(object, &message, now);
                write::status(&self.cluster, &resources::DEPLOYMENTS, &self.all, object, failed).await?;
                Err(error)
            }
        }
    }

    async fn collide(&self, object: &Object, set: &Object) -> Result<(), ApiError> {
        let there = self.cluster.get(&resources::REPLICA_SETS, &set.key()).await?;
        let Some(there) = there else { return Ok(()) };
        let ours = there.controller_uid() == Some(object.uid()) && template::same(object, &there);
        if ours {
            self.sets.note(there);
            return Ok(());
        }
        let mut status = object.get(&["status"]).cloned().unwrap_or_default();
        let count = object.int(&["status", "collisionCount"]).unwrap_or_default() + 1;
        status["collisionCount"] = count.into();
        write::status(&self.cluster, &resources::DEPLOYMENTS, &self.all, object, status).await?;
        Err(ApiError {
            code: 409,
            reason: "Conflict".into(),
            message: format!("the name {} is taken by another template", set.name()),
            details: Value::Null,
        })
    }
}
