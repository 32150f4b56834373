//! What is particular to kinds when they are written: fields that only the server sets, generations, checks.
//!
//! **Source:** `pkg/registry/*/*/strategy.go`.

mod allocate;
mod endpoints;
mod immutable;
mod names;
mod pods;
mod spec;
mod workloads;

use serde_json::{Value, json};

use crate::call::Call;
use crate::field::FieldError;
use crate::kinds::Kind;
use crate::status::Outcome;

/// Built-in kinds with a generation that their spec drives.
const GENERATIONS: &[&str] = &[
    "/pods",
    "/replicationcontrollers",
    "apps/deployments",
    "apps/replicasets",
    "apps/statefulsets",
    "apps/daemonsets",
    "batch/jobs",
    "batch/cronjobs",
    "policy/poddisruptionbudgets",
    "networking.k8s.io/ingresses",
    "networking.k8s.io/ingressclasses",
    "networking.k8s.io/networkpolicies",
    "apiextensions.k8s.io/customresourcedefinitions",
    "discovery.k8s.io/endpointslices",
    "scheduling.k8s.io/priorityclasses",
];

/// Kinds of which a client may not replace an object without saying its version.
const CONDITIONAL: &[&str] = &[
    "apiextensions.k8s.io/customresourcedefinitions",
    "coordination.k8s.io/leases",
    "policy/poddisruptionbudgets",
];

/// Returns whether PUT needs a `resourceVersion`.
pub(crate) fn needs_version(kind: &Kind) -> bool {
    kind.custom.is_some() || CONDITIONAL.contains(&kind.id().as_str())
}

fn has_generation(kind: &Kind) -> bool {
    kind.custom.is_some() || GENERATIONS.contains(&kind.id().as_str())
}

/// Completes an object that is to be created.
pub(crate) fn before_create(call: &Call, object: &mut Value) -> Outcome<()> {
    let kind = call.kind();
    if has_generation(kind) {
        object["metadata"]["generation"] = json!(1);
    }
    if kind.has_status() && !matches!(kind.id().as_str(), "/nodes" | "/namespaces") {
        reset_status(kind, object);
    }
    match kind.id().as_str() {
        "/pods" => pods::before_create(object),
        "/namespaces" => before_namespace(object),
        "/persistentvolumeclaims" => before_claim(object),
        "/nodes" => before_node(object),
        "/services" => allocate::service(call, object, None)?,
        "batch/jobs" => workloads::job(object),
        "apiextensions.k8s.io/customresourcedefinitions" => {
            crate::crd::before_write(object, None);
        }
        _ => {}
    }
    without_empty_lists(kind, object);
    Ok(())
}

/// What upstream keeps went through protobuf, which knows no empty lists.
fn without_empty_lists(kind: &Kind, object: &mut Value) {
    fn settle(value: &mut Value) {
        match value {
            Value::Array(items) if items.is_empty() => *value = Value::Null,
            Value::Array(items) => items.iter_mut().for_each(settle),
            Value::Object(map) => map.values_mut().for_each(settle),
            _ => {}
        }
    }
    let any = ["customresourcedefinitions", "controllerrevisions"].contains(&kind.plural.as_str());
    if kind.custom.is_none() && !any {
        settle(object);
    }
}

/// The status of a new object is what an empty one has.
fn reset_status(kind: &Kind, object: &mut Value) {
    let Some(map) = object.as_object_mut() else { return };
    map.remove("status");
    let name = crate::go::struct_of(&kind.group, &kind.version, &kind.kind);
    let blank = name.and_then(|name| crate::go::decode(&name, &json!({})).ok());
    let status = blank.map_or(Value::Null, |read| read.value["status"].clone());
    if let (None, false) = (&kind.custom, status.is_null()) {
        map.insert("status".into(), status);
    }
}

/// **Source:** the admission plugin StorageObjectInUseProtection.
fn before_claim(object: &mut Value) {
    let mut finalizers = object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let own = json!("kubernetes.io/pvc-protection");
    if !finalizers.contains(&own) {
        finalizers.push(own);
    }
    object["metadata"]["finalizers"] = finalizers.into();
    object["status"] = json!({ "phase": "Pending" });
}

fn before_node(object: &mut Value) {
    let capacity = object["status"]["capacity"].clone();
    if capacity.is_object() && object["status"]["allocatable"].is_null() {
        object["status"]["allocatable"] = capacity;
    }
}

fn before_namespace(object: &mut Value) {
    let finalizers = object["spec"]["finalizers"].as_array().cloned().unwrap_or_default();
    if !finalizers.contains(&json!("kubernetes")) {
        let mut all = finalizers;
        all.push(json!("kubernetes"));
        object["spec"]["finalizers"] = all.into();
    }
    object["status"] = json!({ "phase": "Active" });
    if let Some(name) = object["metadata"]["name"].as_str().map(str::to_owned) {
        object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name.into();
    }
}

