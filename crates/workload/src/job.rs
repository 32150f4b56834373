//! Jobs: pods that run until enough of them have succeeded.

use std::sync::Arc;

use object::{Key, LabelSelector, Object, Value};
use runtime::{
    ApiError, Cache, Cluster, Controller, Deletion, EventType, Failure, Next, Propagation, Reconcile,
    Recorder, Tasks, Watches, controller_keys, resources,
};

use crate::write::{self, Doomed};
use crate::{pod, share};

mod plan;

/// Starts the controller.
pub(crate) fn run(cluster: &Cluster, watches: &Watches, tasks: &Tasks) {
    let (jobs, pods) = (watches.cache(&resources::JOBS), watches.cache(&resources::PODS));
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
        .watch(&pods, controller_keys("Job"))
        .run(reconciler, tasks);
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
        match self.all.get(key).filter(|job| !job.is_deleting()) {
            Some(job) => write::settle(self.pass(&job).await),
            None => Ok(Next::Done),
        }
    }
}

impl Jobs {
    async fn pass(&self, job: &Object) -> Result<Next, ApiError> {
        let Ok(selector) = LabelSelector::from_json(job.get(&["spec", "selector"]).unwrap_or(&Value::Null))
        else {
            return Ok(Next::Done);
        };
        let children = share::children(job, &selector, &self.pods);
        let pods: Vec<Arc<Object>> = children
            .owned
            .into_iter()
            .filter(|pod| pod::is_finished(pod) || !self.doomed.contains(pod))
            .collect();
        let plan = plan::plan(job, &pods, self.cluster.clock().now());
        if plan.expired {
            return self.expire(job).await;
        }
        for victim in &plan.delete {
            self.doomed.add(victim);
            if let Err(error) = write::delete(&self.cluster, &resources::PODS, victim).await {
                self.doomed.remove(victim);
                return Err(error);
            }
            self.recorder.record(
                job,
                EventType::Normal,
                "SuccessfulDelete",
                &format!("Deleted pod: {}", victim.name()),
            );
        }
        for _ in 0..plan.create {
            let created = self.cluster.create(&resources::PODS, &plan::pod_of(job)).await?;
            let message = format!("Created pod: {}", created.name());
            self.recorder.record(job, EventType::Normal, "SuccessfulCreate", &message);
            self.pods.note(created);
        }
        if write::status(&self.cluster, &resources::JOBS, &self.all, job, plan.status).await?
            && let Some((event_type, reason, message)) = plan.event
        {
            self.recorder.record(job, event_type, reason, message);
        }
        Ok(plan.wake.map_or(Next::Done, Next::At))
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
