//! What the controllers read from pods, and pods made of templates.

use std::time::Duration;

use object::{ConditionStatus, Object, OwnerReference, Time, Value, json};

/// Returns `status.phase`, `Pending` while there is none.
pub fn phase(pod: &Object) -> &str {
    match pod.str(&["status", "phase"]) {
        "" => "Pending",
        phase => phase,
    }
}

/// Returns true when the pod has ended, well or not.
pub fn is_finished(pod: &Object) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Returns true when the pod counts: neither ended nor being deleted. Source: `controller.IsPodActive`.
pub fn is_active(pod: &Object) -> bool {
    !is_finished(pod) && !pod.is_deleting()
}

/// Returns since when the pod is ready, `None` when it is not.
pub fn ready_since(pod: &Object) -> Option<Time> {
    let conditions = pod.items(&["status", "conditions"]);
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
    if ready["status"] != "True" {
        return None;
    }
    let since = ready["lastTransitionTime"].as_str().and_then(|text| Time::parse(text).ok());
    Some(since.or_else(|| pod.creation_time()).unwrap_or(Time::from_unix(0)))
}

/// Returns true when the pod is ready.
pub fn is_ready(pod: &Object) -> bool {
    ready_since(pod).is_some()
}

/// Returns when the pod is available: ready for `min_ready`. `None` when it is not ready.
///
/// Source: `podutil.IsPodAvailable`.
pub fn available_at(pod: &Object, min_ready: Duration) -> Option<Time> {
    ready_since(pod).map(|since| since.after(min_ready))
}

/// Returns the highest restart count of the pod's containers.
pub fn restarts(pod: &Object) -> i64 {
    let containers = pod.items(&["status", "containerStatuses"]);
    containers.iter().filter_map(|container| container["restartCount"].as_i64()).max().unwrap_or_default()
}

/// Returns how often the pod's containers were restarted, all together.
pub fn all_restarts(pod: &Object) -> i64 {
    let lists = ["initContainerStatuses", "containerStatuses"];
    let statuses = lists.iter().flat_map(|list| pod.items(&["status", list]));
    statuses.filter_map(|container| container["restartCount"].as_i64()).sum()
}

/// Returns the condition `kind` of `owner` as a fresh JSON entry in the order upstream writes it.
pub fn condition(kind: &str, status: ConditionStatus, reason: &str, message: &str, now: Time) -> Value {
    let mut entry = json!({"type": kind, "status": status, "lastTransitionTime": now});
    if !reason.is_empty() {
        entry["reason"] = reason.into();
    }
    if !message.is_empty() {
        entry["message"] = message.into();
    }
    entry
}

/// Returns a pod made of `spec.template` of `owner`, owned by it, with a name to be generated from the owner's.
///
/// Source: `controller.GetPodFromTemplate`.
pub fn from_template(owner: &Object) -> Object {
    let template = owner.get(&["spec", "template"]).cloned().unwrap_or_default();
    let mut pod = Object::from_value(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"generateName": prefix(owner.name()), "namespace": owner.namespace()},
        "spec": template["spec"]
    }));
    for field in ["labels", "annotations", "finalizers"] {
        if !template["metadata"][field].is_null() {
            pod.set(&["metadata", field], template["metadata"][field].clone());
        }
    }
    pod.set(&["metadata", "ownerReferences"], json!([owner.controller_reference()]));
    pod
}

/// Generated names have room for five more characters within 63.
fn prefix(name: &str) -> String {
    let end = name.len().min(57);
    format!("{}-", name.get(..end).unwrap_or(name))
}

/// Returns the owner references of `pod` with `owner` added as its controller.
pub fn adopted_owners(pod: &Object, owner: &Object) -> Vec<OwnerReference> {
    let mut owners = pod.owners();
    owners.push(owner.controller_reference());
    owners
}
