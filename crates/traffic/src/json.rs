//! Looking at and changing parts of router objects.

use object::{Map, Object, Value};

/// Returns the list at `path` for changing, if there is one.
pub(crate) fn list_mut<'a>(object: &'a mut Object, path: &[&str]) -> Option<&'a mut Vec<Value>> {
    let (first, rest) = path.split_first()?;
    let start = object.as_map_mut().get_mut(*first)?;
    rest.iter().try_fold(start, |value, key| value.get_mut(*key))?.as_array_mut()
}

/// Returns the elements of a list inside `value`, empty when absent.
pub(crate) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Returns the text inside `value`, empty when absent.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Returns the list inside a map inside `value` for changing, if there is one.
pub(crate) fn nested_mut<'a>(value: &'a mut Value, first: &str, second: &str) -> Option<&'a mut Vec<Value>> {
    value.get_mut(first)?.get_mut(second)?.as_array_mut()
}

/// Sets a field of `value`; nothing when that is no map.
pub(crate) fn put(value: &mut Value, key: &str, field: impl Into<Value>) {
    if let Value::Object(map) = value {
        map.insert(key.to_owned(), field.into());
    }
}

/// Sets `weight` of a destination unless it has it; another spelling of the same number stays.
pub(crate) fn set_weight(destination: &mut Value, weight: i32) {
    if destination.get("weight").and_then(Value::as_f64) != Some(f64::from(weight)) {
        put(destination, "weight", weight);
    }
}

/// Returns true when `live` says all that `wanted` says: it may hold more fields, as defaults of the API server do.
pub(crate) fn covers(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| live.get(key).is_some_and(|live| covers(live, value)))
        }
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| covers(live, wanted))
        }
        (Value::Number(live), Value::Number(wanted)) => live.as_f64() == wanted.as_f64(),
        _ => live == wanted,
    }
}

/// Returns `live` when it says what `wanted` says in the `fields` that are ours, and holds none of them besides;
/// otherwise `live` with those fields as wanted.
pub(crate) fn keep_or_replace(live: &Value, wanted: &Value, fields: &[&str]) -> Value {
    let same = fields.iter().all(|field| match (live.get(*field), wanted.get(*field)) {
        (None, None) => true,
        (Some(live), Some(wanted)) => covers(live, wanted),
        _ => false,
    });
    if same {
        return live.clone();
    }
    let mut merged: Map<String, Value> = live.as_object().cloned().unwrap_or_default();
    for field in fields {
        match wanted.get(*field) {
            Some(value) => merged.insert((*field).to_owned(), value.clone()),
            None => merged.remove(*field),
        };
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn defaults_are_no_difference() {
        let wanted = json!({"name": "a", "refs": [{"name": "b"}]});
        assert!(covers(&json!({"name": "a", "refs": [{"name": "b", "weight": 1}], "x": 1}), &wanted));
        assert!(!covers(&json!({"name": "a", "refs": []}), &wanted));
        assert!(!covers(&json!({"name": "c", "refs": [{"name": "b"}]}), &wanted));
    }

    #[test]
    fn fields_that_are_not_ours_stay() {
        let live = json!({"name": "a", "timeouts": {"request": "1s"}, "filters": []});
        let wanted = json!({"name": "a", "matches": [1]});
        let merged = keep_or_replace(&live, &wanted, &["name", "matches", "filters"]);
        assert_eq!(merged, json!({"name": "a", "timeouts": {"request": "1s"}, "matches": [1]}));
        assert_eq!(keep_or_replace(&merged, &wanted, &["name", "matches", "filters"]), merged);
    }

    #[test]
    fn a_weight_of_the_same_value_stays_as_it_is_written() {
        let mut destination = json!({"weight": 10.0});
        set_weight(&mut destination, 10);
        assert_eq!(destination, json!({"weight": 10.0}));
        set_weight(&mut destination, 11);
        assert_eq!(destination, json!({"weight": 11}));
    }
}
