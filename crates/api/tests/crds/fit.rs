//! Whether an object fits a schema: what the API server would refuse, and what it would drop.

use object::{Time, Value};

/// Returns what is wrong with `value`, one line a problem.
pub(crate) fn problems(value: &Value, schema: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    check(value, schema, path, &mut found);
    found
}

fn check(value: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
    if !has_type(value, schema) {
        found.push(format!("{path}: {value} is not of type {}", schema["type"]));
        return;
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        found.push(format!("{path}: {value} is none of {}", schema["enum"]));
    }
    if schema["format"] == "date-time" && value.as_str().is_none_or(|text| Time::parse(text).is_err()) {
        found.push(format!("{path}: {value} is no time"));
    }
    match value {
        Value::Object(fields) => {
            check_required(value, schema, path, found);
            for (name, field) in fields {
                check_field(name, field, schema, path, found);
            }
        }
        Value::Array(items) if schema.get("items").is_some() => {
            for (index, item) in items.iter().enumerate() {
                check(item, &schema["items"], &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

fn check_required(value: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(format!("{path}.{name}: required"));
        }
    }
}

fn check_field(name: &str, field: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
    let path = format!("{path}.{name}");
    if path == ".metadata" {
        return;
    }
    match (schema["properties"].get(name), schema.get("additionalProperties")) {
        (Some(known), _) | (None, Some(known)) => check(field, known, &path, found),
        (None, None) if schema["x-kubernetes-preserve-unknown-fields"] == true => {}
        (None, None) => found.push(format!("{path}: dropped")),
    }
}

fn has_type(value: &Value, schema: &Value) -> bool {
    if schema["x-kubernetes-int-or-string"] == true {
        return value.is_i64() || value.is_string();
    }
    match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64(),
        Some(other) => panic!("{other} is no type we use"),
        None => true,
    }
}
