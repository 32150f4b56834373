//! Pods.

use object::{Object, Value};

use crate::builtin::is_true;
use crate::{Health, Status, is_hook};

/// Returns the health of a Pod.
///
/// Source: Argo CD `getCorev1PodHealth`. A Pod that ends by itself (restartPolicy other than Always) is only Healthy
/// once it has succeeded, unless it is annotated `ignore-restart-policy: "true"` and is not a hook.
pub fn pod(object: &Object) -> Health {
    let serves = serves(object);
    if serves && let Some(message) = stuck(object) {
        return Health::new(Status::Degraded, message);
    }
    let message = object.str(&["status", "message"]);
    match object.str(&["status", "phase"]) {
        "Succeeded" => Health::new(Status::Healthy, message),
        "Failed" => Health::new(Status::Degraded, failure(object)),
        "Running" if serves && is_true(object, "Ready") => Health::new(Status::Healthy, message),
        "Running" if serves && has_died(object) => Health::new(Status::Degraded, message),
        "Pending" | "Running" => Health::new(Status::Progressing, message),
        _ => Health::new(Status::Unknown, message),
    }
}

fn serves(object: &Object) -> bool {
    let ignores =
        object.annotation("argocd.argoproj.io/ignore-restart-policy") == Some("true") && !is_hook(object);
    object.str(&["spec", "restartPolicy"]) == "Always" || ignores
}

fn statuses(object: &Object) -> &[Value] {
    object.items(&["status", "containerStatuses"])
}

/// Returns the messages of containers that wait because of an error.
fn stuck(object: &Object) -> Option<String> {
    let messages: Vec<&str> = statuses(object)
        .iter()
        .filter_map(|status| {
            let waiting = status.get("state")?.get("waiting")?;
            let reason = waiting.get("reason")?.as_str()?;
            let bad = reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff");
            bad.then(|| waiting["message"].as_str().unwrap_or_default())
        })
        .collect();
    (!messages.is_empty()).then(|| messages.join(", "))
}

fn has_died(object: &Object) -> bool {
    statuses(object).iter().any(|status| status["lastState"]["terminated"].is_object())
}

/// Returns why a failed Pod failed: its own message, else the first container that tells something.
fn failure(object: &Object) -> String {
    let message = object.str(&["status", "message"]);
    if !message.is_empty() {
        return message.to_owned();
    }
    let mut all = object.items(&["status", "initContainerStatuses"]).iter().chain(statuses(object));
    all.find_map(container_failure).unwrap_or_default()
}

fn container_failure(status: &Value) -> Option<String> {
    let terminated = status.get("state")?.get("terminated")?;
    let text = |field: &str| terminated[field].as_str().unwrap_or_default();
    if !text("message").is_empty() {
        return Some(text("message").to_owned());
    }
    if text("reason") == "OOMKilled" {
        return Some("OOMKilled".to_owned());
    }
    let code = terminated["exitCode"].as_i64().unwrap_or_default();
    let name = status["name"].as_str().unwrap_or_default();
    (code != 0).then(|| format!("container {name:?} failed with exit code {code}"))
}
