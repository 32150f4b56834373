//! Dropping what a structural schema does not know, and filling in its defaults.
//!
//! **Source:** `k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}`.

use serde_json::{Map, Value};

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Drops fields that the schema does not know and adds their paths to `dropped`.
pub(super) fn unknown(schema: &Value, value: &mut Value, dropped: &mut Vec<String>) {
    let mut pruner = Pruner { dropped };
    if schema.is_object() {
        pruner.prune(schema, value, "", true);
    }
}

struct Pruner<'a> {
    dropped: &'a mut Vec<String>,
}

impl Pruner<'_> {
    fn prune(&mut self, schema: &Value, value: &mut Value, path: &str, resource: bool) {
        match value {
            Value::Object(map) => self.map(schema, map, path, resource),
            Value::Array(items) => {
                let schema = &schema["items"];
                for (index, item) in items.iter_mut().enumerate().filter(|_| schema.is_object()) {
                    self.prune(schema, item, &format!("{path}[{index}]"), embedded(schema));
                }
            }
            _ => {}
        }
    }

    fn map(&mut self, schema: &Value, map: &mut Map<String, Value>, path: &str, resource: bool) {
        let keeps = schema["x-kubernetes-preserve-unknown-fields"] == true;
        let keys: Vec<String> = map.keys().cloned().collect();
        for key in keys {
            if resource && matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
                continue;
            }
            let child = schema["properties"].get(&key);
            let others = &schema["additionalProperties"];
            let at = join(path, &key);
            match (child, map.get_mut(&key)) {
                (Some(child), Some(value)) => self.prune(child, value, &at, embedded(child)),
                (None, Some(value)) if others.is_object() => self.prune(others, value, &at, embedded(others)),
                (None, Some(_)) if !keeps && others != true => {
                    map.remove(&key);
                    self.dropped.push(at);
                }
                _ => {}
            }
        }
    }
}

fn embedded(schema: &Value) -> bool {
    schema["x-kubernetes-embedded-resource"] == true
}

/// Fills in defaults, where a field is missing, or null though it may not be.
pub(super) fn defaults(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, child) in schema["properties"].as_object().into_iter().flatten() {
                fill(map, key, child);
                if let Some(value) = map.get_mut(key) {
                    defaults(child, value);
                }
            }
            let others = &schema["additionalProperties"];
            if others.is_object() {
                let known = |key: &String| schema["properties"].get(key).is_some();
                map.iter_mut().filter(|(key, _)| !known(key)).for_each(|(_, value)| defaults(others, value));
            }
        }
        Value::Array(items) if schema["items"].is_object() => {
            items.iter_mut().for_each(|item| defaults(&schema["items"], item));
        }
        _ => {}
    }
}

fn fill(map: &mut Map<String, Value>, key: &str, child: &Value) {
    let Some(default) = child.get("default") else { return };
    let missing = match map.get(key) {
        None => true,
        Some(Value::Null) => child["nullable"] != true,
        Some(_) => false,
    };
    if missing {
        map.insert(key.to_owned(), default.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn drops_the_unknown_and_fills_in() {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "size": {"type": "integer", "default": 3},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}},
        }}}});
        let mut value = json!({"kind": "A", "metadata": {"x": 1}, "spec": {"odd": 1, "free": {"b": 1}, "list": [{"z": 1}]}, "more": 1});
        let mut dropped = Vec::new();
        unknown(&schema, &mut value, &mut dropped);
        defaults(&schema, &mut value);
        assert_eq!(dropped, ["more", "spec.list[0].z", "spec.odd"]);
        assert_eq!(
            value,
            json!({"kind": "A", "metadata": {"x": 1}, "spec": {"size": 3, "free": {"b": 1}, "list": [{"a": "x"}]}})
        );
    }
}
