//! Reading and writing nested JSON by a path of map keys.

use serde_json::{Map, Value};

/// Sets the value at `path` below `map`, making maps on the way; an empty path does nothing.
pub fn set(map: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [last] => {
            map.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let child = map.entry((*first).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if !child.is_object() {
                *child = Value::Object(Map::new());
            }
            if let Value::Object(child) = child {
                set(child, rest, value);
            }
        }
    }
}

/// Removes and returns the value at `path` below `map`.
pub fn remove(map: &mut Map<String, Value>, path: &[&str]) -> Option<Value> {
    match path {
        [] => None,
        [last] => map.remove(*last),
        [first, rest @ ..] => remove(map.get_mut(*first)?.as_object_mut()?, rest),
    }
}
