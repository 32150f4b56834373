//! The status of a Deployment and its conditions. Pure.

use object::{Object, Time, Value, json};

use super::model::{Deployment, Set};

/// Returns the status of what is there. Source: `calculateStatus`, `syncRolloutStatus`.
pub(super) fn status(deployment: &Deployment<'_>, now: Time) -> Value {
    let sum = |field: &str| deployment.all().map(|set| set.count(field)).sum::<i64>();
    let (replicas, available) = (sum("replicas"), sum("availableReplicas"));
    let mut status = json!({"observedGeneration": deployment.object.generation()});
    let counts = [
        ("replicas", replicas),
        ("updatedReplicas", deployment.new.as_ref().map_or(0, |new| new.count("replicas"))),
        ("readyReplicas", sum("readyReplicas")),
        ("availableReplicas", available),
        ("unavailableReplicas", (asked(deployment) - available).max(0)),
        ("collisionCount", deployment.object.int(&["status", "collisionCount"]).unwrap_or_default()),
    ];
    for (field, count) in counts {
        if count > 0 {
            status[field] = count.into();
        }
    }
    if let Some(terminating) = deployment.object.get(&["status", "terminatingReplicas"]) {
        status["terminatingReplicas"] = terminating.clone();
    }
    let mut conditions =
        Conditions { list: deployment.object.items(&["status", "conditions"]).to_vec(), now };
    available_condition(deployment, available, &mut conditions);
    progress(deployment, &status, &mut conditions);
    failure(deployment, &mut conditions);
    if !conditions.list.is_empty() {
        status["conditions"] = conditions.list.into();
    }
    status
}

fn asked(deployment: &Deployment<'_>) -> i64 {
    deployment.total().max(0)
}

/// Returns true when every pod is of the new template and available, and the status says so. Source:
/// `DeploymentComplete`.
pub(super) fn is_complete(deployment: &Deployment<'_>) -> bool {
    let sum = |field: &str| deployment.all().map(|set| set.count(field)).sum::<i64>();
    let updated = deployment.new.as_ref().map_or(0, |new| new.count("replicas"));
    updated == deployment.replicas
        && sum("replicas") == deployment.replicas
        && sum("availableReplicas") == deployment.replicas
}

/// Returns when the progress deadline will be over, if it runs. Source: `requeueStuckDeployment`.
pub(super) fn wake(deployment: &Deployment<'_>, status: &Value, now: Time) -> Option<Time> {
    let deadline = deployment.progress_deadline?;
    if deployment.paused || is_complete(deployment) {
        return None;
    }
    let conditions = status["conditions"].as_array()?;
    let progressing = conditions.iter().find(|condition| condition["type"] == "Progressing")?;
    if matches!(progressing["reason"].as_str(), Some("ProgressDeadlineExceeded" | "NewReplicaSetAvailable")) {
        return None;
    }
    let since = Time::parse(progressing["lastUpdateTime"].as_str()?).ok()?;
    let due = since.after(deadline).after(std::time::Duration::from_secs(1));
    (due > now).then_some(due)
}

struct Conditions {
    list: Vec<Value>,
    now: Time,
}

impl Conditions {
    fn get(&self, kind: &str) -> Option<&Value> {
        self.list.iter().find(|condition| condition["type"] == kind)
    }

    fn remove(&mut self, kind: &str) {
        self.list.retain(|condition| condition["type"] != kind);
    }

    /// Sets a condition unless it has this status and reason. Source: `SetDeploymentCondition`.
    fn set(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        if self.get(kind).is_some_and(|old| old["status"] == status && old["reason"] == reason) {
            return;
        }
        self.force(kind, status, reason, message);
    }

    fn force(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let since =
            self.get(kind).filter(|old| old["status"] == status).map(|old| old["lastTransitionTime"].clone());
        let since = since.unwrap_or_else(|| json!(self.now));
        self.remove(kind);
        self.list.push(json!({
            "type": kind, "status": status, "lastUpdateTime": self.now, "lastTransitionTime": since,
            "reason": reason, "message": message
        }));
    }
}

fn available_condition(deployment: &Deployment<'_>, available: i64, conditions: &mut Conditions) {
    if available >= deployment.replicas - deployment.unavailable {
        let message = "Deployment has minimum availability.";
        conditions.set("Available", "True", "MinimumReplicasAvailable", message);
    } else {
        let message = "Deployment does not have minimum availability.";
        conditions.set("Available", "False", "MinimumReplicasUnavailable", message);
    }
}