/// Undoes in `after` what the request may not change: the status, or everything but the status.
pub(crate) fn isolate(call: &Call, before: &Value, after: &mut Value) {
    let kind = call.kind();
    let Some(map) = after.as_object_mut() else { return };
    match call.target.subresource.as_str() {
        "" if kind.has_status() => keep(before, map, "status"),
        "" | "finalize" if kind.id() == "/namespaces" => keep(before, map, "status"),
        "status" => {
            let others: Vec<String> = map.keys().filter(|key| is_spec(key)).cloned().collect();
            others.iter().for_each(|key| keep(before, map, key));
            for key in
                before.as_object().into_iter().flat_map(serde_json::Map::keys).filter(|key| is_spec(key))
            {
                keep(before, map, key);
            }
            status_metadata(kind, before, after);
        }
        _ => {}
    }
    if kind.id() == "/namespaces" && call.target.subresource.is_empty() {
        let finalizers = before["spec"]["finalizers"].clone();
        if finalizers.is_array() {
            after["spec"]["finalizers"] = finalizers;
        }
    }
}

fn is_spec(key: &str) -> bool {
    !matches!(key, "status" | "metadata" | "apiVersion" | "kind")
}

fn keep(before: &Value, map: &mut serde_json::Map<String, Value>, key: &str) {
    match before.get(key) {
        Some(value) => map.insert(key.to_owned(), value.clone()),
        None => map.remove(key),
    };
}

/// A write to the status of a custom resource leaves its metadata; of a built-in kind, the labels or owners.
fn status_metadata(kind: &Kind, before: &Value, after: &mut Value) {
    let fields: &[&str] = match (kind.custom.is_some(), kind.group.as_str(), kind.plural.as_str()) {
        (true, ..) => &["labels", "annotations", "finalizers", "ownerReferences"],
        (_, "apps", "deployments") => &["labels"],
        (_, "", "pods") => &["ownerReferences"],
        _ => &[],
    };
    let Some(map) = after["metadata"].as_object_mut() else { return };
    fields.iter().for_each(|field| keep(&before["metadata"], map, field));
}

/// Completes an object that is to replace another.
pub(crate) fn before_update(call: &Call, before: &Value, after: &mut Value) -> Outcome<()> {
    let kind = call.kind();
    match kind.id().as_str() {
        "/services" if call.target.subresource.is_empty() => allocate::service(call, after, Some(before))?,
        "/namespaces" => before_namespace_update(after),
        "/pods" => pods::before_update(before, after),
        "apiextensions.k8s.io/customresourcedefinitions" if call.target.subresource.is_empty() => {
            crate::crd::before_write(after, Some(before));
        }
        _ => {}
    }
    without_empty_lists(kind, after);
    let bound = call.target.subresource == "binding";
    if has_generation(kind) && !bound && drives(kind, before) != drives(kind, after) {
        let generation = before["metadata"]["generation"].as_i64().unwrap_or_default();
        after["metadata"]["generation"] = json!(generation + 1);
    }
    Ok(())
}

fn before_namespace_update(after: &mut Value) {
    if let Some(name) = after["metadata"]["name"].as_str().map(str::to_owned) {
        after["metadata"]["labels"]["kubernetes.io/metadata.name"] = name.into();
    }
}

/// What of an object makes a new generation when it changes.
fn drives(kind: &Kind, object: &Value) -> Value {
    let mut all = object.clone();
    let Some(map) = all.as_object_mut() else { return Value::Null };
    match kind.id().as_str() {
        "apps/deployments" => return json!([object["spec"], object["metadata"]["annotations"]]),
        "discovery.k8s.io/endpointslices" => {
            let labels = object["metadata"]["labels"].clone();
            map.insert("labels".into(), labels);
        }
        _ => {}
    }
    map.remove("metadata");
    map.remove("apiVersion");
    if kind.has_status() {
        map.remove("status");
    }
    all
}

/// Returns what is wrong with an object, given what it replaces.
pub(crate) fn validate(call: &Call, object: &Value, before: Option<&Value>) -> Vec<FieldError> {
    let kind = call.kind();
    let mut errors = names::metadata(kind, object);
    match &kind.custom {
        Some(custom) => errors.extend(custom.validate(object)),
        None if call.target.subresource.is_empty() => {
            spec::check(kind, object, before, &mut errors);
            endpoints::check(kind, object, call.api.config.loopback_endpoints, &mut errors);
        }
        None => spec::status(kind, object, &mut errors),
    }
    if let Some(before) = before {
        if call.target.subresource.is_empty() {
            immutable::check(kind, before, object, &mut errors);
        }
        if before["metadata"]["deletionTimestamp"].is_string() {
            immutable::finalizers(before, object, &mut errors);
        }
    }
    if kind.plural == "customresourcedefinitions" {
        errors.extend(crate::crd::validate_definition(object, before));
    }
    errors
}
