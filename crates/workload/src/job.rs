//! Jobs: pods that run until enough of them have succeeded.

use std::sync::Arc;

use object::{Key, LabelSelector, Object, Value, json};
use runtime::{
    ApiError, Cache, Change, Cluster, Controller, Deletion, EventType, Failure, Next, Patch, Propagation,
    Reconcile, Recorder, Tasks, Watches, controller_keys, resources,
};

use crate::share;
use crate::write::{self, Doomed};

mod count;
mod indexes;
mod plan;

use count::{FINALIZER, is_tracked};

/// Label of a Job's pods with its name.
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// Starts the controller.
pub(crate) fn run(cluster: &Cluster, watches: &Watches, tasks: &Tasks) {
    let (jobs, pods) = (watches.cache(&resources::JOBS), watches.cache(&resources::PODS));
    let owners = controller_keys("Job");
    let wake = move |change: &Change| {
        let mut keys = owners(change);
        keys.extend(change.new.as_ref().filter(|pod| is_tracked(pod)).and_then(|pod| former_job(pod)));
        keys
    };
    let reconciler = Jobs {
        cluster: cluster.clone(),
        all: jobs.clone(),
        pods: pods.clone(),
        recorder: Recorder::new(cluster.clone(), "job-controller", tasks),
        doomed: Doomed::default(),
    };
    Controller::new("job", cluster.clock().clone())
        .workers(2)
        .reconcile_each(&jobs)
        .watch(&pods, wake)
        .run(reconciler, tasks);
}

/// Returns the key of the Job that a pod without an owner came from.
fn former_job(pod: &Object) -> Option<Key> {
    let name = pod.label(JOB_NAME).filter(|_| pod.controller_uid().is_none())?;
    Some(Key::new(pod.namespace(), name))
}

/// Source: `managedByExternalController`.
fn is_managed_by_another(job: &Object) -> bool {
    !matches!(job.str(&["spec", "managedBy"]), "" | "kubernetes.io/job-controller")
}

/// Returns a sentence that names the fields that are not acted on, `None` when there are none.
fn unsupported(job: &Object) -> Option<String> {
    let fields = ["successPolicy", "podFailurePolicy", "backoffLimitPerIndex", "maxFailedIndexes"];
    let set = |field: &&str| job.get(&["spec", field]).is_some_and(|value| !value.is_null());
    let names: Vec<String> =
        fields.iter().filter(|field| set(field)).map(|field| format!("spec.{field}")).collect();
    (!names.is_empty()).then(|| format!("not acted on: {}", names.join(", ")))
}

struct Jobs {
    cluster: Cluster,
    all: Cache,
    pods: Cache,
    recorder: Recorder,
    doomed: Doomed,
}

impl Reconcile for Jobs {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        write::settle(self.visit(key).await)
    }
}

impl Jobs {
    async fn visit(&self, key: &Key) -> Result<Next, ApiError> {
        let job = self.all.get(key);
        if job.as_ref().is_some_and(|job| is_managed_by_another(job)) {
            return Ok(Next::Done);
        }
        let living = job.filter(|job| !job.is_deleting());
        self.let_orphans_go(key, living.as_deref()).await?;
        match living {
            Some(job) => self.pass(&job).await,
            None => Ok(Next::Done),
        }
    }

    async fn pass(&self, job: &Object) -> Result<Next, ApiError> {
        let Ok(selector) = LabelSelector::from_json(job.get(&["spec", "selector"]).unwrap_or(&Value::Null))
        else {
            return Ok(Next::Done);
        };
        let children = share::children(job, &selector, &self.pods);
        let pods: Vec<Arc<Object>> = children.owned.iter().map(|pod| self.as_it_will_be(pod)).collect();
        let plan = plan::plan(job, &pods, self.cluster.clock().now());
        for victim in &plan.shed {
            self.let_go(victim).await?;
        }
        for victim in plan.delete.iter().chain(&plan.shed) {
            self.delete(job, victim).await?;
        }
        for index in plan.create {
            let created = self.cluster.create(&resources::PODS, &plan::pod_of(job, index)).await?;
            let message = format!("Created pod: {}", created.name());
            self.recorder.record(job, EventType::Normal, "SuccessfulCreate", &message);
            self.pods.note(created);
        }
        let is_new = job.get(&["status", "ready"]).is_none();
        if write::status(&self.cluster, &resources::JOBS, &self.all, job, plan.status).await? {
            if let Some((event_type, reason, message)) = plan.event {
                self.recorder.record(job, event_type, reason, message);
            }
            if let Some(message) = unsupported(job).filter(|_| is_new) {
                self.recorder.record(job, EventType::Warning, "UnsupportedField", &message);
            }
        }
        for pod in &plan.release {
            self.let_go(pod).await?;
        }
        if plan.expired {
            return self.expire(job).await;
        }
        Ok(plan.wake.map_or(Next::Done, Next::At))
    }

    /// Returns the pod, as being deleted when this process has deleted it and the cache does not show it yet.
    fn as_it_will_be(&self, pod: &Arc<Object>) -> Arc<Object> {
        if pod.is_deleting() || !self.doomed.contains(pod) {
            return pod.clone();
        }
        let mut going = (**pod).clone();
        going.set(&["metadata", "deletionTimestamp"], json!(self.cluster.clock().now()));
        Arc::new(going)
    }

    async fn delete(&self, job: &Object, victim: &Object) -> Result<(), ApiError> {
        self.doomed.add(victim);
        if let Err(error) = write::delete(&self.cluster, &resources::PODS, victim).await {
            self.doomed.remove(victim);
            if error.is_not_found() {
                return Ok(());
            }
            return Err(error);
        }
        let message = format!("Deleted pod: {}", victim.name());
        self.recorder.record(job, EventType::Normal, "SuccessfulDelete", &message);
        Ok(())
    }

    /// Takes the finalizer off a pod.
    async fn let_go(&self, pod: &Object) -> Result<(), ApiError> {
        let field = "$deleteFromPrimitiveList/finalizers";
        let patch = Patch::strategic(json!({"metadata": {"uid": pod.uid(), field: [FINALIZER]}}));
        match self.cluster.patch(&resources::PODS, &pod.key(), &patch).await {
            Ok(stored) => self.pods.note(stored),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Lets pods go that no Job will count: theirs is gone or goes, or they have been orphaned.
    ///
    /// Source: `syncOrphanPod`.
    async fn let_orphans_go(&self, key: &Key, living: Option<&Object>) -> Result<(), ApiError> {
        for pod in self.pods.in_namespace(&key.namespace).iter().filter(|pod| is_tracked(pod)) {
            let lost = match pod.controller() {
                Some(owner) => {
                    owner.kind == "Job"
                        && owner.name == key.name
                        && living.is_none_or(|job| job.uid() != owner.uid)
                }
                None => former_job(pod).is_some_and(|former| former == *key),
            };
            if lost {
                self.let_go(pod).await?;
            }
        }
        Ok(())
    }

    /// Deletes a job that has been over for long enough, and its pods with it.
    async fn expire(&self, job: &Object) -> Result<Next, ApiError> {
        let deletion = Deletion {
            propagation: Some(Propagation::Foreground),
            uid: Some(job.uid().to_owned()),
            ..Deletion::default()
        };
        self.cluster.delete(&resources::JOBS, &job.key(), &deletion).await?;
        Ok(Next::Done)
    }
}
