//! Workloads: Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob.

use object::{Object, Time};

use crate::builtin::is_true;
use crate::{Health, Status};

fn healthy() -> Health {
    Health::new(Status::Healthy, "")
}

fn progressing(message: impl Into<String>) -> Health {
    Health::new(Status::Progressing, message)
}

fn count(object: &Object, field: &str) -> i64 {
    object.int(&["status", field]).unwrap_or_default()
}

fn is_stale(object: &Object) -> bool {
    object.generation() > count(object, "observedGeneration")
}

/// Returns the health of a Deployment.
pub fn deployment(object: &Object) -> Health {
    if object.flag(&["spec", "paused"]) {
        return Health::new(Status::Suspended, "Deployment is paused");
    }
    if is_stale(object) {
        return progressing(
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        );
    }
    let exceeded = object.condition("Progressing").is_some_and(|c| c.reason == "ProgressDeadlineExceeded");
    if exceeded {
        return Health::new(
            Status::Degraded,
            format!("Deployment {:?} exceeded its progress deadline", object.name()),
        );
    }
    let (updated, total, available) =
        (count(object, "updatedReplicas"), count(object, "replicas"), count(object, "availableReplicas"));
    match object.int(&["spec", "replicas"]) {
        Some(wanted) if updated < wanted => progressing(format!(
            "Waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated..."
        )),
        _ if total > updated => progressing(format!(
            "Waiting for rollout to finish: {} old replicas are pending termination...",
            total - updated
        )),
        _ if available < updated => progressing(format!(
            "Waiting for rollout to finish: {available} of {updated} updated replicas are available..."
        )),
        _ => healthy(),
    }
}

/// Returns the health of a ReplicaSet.
pub fn replica_set(object: &Object) -> Health {
    if is_stale(object) {
        return progressing(
            "Waiting for rollout to finish: observed replica set generation less than desired generation",
        );
    }
    if is_true(object, "ReplicaFailure") {
        let message = object.condition("ReplicaFailure").map(|c| c.message).unwrap_or_default();
        return Health::new(Status::Degraded, message);
    }
    let available = count(object, "availableReplicas");
    match object.int(&["spec", "replicas"]) {
        Some(wanted) if available < wanted => progressing(format!(
            "Waiting for rollout to finish: {available} out of {wanted} new replicas are available..."
        )),
        _ => healthy(),
    }
}

/// Returns the health of a StatefulSet. A partitioned update is done when the pods above the partition are updated.
pub fn stateful_set(object: &Object) -> Health {
    if count(object, "observedGeneration") == 0 || is_stale(object) {
        return progressing("Waiting for statefulset spec update to be observed...");
    }
    let wanted = object.int(&["spec", "replicas"]);
    let ready = count(object, "readyReplicas");
    if let Some(wanted) = wanted.filter(|wanted| ready < *wanted) {
        return progressing(format!("Waiting for {} pods to be ready...", wanted - ready));
    }
    let strategy = object.str(&["spec", "updateStrategy", "type"]);
    let rolling = object.get(&["spec", "updateStrategy", "rollingUpdate"]);
    if let (Some(rolling), Some(wanted), "RollingUpdate") = (rolling, wanted, strategy) {
        let goal = wanted - rolling["partition"].as_i64().unwrap_or_default();
        let updated = count(object, "updatedReplicas");
        if updated < goal {
            return progressing(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {goal} new pods have been updated..."
            ));
        }
        return Health::new(
            Status::Healthy,
            format!("partitioned roll out complete: {updated} new pods have been updated..."),
        );
    }
    if strategy == "OnDelete" {
        return Health::new(
            Status::Healthy,
            format!("statefulset has {} ready pods", count(object, "readyReplicas")),
        );
    }
    let (update, current) =
        (object.str(&["status", "updateRevision"]), object.str(&["status", "currentRevision"]));
    if update != current {
        let updated = count(object, "updatedReplicas");
        return progressing(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {update}..."
        ));
    }
    Health::new(
        Status::Healthy,
        format!(
            "statefulset rolling update complete {} pods at revision {current}...",
            count(object, "currentReplicas")
        ),
    )
}

/// Returns the health of a DaemonSet.
pub fn daemon_set(object: &Object) -> Health {
    if is_stale(object) {
        return progressing(
            "Waiting for rollout to finish: observed daemon set generation less than desired generation",
        );
    }
    let updated = count(object, "updatedNumberScheduled");
    if object.str(&["spec", "updateStrategy", "type"]) == "OnDelete" {
        return Health::new(
            Status::Healthy,
            format!("daemon set {updated} out of {updated} new pods have been updated"),
        );
    }
    let (wanted, available) = (count(object, "desiredNumberScheduled"), count(object, "numberAvailable"));
    if updated < wanted {
        return progressing(format!(
            "Waiting for daemon set {:?} rollout to finish: {updated} out of {wanted} new pods have been updated...",
            object.name()
        ));
    }
    if available < wanted {
        return progressing(format!(
            "Waiting for daemon set {:?} rollout to finish: {available} of {wanted} updated pods are available...",
            object.name()
        ));
    }
    healthy()
}

/// Returns the health of a Job; a Failed condition counts by being there.
pub fn job(object: &Object) -> Health {
    let conditions = object.conditions();
    let message = |kind: &str| conditions.iter().find(|c| c.kind == kind).map(|c| c.message.clone());
    if let Some(message) = message("Failed") {
        return Health::new(Status::Degraded, message);
    }
    if is_true(object, "Suspended") {
        return Health::new(Status::Suspended, message("Suspended").unwrap_or_default());
    }
    match message("Complete") {
        Some(message) => Health::new(Status::Healthy, message),
        None => progressing(""),
    }
}

/// Returns the health of a CronJob by its last execution.
pub fn cron_job(object: &Object) -> Health {
    if object.flag(&["spec", "suspend"]) {
        return Health::new(Status::Suspended, "CronJob is Suspended");
    }
    if object.get(&["status"]).is_none() {
        return progressing("Waiting for CronJob");
    }
    let time = |field: &str| -> Option<Time> { object.time(&["status", field]) };
    let (status, message) = match (time("lastScheduleTime"), time("lastSuccessfulTime")) {
        (None, _) => (Status::Healthy, "CronJob has not been scheduled yet"),
        (Some(_), None) => {
            (Status::Healthy, "The Cronjob never completed succesfully. It may not be healthy")
        }
        _ if !object.items(&["status", "active"]).is_empty() => {
            (Status::Healthy, "The job is running. Its last execution may not have been successful")
        }
        (Some(scheduled), Some(succeeded)) if succeeded < scheduled => {
            (Status::Degraded, "CronJob has not completed its last execution successfully")
        }
        _ => (Status::Healthy, "CronJob has completed its last execution successfully"),
    };
    Health::new(status, message)
}
