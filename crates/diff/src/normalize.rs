//! One form for what can be written in several.

use object::{Object, Value, quantity};

/// Returns `object` with `status` dropped, a null creation time dropped, the `stringData` of Secrets folded into `data`,
/// quantities in canonical form and, for Endpoints, addresses in order.
pub fn normalize(object: &Object) -> Object {
    let mut object = object.clone();
    object.remove(&["status"]);
    if object.get(&["metadata", "creationTimestamp"]).is_some_and(Value::is_null) {
        object.remove(&["metadata", "creationTimestamp"]);
    }
    let gvk = object.gvk();
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Secret") => {
            fold_string_data(&mut object);
            if let Some(Value::Object(data)) = object.as_map_mut().get_mut("data") {
                data.values_mut().filter(|value| value.is_null()).for_each(|value| *value = "".into());
            }
        }
        ("", "Endpoints") => sort_endpoints(&mut object),
        _ => {}
    }
    if is_builtin(&gvk.group) {
        let mut value = object.into_value();
        canonical(&mut value);
        object = Object::from_value(value);
    }
    object
}

/// Returns true for groups that Kubernetes itself serves.
pub fn is_builtin(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

fn fold_string_data(object: &mut Object) {
    let Some(Value::Object(plain)) = object.remove(&["stringData"]) else { return };
    for (key, value) in plain {
        let text = match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        object.set(&["data", &key], encode(text.as_bytes()));
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at)) & 63;
            text.push(if at <= chunk.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    text
}

fn sort_endpoints(object: &mut Object) {
    let mut subsets = object.items(&["subsets"]).to_vec();
    if subsets.is_empty() {
        return;
    }
    for subset in &mut subsets {
        for list in ["addresses", "notReadyAddresses", "ports"] {
            if let Some(Value::Array(items)) = subset.get_mut(list) {
                items.sort_by_cached_key(Value::to_string);
            }
        }
    }
    subsets.sort_by_cached_key(Value::to_string);
    object.set(&["subsets"], subsets);
}

/// Maps of quantities, and fields that are one.
const QUANTITIES: [&str; 11] = [
    "averageValue",
    "capacity",
    "default",
    "defaultRequest",
    "hard",
    "limits",
    "max",
    "maxLimitRequestRatio",
    "min",
    "requests",
    "sizeLimit",
];

fn canonical(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if QUANTITIES.contains(&key.as_str()) {
                    canonical_quantities(value);
                } else {
                    canonical(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(canonical),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn canonical_quantities(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| match value {
            Value::String(_) | Value::Number(_) => canonical_quantity(value),
            other => canonical(other),
        }),
        Value::String(_) => canonical_quantity(value),
        Value::Array(items) => items.iter_mut().for_each(canonical),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn canonical_quantity(value: &mut Value) {
    let text = match &*value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if let Ok(canonical) = quantity::canonical(&text) {
        *value = Value::String(canonical);
    }
}

/// Fields for which `{}` is the same as nothing.
const SAME_AS_NOTHING: [&str; 12] = [
    "annotations",
    "creationTimestamp",
    "data",
    "labels",
    "limits",
    "requests",
    "resources",
    "rollingUpdate",
    "securityContext",
    "strategy",
    "stringData",
    "updateStrategy",
];

/// Removes nulls, empty lists and the empty maps in [`SAME_AS_NOTHING`], at any depth.
pub fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(drop_empty);
            map.retain(|key, value| match value {
                Value::Null => false,
                Value::Array(items) => !items.is_empty(),
                Value::Object(fields) => !fields.is_empty() || !SAME_AS_NOTHING.contains(&key.as_str()),
                Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
            });
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
