//! `metadata`: what the server sets, keeps and checks for every kind.

use serde_json::{Value, json};

use crate::call::Call;
use crate::status::{Failure, Outcome};

/// Sets what a new object gets: uid, creation time, generated name.
pub(crate) fn begin(call: &Call, object: &mut Value) {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"] {
        metadata.remove(field);
    }
    metadata.insert("uid".into(), call.api.random.uid().into());
    metadata.insert("creationTimestamp".into(), call.now().into());
    let named = metadata.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    if let (false, Some(base)) = (named, metadata.get("generateName").and_then(Value::as_str)) {
        let base: String = base.chars().take(58).collect();
        let name = format!("{base}{}", call.api.random.suffix());
        metadata.insert("name".into(), name.into());
    }
}

/// Keeps what only the server may change.
pub(crate) fn keep(before: &Value, after: &mut Value) {
    if !after["metadata"].is_object() {
        after["metadata"] = json!({});
    }
    let fields = [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "generateName",
    ];
    let Some(metadata) = after["metadata"].as_object_mut() else { return };
    metadata.remove("selfLink");
    for field in fields {
        match before["metadata"].get(field) {
            Some(value) => metadata.insert(field.into(), value.clone()),
            None => metadata.remove(field),
        };
    }
}

/// Returns whether nothing changed but the times in `managedFields`.
pub(crate) fn same(before: &Value, after: &Value) -> bool {
    timeless(before) == timeless(after)
}

fn timeless(object: &Value) -> Value {
    let mut object = object.clone();
    let entries = object["metadata"]["managedFields"].as_array_mut();
    for entry in entries.into_iter().flatten() {
        if let Some(map) = entry.as_object_mut() {
            map.remove("time");
        }
    }
    object
}

/// Returns whether an object that is being deleted has nothing more to wait for.
pub(crate) fn is_finished(object: &Value) -> bool {
    let metadata = &object["metadata"];
    let finalizers = metadata["finalizers"].as_array().is_some_and(|list| !list.is_empty());
    let content = object["kind"] == "Namespace"
        && object["apiVersion"] == "v1"
        && object["spec"]["finalizers"].as_array().is_some_and(|list| !list.is_empty());
    let grace = metadata["deletionGracePeriodSeconds"].as_i64().unwrap_or_default();
    metadata["deletionTimestamp"].is_string() && grace == 0 && !finalizers && !content
}

/// Refuses what would be created in a namespace that is not there or is going.
pub(crate) fn check_namespace(call: &Call, object: &Value) -> Outcome<()> {
    let kind = call.kind();
    if !kind.namespaced || kind.plural.ends_with("reviews") {
        return Ok(());
    }
    let namespaces = crate::kinds::find("", "v1", "namespaces");
    let Some(namespaces) = namespaces else { return Ok(()) };
    let name = &call.target.namespace;
    let Some(entry) = call.api.store.get(&namespaces.key("", name)) else {
        return Err(Failure::not_found(&namespaces, name));
    };
    let namespace = crate::stored::read(&namespaces, &entry);
    if !namespace["metadata"]["deletionTimestamp"].is_string() {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {name} because it is being terminated");
    let cause = json!([{
        "reason": "NamespaceTerminating", "message": format!("namespace {name} is being terminated"), "field": "metadata.namespace",
    }]);
    let object_name = object["metadata"]["name"].as_str().unwrap_or_default();
    Err(Failure::forbidden(kind, object_name, why).with("causes", cause))
}

/// Refuses objects larger than the store takes.
pub(crate) fn check_size(call: &Call, size: usize) -> Outcome<()> {
    let limit = call.api.config.limits.object;
    if size <= limit {
        return Ok(());
    }
    let message = format!("Request entity too large: the object has {size} bytes, the limit is {limit}");
    Err(Failure::new(413, "RequestEntityTooLarge", message).with("", Value::Null))
}
