//! What applying a target makes of a live object.

use object::{Object, Value};
use patch::apply::{ApplyOptions, Force};
use patch::schema::{Schema, TypeRef};

/// Field manager that targets are applied as.
pub const MANAGER: &str = "argocd-controller";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Returns `live` after applying `target`: by server-side apply where our manager has applied before, else by three-way
/// merge with the last-applied annotation, else by two-way merge.
pub fn predict(target: &Object, live: &Object) -> Object {
    let target = with_defaults(target, live);
    let schema = Schema::builtin();
    let gvk = live.gvk();
    let known = schema.type_of(&gvk.group, &gvk.version, &gvk.kind);
    let predicted = if is_applied(live) { server_side(&target, live, known.as_ref()) } else { None };
    let predicted = predicted.or_else(|| {
        let original = last_applied(live).unwrap_or_else(|| target.to_value());
        match &known {
            Some(ty) => strategic(&original, &target, live, (schema, ty)),
            None => Some(merged(&original, &target, live)),
        }
    });
    Object::from_value(predicted.unwrap_or_else(|| merged(&target.to_value(), &target, live)))
}

fn is_applied(live: &Object) -> bool {
    let entries = live.items(&["metadata", "managedFields"]);
    entries.iter().any(|entry| entry["manager"] == MANAGER && entry["operation"] == "Apply")
}

fn last_applied(live: &Object) -> Option<Value> {
    let value: Value = serde_json::from_str(live.annotation(LAST_APPLIED)?).ok()?;
    value.is_object().then_some(value)
}

fn server_side(target: &Object, live: &Object, known: Option<&TypeRef>) -> Option<Value> {
    let untyped = TypeRef::inline(patch::schema::Type::Untyped);
    let version = target.api_version().to_owned();
    let options = ApplyOptions {
        manager: MANAGER,
        force: Force::Yes,
        api_version: &version,
        subresource: None,
        now: "1970-01-01T00:00:00Z",
    };
    let applied = target.to_value();
    let ty = known.unwrap_or(&untyped);
    patch::apply::apply(Some(&live.to_value()), &applied, &options, Schema::builtin(), ty).ok()
}

fn strategic(
    original: &Value,
    target: &Object,
    live: &Object,
    (schema, ty): (&Schema, &TypeRef),
) -> Option<Value> {
    let mut value = live.to_value();
    let delta = patch::strategic::three_way(original, &target.to_value(), &value, schema, ty).ok()?;
    patch::strategic::apply(&mut value, &delta, schema, ty).ok()?;
    Some(value)
}

/// Three-way merge without a schema: lists are replaced whole.
fn merged(original: &Value, target: &Object, live: &Object) -> Value {
    let mut value = live.to_value();
    remove_missing(&mut value, original, &target.to_value());
    patch::merge::apply(&mut value, &target.to_value());
    value
}

/// Removes from `value` what `original` set and `target` no longer does.
fn remove_missing(value: &mut Value, original: &Value, target: &Value) {
    let (Value::Object(value), Value::Object(original)) = (value, original) else { return };
    for (key, before) in original {
        match (target.get(key), value.get_mut(key)) {
            (None, _) => {
                value.remove(key);
            }
            (Some(after), Some(value)) => remove_missing(value, before, after),
            (Some(_), None) => {}
        }
    }
}

/// Values the API server gives to fields that a target may leave out, where leaving them out would look like a change:
/// inside lists that are replaced whole.
const DEFAULTS: [(&str, &str); 12] = [
    ("apiGroup", "\"rbac.authorization.k8s.io\""),
    ("apiVersion", "\"v1\""),
    ("defaultMode", "420"),
    ("expirationSeconds", "3600"),
    ("kind", "\"PersistentVolumeClaim\""),
    ("mode", "420"),
    ("pathType", "\"ImplementationSpecific\""),
    ("protocol", "\"TCP\""),
    ("scheme", "\"HTTP\""),
    ("status", "{\"phase\":\"Pending\"}"),
    ("type", "\"\""),
    ("volumeMode", "\"Filesystem\""),
];

/// Returns `target` with the values in [`DEFAULTS`] that `live` has and it does not.
fn with_defaults(target: &Object, live: &Object) -> Object {
    let mut value = target.to_value();
    fill(&mut value, &live.to_value(), Place::Map);
    Object::from_value(value)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Map,
    List,
}

fn fill(target: &mut Value, live: &Value, place: Place) {
    match (target, live) {
        (Value::Object(target), Value::Object(live)) => {
            for (key, value) in live {
                match target.get_mut(key) {
                    Some(target) => fill(target, value, place),
                    None if place == Place::List && is_default(key, value) => {
                        target.insert(key.clone(), value.clone());
                    }
                    None => {}
                }
            }
        }
        (Value::Array(target), Value::Array(live)) => {
            for (at, item) in target.iter_mut().enumerate() {
                let same_place = live.get(at).filter(|other| is_part(item, other));
                if let Some(live) = same_place.or_else(|| live.iter().find(|other| is_part(item, other))) {
                    fill(item, live, Place::List);
                }
            }
        }
        _ => {}
    }
}

fn is_default(key: &str, value: &Value) -> bool {
    DEFAULTS.iter().any(|(name, text)| *name == key && value.to_string() == *text)
}

/// Returns true when every scalar that `item` has, `other` has too.
fn is_part(item: &Value, other: &Value) -> bool {
    match (item, other) {
        (Value::Object(item), Value::Object(other)) => item.iter().all(|(key, value)| match value {
            Value::Object(_) | Value::Array(_) | Value::Null => true,
            Value::Bool(_) | Value::Number(_) | Value::String(_) => other.get(key) == Some(value),
        }),
        _ => false,
    }
}
