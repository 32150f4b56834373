//! What a pass writes: merge patches of the Application, with only what changed.

use api::application::{Application, ApplicationStatus, REFRESH_ANNOTATION, to_value};
use object::{Object, Time, Value, json};
use patch::merge;
use sync::{Deletion, Refresh, Step};

/// Returns the patch after a comparison; `None` when nothing changed.
pub fn refreshed(app: &Application, refresh: &Refresh) -> Option<Value> {
    let mut patch = status(app, &refresh.status);
    if let Some(operation) = &refresh.operation {
        set(&mut patch, "operation", to_value(operation.as_ref()));
    }
    if refresh.answered {
        metadata(&mut patch)["annotations"] = json!({REFRESH_ANNOTATION: null});
    }
    if let Some(finalizers) = &refresh.finalizers {
        metadata(&mut patch)["finalizers"] = json!(finalizers);
    }
    patch
}

/// Returns the patch after a pass of an operation; `None` when nothing changed.
pub fn stepped(app: &Application, step: &Step) -> Option<Value> {
    let mut patch = status(app, &step.status);
    if step.done && app.operation.is_some() {
        set(&mut patch, "operation", Value::Null);
    }
    patch
}

/// Returns the patch after a pass of a deletion; `None` when no finalizer comes off and nothing is to be told.
pub fn released(app: &Application, deletion: &Deletion) -> Option<Value> {
    let mut patch = None;
    if app.object.finalizers().len() != deletion.finalizers.len() {
        metadata(&mut patch)["finalizers"] = json!(deletion.finalizers);
    }
    if app.status.conditions != deletion.conditions {
        set(&mut patch, "status", json!({"conditions": to_value(&deletion.conditions)}));
    }
    patch
}

/// Returns the patch that tells of an Application that cannot be read; `None` when it tells so already. What it is in sync
/// with and whether it is healthy is unknown then, as with any spec that cannot be acted on; the rest of the status stays.
pub fn mistyped(object: &Object, message: &str, now: Time) -> Option<Value> {
    let is_of_spec = |condition: &&Value| condition["type"] == "InvalidSpecError";
    let conditions = object.items(&["status", "conditions"]);
    if conditions.iter().any(|condition| is_of_spec(&condition) && condition["message"] == message) {
        return None;
    }
    let told = json!({"type": "InvalidSpecError", "message": message, "lastTransitionTime": now.to_string()});
    let others = conditions.iter().filter(|condition| !is_of_spec(condition)).cloned();
    let all: Vec<Value> = std::iter::once(told).chain(others).collect();
    let unknown = json!({"status": "Unknown"});
    Some(json!({"status": {"conditions": all, "sync": unknown, "health": unknown}}))
}

fn status(app: &Application, new: &ApplicationStatus) -> Option<Value> {
    let old = app.object.get(&["status"]).cloned().unwrap_or_else(|| json!({}));
    merge::diff(&old, &to_value(new)).map(|status| json!({"status": status}))
}

fn metadata(patch: &mut Option<Value>) -> &mut Value {
    &mut patch.get_or_insert_with(|| json!({}))["metadata"]
}

fn set(patch: &mut Option<Value>, field: &str, value: Value) {
    patch.get_or_insert_with(|| json!({}))[field] = value;
}
