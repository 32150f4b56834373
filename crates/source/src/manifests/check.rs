//! The metadata without which an object could be lost on the way: nothing is guessed, nothing is dropped.

use object::{Object, Value};

/// Refuses an object that cannot be told from others, or whose marks cannot be read.
///
/// **Errors:** a text that names object and field. Argo CD finds labels and annotations here too; a missing name only
/// when the object is synced.
pub(super) fn metadata(object: &Object) -> Result<(), String> {
    for field in ["name", "generateName", "namespace"] {
        let value = object.get(&["metadata", field]);
        if let Some(value) = value.filter(|value| !value.is_string() && !value.is_null()) {
            return Err(format!("{}: metadata.{field} is {value}, not a string", named(object)));
        }
    }
    if object.name().is_empty() && object.str(&["metadata", "generateName"]).is_empty() {
        return Err(format!("{}: metadata.name is missing", object.kind()));
    }
    ["labels", "annotations"].into_iter().try_for_each(|field| strings(object, field))
}

fn strings(object: &Object, field: &str) -> Result<(), String> {
    let refuse = |path: &str, value: &Value| {
        Err(format!("{}: metadata.{field}{path} is {value}, not a string; put it in quotes", named(object)))
    };
    match object.get(&["metadata", field]) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(map)) => {
            let odd = map.iter().find(|(_, value)| !value.is_string() && !value.is_null());
            odd.map_or(Ok(()), |(key, value)| refuse(&format!("[{key:?}]"), value))
        }
        Some(value) => Err(format!("{}: metadata.{field} is {value}, not a map", named(object))),
    }
}

/// Returns kind and name, as far as there is one.
fn named(object: &Object) -> String {
    match object.name() {
        "" => object.kind().to_owned(),
        name => format!("{} {name:?}", object.kind()),
    }
}