/// Source: `checkPausedConditions`, `syncRolloutStatus`, `getNewReplicaSet`.
fn progress(deployment: &Deployment<'_>, status: &Value, conditions: &mut Conditions) {
    if deployment.progress_deadline.is_none() {
        conditions.remove("Progressing");
        return;
    }
    let reason =
        conditions.get("Progressing").map(|old| old["reason"].as_str().unwrap_or_default().to_owned());
    if reason.as_deref() != Some("ProgressDeadlineExceeded") {
        match (deployment.paused, reason.as_deref() == Some("DeploymentPaused")) {
            (true, false) => {
                conditions.set("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
            }
            (false, true) => {
                conditions.set("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
            }
            (true, true) | (false, false) => {}
        }
    }
    if deployment.paused {
        return;
    }
    found(deployment, conditions);
    let done = status["replicas"] == status["updatedReplicas"]
        && reason.as_deref() == Some("NewReplicaSetAvailable");
    if done {
        return;
    }
    if is_complete(deployment) {
        let message = format!("{} has successfully progressed.", subject(deployment));
        conditions.set("Progressing", "True", "NewReplicaSetAvailable", &message);
    } else if has_progressed(deployment.object, status) {
        let message = format!("{} is progressing.", subject(deployment));
        conditions.force("Progressing", "True", "ReplicaSetUpdated", &message);
    } else if is_late(deployment, conditions) {
        let message = format!("{} has timed out progressing.", subject(deployment));
        conditions.set("Progressing", "False", "ProgressDeadlineExceeded", &message);
    }
}

/// A new ReplicaSet is progress of its own.
fn found(deployment: &Deployment<'_>, conditions: &mut Conditions) {
    match (&deployment.new, conditions.get("Progressing")) {
        (Some(new), None) => {
            let fresh = new.count("replicas") == 0;
            let name = new.object.name();
            let (reason, message) = if fresh {
                ("NewReplicaSetCreated", format!("Created new replica set {name:?}"))
            } else {
                ("FoundNewReplicaSet", format!("Found new replica set {name:?}"))
            };
            conditions.set("Progressing", "True", reason, &message);
        }
        (None, Some(old))
            if old["reason"] == "NewReplicaSetAvailable" && !deployment.object.is_deleting() =>
        {
            // The template has changed: its ReplicaSet is about to be made, and the deadline starts anew.
            let message = format!("{} is progressing.", subject(deployment));
            conditions.force("Progressing", "True", "ReplicaSetUpdated", &message);
        }
        _ => {}
    }
}

fn subject(deployment: &Deployment<'_>) -> String {
    match &deployment.new {
        Some(new) => format!("ReplicaSet {:?}", new.object.name()),
        None => format!("Deployment {:?}", deployment.object.name()),
    }
}

/// Source: `DeploymentProgressing`.
fn has_progressed(object: &Object, status: &Value) -> bool {
    let old = |field: &str| object.int(&["status", field]).unwrap_or_default();
    let new = |field: &str| status[field].as_i64().unwrap_or_default();
    new("updatedReplicas") > old("updatedReplicas")
        || new("replicas") - new("updatedReplicas") < old("replicas") - old("updatedReplicas")
        || new("readyReplicas") > old("readyReplicas")
        || new("availableReplicas") > old("availableReplicas")
}

/// Source: `DeploymentTimedOut`.
fn is_late(deployment: &Deployment<'_>, conditions: &Conditions) -> bool {
    let (Some(deadline), Some(old)) = (deployment.progress_deadline, conditions.get("Progressing")) else {
        return false;
    };
    match old["reason"].as_str() {
        Some("NewReplicaSetAvailable") => false,
        Some("ProgressDeadlineExceeded") => true,
        _ => {
            let since = old["lastUpdateTime"].as_str().and_then(|text| Time::parse(text).ok());
            since.is_some_and(|since| since.after(deadline) < conditions.now)
        }
    }
}

/// Shows the first refusal that a ReplicaSet met.
fn failure(deployment: &Deployment<'_>, conditions: &mut Conditions) {
    let sets: Vec<&Set> = deployment.new.iter().chain(&deployment.old).collect();
    let mut failures = sets.iter().filter_map(|set| set.object.condition("ReplicaFailure"));
    match failures.next() {
        Some(failure) => conditions.set("ReplicaFailure", "True", &failure.reason, &failure.message),
        None => conditions.remove("ReplicaFailure"),
    }
}

/// Returns the status of a Deployment whose new ReplicaSet was refused.
pub(super) fn with_failed_create(object: &Object, message: &str, now: Time) -> Value {
    let mut conditions = Conditions { list: object.items(&["status", "conditions"]).to_vec(), now };
    conditions.set("Progressing", "False", "ReplicaSetCreateError", message);
    let mut status = object.get(&["status"]).cloned().unwrap_or_else(|| json!({}));
    status["conditions"] = conditions.list.into();
    status
}
