//! The status of a pod, computed from what its containers do. Pure.

use std::net::Ipv4Addr;

use object::{ConditionStatus, Object, Time, Value, json};

mod conditions;
mod phase;

#[cfg(test)]
use phase::Phase;
use phase::phase;

/// Address of the node.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// How a container's run ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ended {
    /// Exit code; 128 + signal when a signal ended it.
    pub code: i32,
    /// Word for people: `Completed`, `Error`, `StartError` …
    pub reason: String,
    /// Sentence for people, empty for none.
    pub message: String,
    pub started: Time,
    pub finished: Time,
    pub container_id: String,
}

/// What a container does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// Not running now; with a reason and a message.
    Waiting(String, String),
    /// Running since.
    Running(Time),
    /// Ended for good, or until it is restarted.
    Ended(Ended),
}

impl State {
    /// Returns the state of waiting for `reason`, without a message.
    pub(crate) fn waiting(reason: &str) -> Self {
        Self::Waiting(reason.to_owned(), String::new())
    }
}

/// A container and what it does.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the API calls it containerID")]
pub(crate) struct Container {
    pub name: String,
    pub image: String,
    pub image_id: String,
    pub container_id: String,
    pub state: State,
    /// How the run before the present one ended.
    pub last: Option<Ended>,
    pub restarts: u32,
    /// The start-up probe has succeeded, or there is none and it runs.
    pub started: bool,
    pub ready: bool,
}

impl Container {
    /// Returns a container of the pod's spec that has not run yet.
    pub(crate) fn new(spec: &Value, reason: &str) -> Self {
        Self {
            name: spec["name"].as_str().unwrap_or_default().to_owned(),
            image: spec["image"].as_str().unwrap_or_default().to_owned(),
            image_id: String::new(),
            container_id: String::new(),
            state: State::waiting(reason),
            last: None,
            restarts: 0,
            started: false,
            ready: false,
        }
    }

    /// Returns how the container ended, when it does not run.
    pub(crate) fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(ended) => Some(ended),
            State::Waiting(..) | State::Running(_) => None,
        }
    }
}

/// Everything that the status of a pod is computed from, beside the pod.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub ip: Option<Ipv4Addr>,
    pub start: Time,
    pub init: Vec<Container>,
    pub containers: Vec<Container>,
    /// Reason and message of a pod that was stopped as a whole, e.g. `DeadlineExceeded`.
    pub failed: Option<(String, String)>,
}

/// Returns the fields of `status` that this node keeps for `pod`. Source: kubelet `generateAPIPodStatus`.
pub(crate) fn status(pod: &Object, view: &View, now: Time) -> Value {
    let phase = phase(pod, view);
    let mut status = json!({
        "phase": phase.as_str(),
        "conditions": conditions::conditions(pod, view, (phase, now)),
        "hostIP": HOST, "hostIPs": [{"ip": HOST}],
        "startTime": view.start,
        "qosClass": qos_class(pod)
    });
    if pod.generation() > 0 {
        status["observedGeneration"] = pod.generation().into();
    }
    if let Some(ip) = view.ip {
        status["podIP"] = json!(ip);
        status["podIPs"] = json!([{"ip": ip}]);
    }
    if let Some((reason, message)) = &view.failed {
        status["reason"] = reason.as_str().into();
        status["message"] = message.as_str().into();
    }
    if !view.init.is_empty() {
        status["initContainerStatuses"] = view.init.iter().map(container).collect();
    }
    status["containerStatuses"] = view.containers.iter().map(container).collect();
    status
}

/// Returns true when `pod` shows each field of `status` already.
pub(crate) fn is_shown(pod: &Object, status: &Value) -> bool {
    let fields = status.as_object().into_iter().flatten();
    fields
        .into_iter()
        .all(|(field, value)| pod.get(&["status", field]).is_some_and(|shown| same(shown, value)))
}

/// Equality in which an absent field and a null one are the same.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let covers = |one: &object::Map<String, Value>, other: &object::Map<String, Value>| {
                one.iter().all(|(key, value)| same(value, other.get(key).unwrap_or(&Value::Null)))
            };
            covers(left, right) && covers(right, left)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        _ => left == right,
    }
}

fn container(container: &Container) -> Value {
    let mut status = json!({
        "name": container.name, "image": container.image, "imageID": container.image_id,
        "state": state(&container.state), "lastState": {},
        "restartCount": container.restarts, "ready": container.ready, "started": container.started
    });
    if !container.container_id.is_empty() {
        status["containerID"] = container.container_id.as_str().into();
    }
    if let Some(last) = &container.last {
        status["lastState"] = json!({"terminated": ended(last)});
    }
    status
}

fn state(state: &State) -> Value {
    match state {
        State::Waiting(reason, message) if message.is_empty() => json!({"waiting": {"reason": reason}}),
        State::Waiting(reason, message) => json!({"waiting": {"reason": reason, "message": message}}),
        State::Running(since) => json!({"running": {"startedAt": since}}),
        State::Ended(end) => json!({"terminated": ended(end)}),
    }
}

fn ended(ended: &Ended) -> Value {
    let mut value = json!({
        "exitCode": ended.code, "reason": ended.reason, "startedAt": ended.started, "finishedAt": ended.finished
    });
    if !ended.message.is_empty() {
        value["message"] = ended.message.as_str().into();
    }
    if !ended.container_id.is_empty() {
        value["containerID"] = ended.container_id.as_str().into();
    }
    value
}

/// Returns the class that the API server has set, or computes it. Source: `qos.ComputePodQOS`.
fn qos_class(pod: &Object) -> String {
    if !pod.str(&["status", "qosClass"]).is_empty() {
        return pod.str(&["status", "qosClass"]).to_owned();
    }
    let containers = pod.items(&["spec", "containers"]).iter().chain(pod.items(&["spec", "initContainers"]));
    let (mut any, mut all) = (false, true);
    for container in containers {
        let (requests, limits) = (&container["resources"]["requests"], &container["resources"]["limits"]);
        for resource in ["cpu", "memory"] {
            any |= !requests[resource].is_null() || !limits[resource].is_null();
            all &= !limits[resource].is_null()
                && (requests[resource].is_null() || requests[resource] == limits[resource]);
        }
    }
    match (any, all) {
        (false, _) => "BestEffort".into(),
        (true, true) => "Guaranteed".into(),
        (true, false) => "Burstable".into(),
    }
}

/// Returns a condition entry; the time of the last change is kept while the status stays.
pub(crate) fn transition(
    pod: &Object,
    kind: &str,
    status: ConditionStatus,
    reason: (&str, &str),
    now: Time,
) -> Value {
    let old = pod.items(&["status", "conditions"]).iter().find(|old| old["type"] == kind);
    let kept = old.filter(|old| old["status"] == json!(status)).map(|old| old["lastTransitionTime"].clone());
    let mut entry = json!({
        "type": kind, "status": status, "lastProbeTime": null,
        "lastTransitionTime": kept.filter(|time| !time.is_null()).unwrap_or_else(|| json!(now))
    });
    if pod.generation() > 0 {
        entry["observedGeneration"] = pod.generation().into();
    }
    if !reason.0.is_empty() {
        entry["reason"] = reason.0.into();
    }
    if !reason.1.is_empty() {
        entry["message"] = reason.1.into();
    }
    entry
}

#[cfg(test)]
mod tests;
