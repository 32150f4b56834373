//! Cutting an answer down to what a script asks about (discovery documents list far more than we serve).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Removes what a pointer names; `*` matches every element of a list or map. An absent place is left absent.
pub(crate) fn drop(value: &mut Value, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    each(value, parent, &mut |place| match place {
        Value::Object(map) if last == "*" => map.clear(),
        Value::Object(map) => {
            map.remove(last);
        }
        Value::Array(items) if last == "*" => items.clear(),
        Value::Array(items) => {
            if let Some(at) = last.parse::<usize>().ok().filter(|at| *at < items.len()) {
                items.remove(at);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    });
}

/// Keeps of the list a pointer names only the elements whose fields have one of the wanted values.
/// Fields are dotted (`metadata.name`).
pub(crate) fn only(value: &mut Value, pointer: &str, wanted: &BTreeMap<String, BTreeSet<String>>) {
    each(value, pointer, &mut |place| {
        if let Value::Array(items) = place {
            items.retain(|item| wanted.iter().all(|(field, values)| has(item, field, values)));
        }
    });
}

fn has(item: &Value, field: &str, values: &BTreeSet<String>) -> bool {
    let found = field.split('.').try_fold(item, |at, key| at.get(key));
    found.and_then(Value::as_str).is_some_and(|text| values.contains(text))
}

fn each(value: &mut Value, pointer: &str, act: &mut dyn FnMut(&mut Value)) {
    let Some(rest) = pointer.strip_prefix('/') else { return act(value) };
    let (key, rest) =
        rest.split_once('/').map_or((rest, String::new()), |(key, rest)| (key, format!("/{rest}")));
    match value {
        Value::Array(items) if key == "*" => items.iter_mut().for_each(|item| each(item, &rest, act)),
        Value::Object(map) if key == "*" => map.values_mut().for_each(|item| each(item, &rest, act)),
        Value::Array(items) => {
            if let Some(item) = key.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                each(item, &rest, act);
            }
        }
        Value::Object(map) => {
            if let Some(item) = map.get_mut(key) {
                each(item, &rest, act);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keeps_the_wanted_elements_of_every_list() {
        let mut value = json!({"items": [{"r": [{"m": {"n": "a"}}, {"m": {"n": "b"}}]}, {"r": [{"x": 1}]}]});
        let wanted = BTreeMap::from([("m.n".to_owned(), BTreeSet::from(["b".to_owned()]))]);
        only(&mut value, "/items/*/r", &wanted);
        assert_eq!(value, json!({"items": [{"r": [{"m": {"n": "b"}}]}, {"r": []}]}));
    }

    #[test]
    fn drops_by_pointer() {
        let mut value = json!({"a": [{"b": 1, "c": 2}, {"b": 3}], "d": 4});
        drop(&mut value, "/a/*/b");
        drop(&mut value, "/d");
        drop(&mut value, "/absent/x");
        assert_eq!(value, json!({"a": [{"c": 2}, {}]}));
    }
}
