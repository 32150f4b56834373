//! Differences that do not count.

use api::application::IgnoreDifference;
use object::{Object, Value};

/// The rules that speak about one object.
#[derive(Clone, Debug, Default)]
pub struct Ignored<'a> {
    rules: Vec<&'a IgnoreDifference>,
}

/// Returns the rules of `ignores` that speak about `object`: group and kind are globs, name and namespace exact or empty.
pub fn applicable<'a>(ignores: &'a [IgnoreDifference], object: &Object) -> Ignored<'a> {
    let kind = object.group_kind();
    let speaks = |rule: &&IgnoreDifference| {
        glob(&rule.group, &kind.group)
            && glob(&rule.kind, &kind.kind)
            && (rule.name.is_empty() || rule.name == object.name())
            && (rule.namespace.is_empty() || rule.namespace == object.namespace())
    };
    Ignored { rules: ignores.iter().filter(speaks).collect() }
}

impl Ignored<'_> {
    /// Removes the ignored fields from `object`; managers are looked up in `live`.
    pub fn drop_from(&self, object: &mut Object, live: &Object) {
        let mut value = std::mem::take(object).into_value();
        for rule in &self.rules {
            for pointer in &rule.json_pointers {
                remove(&mut value, &segments(pointer));
            }
            for entry in live.items(&["metadata", "managedFields"]) {
                let manager = entry["manager"].as_str().unwrap_or_default();
                if rule.managed_fields_managers.iter().any(|name| name == manager) {
                    remove_owned(&mut value, &entry["fieldsV1"]);
                }
            }
        }
        *object = Object::from_value(value);
    }

    fn pointers(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(|rule| rule.json_pointers.iter().map(String::as_str))
    }
}

/// Returns `target` with the ignored fields as `live` has them, so that applying it leaves them alone. Pointers into
/// `status` are not followed.
pub fn respect(target: &Object, live: &Object, ignored: &Ignored<'_>) -> Object {
    let (mut value, live) = (target.to_value(), live.to_value());
    for pointer in ignored.pointers().filter(|pointer| !pointer.starts_with("/status")) {
        match live.pointer(pointer) {
            Some(kept) => put(&mut value, &segments(pointer), kept),
            None => remove(&mut value, &segments(pointer)),
        }
    }
    Object::from_value(value)
}

fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

fn child<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(map) => map.get_mut(key),
        Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn remove(value: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(value, |value, key| child(value, key));
    match parent {
        Some(Value::Object(map)) => {
            map.remove(last);
        }
        Some(Value::Array(items)) => {
            if let Some(at) = last.parse::<usize>().ok().filter(|at| *at < items.len()) {
                items.remove(at);
            }
        }
        _ => {}
    }
}

fn put(value: &mut Value, path: &[String], new: &Value) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(value, |value, key| {
        if let Value::Object(map) = value {
            map.entry(key.clone()).or_insert_with(|| Value::Object(object::Map::new()));
        }
        child(value, key)
    });
    match parent {
        Some(Value::Object(map)) => {
            map.insert(last.clone(), new.clone());
        }
        Some(Value::Array(items)) => {
            if let Some(item) = last.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                *item = new.clone();
            }
        }
        _ => {}
    }
}

/// Removes the fields of a `fieldsV1` set.
fn remove_owned(value: &mut Value, fields: &Value) {
    let Value::Object(fields) = fields else { return };
    for (name, below) in fields {
        let leaf = below.as_object().is_none_or(object::Map::is_empty);
        if let (Some(key), Value::Object(map)) = (name.strip_prefix("f:"), &mut *value) {
            if leaf {
                map.remove(key);
            } else if let Some(inner) = map.get_mut(key) {
                remove_owned(inner, below);
            }
        } else if let (Some(key), Value::Array(items)) = (name.strip_prefix("k:"), &mut *value) {
            let keys: Value = serde_json::from_str(key).unwrap_or_default();
            let is_it = |item: &&mut Value| keys.as_object().is_some_and(|keys| has_keys(item, keys));
            if let Some(item) = items.iter_mut().find(is_it) {
                remove_owned(item, below);
            }
        }
    }
}

fn has_keys(item: &Value, keys: &object::Map<String, Value>) -> bool {
    keys.iter().all(|(key, value)| item.get(key) == Some(value))
}

/// Matches `*` and `?`; an empty pattern matches only the empty text.
fn glob(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| glob(rest.as_str(), &text[at..])),
        Some(first) => {
            let mut letters = text.chars();
            letters.next().is_some_and(|letter| first == '?' || first == letter)
                && glob(rest.as_str(), letters.as_str())
        }
    }
}
