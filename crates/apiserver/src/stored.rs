//! Objects as they are in the store, and as they are shown.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use store::Entry;

use crate::kinds::Kind;

/// Returns the object of an entry, in the version of `kind`.
pub(crate) fn read(kind: &Kind, entry: &Entry) -> Value {
    read_at(kind, &entry.value, entry.modified)
}

/// Returns the object in `bytes` with this `resourceVersion`.
pub(crate) fn read_at(kind: &Kind, bytes: &Bytes, revision: u64) -> Value {
    let mut value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    if kind.is_new_event() {
        value = to_new_event(value);
    }
    value["apiVersion"] = kind.api_version().into();
    value["kind"] = kind.kind.clone().into();
    value["metadata"]["resourceVersion"] = revision.to_string().into();
    if let Some(custom) = &kind.custom {
        custom.complete(&mut value);
    }
    value
}

/// Returns the bytes to store: without what only the store knows.
pub(crate) fn write(kind: &Kind, object: &Value) -> Bytes {
    let mut value = object.clone();
    if kind.is_new_event() {
        value = to_old_event(value);
    }
    if let Some(metadata) = value["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
        metadata.remove("selfLink");
    }
    Bytes::from(value.to_string())
}

/// The same of an Event in the core group and in `events.k8s.io`.
const EVENT_FIELDS: [(&str, &str); 6] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

const EVENT_CONTROLLERS: [(&str, &str); 2] =
    [("reportingComponent", "reportingController"), ("reportingInstance", "reportingInstance")];

fn renamed(value: Value, names: impl Fn(&str) -> Option<&'static str>) -> Map<String, Value> {
    let Value::Object(map) = value else { return Map::new() };
    let rename = |key: String| names(&key).map_or(key, str::to_owned);
    map.into_iter().map(|(key, value)| (rename(key), value)).collect()
}

fn to_new_event(value: Value) -> Value {
    let pairs = || EVENT_FIELDS.iter().chain(&EVENT_CONTROLLERS);
    let mut map = renamed(value, |key| pairs().find(|(old, _)| *old == key).map(|(_, new)| *new));
    map.remove("reportingController")
        .filter(|name| name != "")
        .map(|name| map.insert("reportingController".into(), name));
    map.remove("reportingInstance")
        .filter(|name| name != "")
        .map(|name| map.insert("reportingInstance".into(), name));
    map.entry("eventTime").or_insert(Value::Null);
    map.into()
}

fn to_old_event(value: Value) -> Value {
    let pairs = || EVENT_FIELDS.iter().chain(&EVENT_CONTROLLERS);
    let mut map = renamed(value, |key| pairs().find(|(_, new)| *new == key).map(|(old, _)| *old));
    for name in ["reportingComponent", "reportingInstance"] {
        map.entry(name).or_insert(json!(""));
    }
    for name in ["firstTimestamp", "lastTimestamp", "eventTime"] {
        map.entry(name).or_insert(Value::Null);
    }
    map.entry("source").or_insert(json!({}));
    map.insert("apiVersion".into(), json!("v1"));
    map.into()
}
