//! What applying a target makes of a live object.

use crate::normalize::{drop_empty, is_builtin, normalize};
use object::{Object, Value};
use patch::apply::{ApplyOptions, Force};
use patch::schema::{Schema, TypeRef};

/// Field manager that targets are applied as.
pub const MANAGER: &str = "argocd-controller";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Returns `live` after applying `target`: by server-side apply where our manager has applied before, else by three-way
/// merge with the last-applied annotation, else by two-way merge.
pub fn predict(target: &Object, live: &Object) -> Object {
    let schema = Schema::builtin();
    let gvk = live.gvk();
    // Older versions of a built-in kind look the same for what is asked of the schema here.
    let versions = [gvk.version.as_str(), "v1", "v2"];
    let known = versions.iter().find_map(|version| schema.type_of(&gvk.group, version, &gvk.kind));
    // Without a schema, what the server fills in inside lists of its own kinds is not known: any field may be.
    let fills = if known.is_none() && is_builtin(&gvk.group) { Fills::Anything } else { Fills::Defaults };
    let mut target = with_defaults(target, live, fills);
    if live.namespace().is_empty() {
        target.remove(&["metadata", "namespace"]);
    }
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
    let mut original = normalize(&Object::parse(value).ok()?);
    // These were never set by the target: the first is filled in, empty maps and nulls are nothing.
    original.remove(&["metadata", "namespace"]);
    let mut value = original.into_value();
    drop_empty(&mut value);
    Some(value)
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
    let mut value =
        patch::apply::apply(Some(&live.to_value()), &applied, &options, Schema::builtin(), ty).ok()?;
    // Who would own what is not a difference to show.
    value["metadata"]["managedFields"] = live.items(&["metadata", "managedFields"]).into();
    Some(value)
}

fn strategic(
    original: &Value,
    target: &Object,
    live: &Object,
    (schema, ty): (&Schema, &TypeRef),
) -> Option<Value> {
    let mut value = live.to_value();
    let mut delta = patch::strategic::three_way(original, &target.to_value(), &value, schema, ty).ok()?;
    for field in ["strategy", "updateStrategy"] {
        let typed = |object: &Object| object.get(&["spec", field, "type"]).cloned();
        if typed(target).is_none() || typed(target) == typed(live) {
            keep_keys(&mut delta, field);
        }
    }
    patch::strategic::apply(&mut value, &delta, schema, ty).ok()?;
    Some(value)
}

/// What belongs to a strategy of the same type stays: the server would fill it in again.
fn keep_keys(delta: &mut Value, field: &str) {
    if let Some(Value::Object(strategy)) = delta.get_mut("spec").and_then(|spec| spec.get_mut(field)) {
        strategy.remove("$retainKeys");
    }
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
const DEFAULTS: [(&str, &str); 14] = [
    ("apiGroup", "\"rbac.authorization.k8s.io\""),
    ("apiVersion", "\"v1\""),
    ("conditions", "{}"),
    ("defaultMode", "420"),
    ("expirationSeconds", "3600"),
    ("kind", "\"PersistentVolumeClaim\""),
    ("mode", "420"),
    ("name", "\"\""),
    ("pathType", "\"ImplementationSpecific\""),
    ("protocol", "\"TCP\""),
    ("scheme", "\"HTTP\""),
    ("status", "{\"phase\":\"Pending\"}"),
    ("type", "\"\""),
    ("volumeMode", "\"Filesystem\""),
];

/// What the server may have filled in inside lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fills {
    /// The values in [`DEFAULTS`].
    Defaults,
    /// Any field.
    Anything,
}

/// Returns `target` with the fields that the server filled in inside its lists, as `live` has them.
fn with_defaults(target: &Object, live: &Object, fills: Fills) -> Object {
    let mut value = target.to_value();
    fill(&mut value, &live.to_value(), (Place::Map, fills));
    Object::from_value(value)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Map,
    List,
}

fn fill(target: &mut Value, live: &Value, (place, fills): (Place, Fills)) {
    match (target, live) {
        (Value::Object(target), Value::Object(live)) => {
            for (key, value) in live {
                match target.get_mut(key) {
                    Some(target) => fill(target, value, (place, fills)),
                    None if place == Place::List && (fills == Fills::Anything || is_default(key, value)) => {
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
                    fill(item, live, (Place::List, fills));
                }
            }
        }
        _ => {}
    }
}

fn is_default(key: &str, value: &Value) -> bool {
    DEFAULTS.iter().any(|(name, text)| {
        *name == key && serde_json::from_str(text).is_ok_and(|default: Value| *value == default)
    })
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
