//! The annotation of client-side apply, which `kubectl apply --server-side` takes over and keeps up to date.

use serde_json::Value;

use super::owners::Ownership;
use crate::fields::Set;
use crate::fields::wire::go_json;
use crate::typed;

/// The manager for which the annotation is looked at.
pub const KUBECTL: &str = "kubectl";
const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The most bytes all annotations of an object may have.
const MAX_ANNOTATIONS: usize = 256 * 1024;

fn annotation(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"][ANNOTATION].as_str().filter(|text| !text.is_empty())
}

/// The fields that client-side apply set and that are still so; `None` without a usable annotation.
pub fn unchanged_fields(live: &Value, at: Ownership<'_>) -> Option<Set> {
    let applied: Value = serde_json::from_str(annotation(live)?).ok()?;
    if applied["apiVersion"] != at.api_version {
        return None;
    }
    let compared = typed::compare(at.schema, at.ty, &applied, live).ok()?;
    let set = typed::field_set(at.schema, at.ty, &applied);
    Some(set.difference(&compared.modified).difference(&compared.added).difference(&compared.removed))
}

/// Brings the annotation up to date, if there is one.
pub fn renew(object: &mut Value, applied: &Value) {
    if annotation(object).is_none() {
        return;
    }
    let mut config = applied.clone();
    if let Some(Value::Object(annotations)) = config.pointer_mut("/metadata/annotations") {
        annotations.remove(ANNOTATION);
    }
    let text = format!("{}\n", go_json(&sorted(config)));
    let Some(Value::Object(annotations)) = object.pointer_mut("/metadata/annotations") else { return };
    annotations.insert(ANNOTATION.to_owned(), Value::String(text));
    let size: usize =
        annotations.iter().map(|(key, value)| key.len() + value.as_str().unwrap_or_default().len()).sum();
    if size > MAX_ANNOTATIONS {
        annotations.remove(ANNOTATION);
    }
}

/// With the keys of every object in order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
