//! Go's `encoding/json` of a PodTemplateSpec, from its untyped form.

use object::{Value, quantity};
use thiserror::Error;

use super::escape_html;
use super::order::{Field, fields};

/// Deepest nesting that is encoded; a pod template has less than 20 levels.
const MAX_DEPTH: usize = 64;

/// A template that cannot be hashed, because a field has the wrong type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {message}")]
pub struct EncodeError {
    /// Path of the field below `spec.template`.
    pub path: String,
    /// What was found and what was expected.
    pub message: String,
}

/// Returns the bytes of the typed form of `template`; unknown fields are left out, as Go leaves them out.
pub(super) fn pod_template(template: &Value) -> Result<String, EncodeError> {
    let mut out = String::new();
    write_struct(&mut out, "PodTemplateSpec", template, &mut Vec::new())?;
    Ok(out)
}

type Path = Vec<String>;

fn fail<T>(path: &Path, message: &str) -> Result<T, EncodeError> {
    Err(EncodeError { path: path.join("."), message: message.to_owned() })
}

fn write_struct(out: &mut String, name: &str, value: &Value, path: &mut Path) -> Result<(), EncodeError> {
    let Some(fields) = fields(name) else { return fail(path, "unknown type") };
    if path.len() > MAX_DEPTH {
        return fail(path, "nested too deep");
    }
    if !value.is_object() && !value.is_null() {
        return fail(path, "expected a map");
    }
    out.push('{');
    let start = out.len();
    for field in fields {
        let child = value.get(&field.name).unwrap_or(&Value::Null);
        if left_out(field, child) {
            continue;
        }
        if out.len() > start {
            out.push(',');
        }
        string(out, &field.name);
        out.push(':');
        path.push(field.name.clone());
        write_field(out, field, child, path)?;
        path.pop();
    }
    out.push('}');
    Ok(())
}

/// Returns whether Go leaves the field out: `omitempty` never leaves out structs, `omitzero` does.
fn left_out(field: &Field, value: &Value) -> bool {
    if field.pointer {
        return field.omit && value.is_null();
    }
    let custom = matches!(field.go_type.as_str(), "quantity" | "intstr" | "time");
    if custom || fields(&field.go_type).is_some() {
        return field.zero && value.is_null();
    }
    field.omit && is_empty(value)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

fn write_field(out: &mut String, field: &Field, value: &Value, path: &mut Path) -> Result<(), EncodeError> {
    if field.pointer && value.is_null() {
        out.push_str("null");
        return Ok(());
    }
    write_value(out, &field.go_type, value, path)
}

fn write_value(out: &mut String, go_type: &str, value: &Value, path: &mut Path) -> Result<(), EncodeError> {
    if let Some(item) = go_type.strip_prefix("[]") {
        return write_list(out, item, value, path);
    }
    if let Some(item) = go_type.strip_prefix("{}") {
        return write_map(out, item, value, path);
    }
    match (go_type, value) {
        ("string", Value::Null) => out.push_str("\"\""),
        ("string" | "time" | "intstr", Value::String(text)) => string(out, text),
        ("int" | "intstr", Value::Null) => out.push('0'),
        ("bool", Value::Null) => out.push_str("false"),
        ("quantity", Value::Null) => out.push_str("\"0\""),
        ("time" | "raw", Value::Null) => out.push_str("null"),
        ("raw", value) => out.push_str(&escape_html(&value.to_string())),
        ("int" | "intstr", Value::Number(number)) => out.push_str(&number.to_string()),
        ("bool", Value::Bool(truth)) => out.push_str(if *truth { "true" } else { "false" }),
        ("quantity", Value::String(text)) => string(out, &canonical(text, path)?),
        ("quantity", Value::Number(number)) => string(out, &canonical(&number.to_string(), path)?),
        ("string" | "time", _) => return fail(path, "expected a string"),
        ("int", _) => return fail(path, "expected an integer"),
        ("bool", _) => return fail(path, "expected a boolean"),
        ("intstr", _) => return fail(path, "expected an integer or a string"),
        ("quantity", _) => return fail(path, "expected a quantity"),
        (name, value) => return write_struct(out, name, value, path),
    }
    Ok(())
}

fn canonical(text: &str, path: &Path) -> Result<String, EncodeError> {
    quantity::canonical(text)
        .map_err(|error| EncodeError { path: path.join("."), message: error.to_string() })
}

fn write_list(out: &mut String, item: &str, value: &Value, path: &mut Path) -> Result<(), EncodeError> {
    let list = match value {
        Value::Null => {
            out.push_str("null");
            return Ok(());
        }
        Value::Array(list) => list,
        _ => return fail(path, "expected a list"),
    };
    out.push('[');
    for (index, child) in list.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        path.push(index.to_string());
        write_value(out, item, child, path)?;
        path.pop();
    }
    out.push(']');
    Ok(())
}

fn write_map(out: &mut String, item: &str, value: &Value, path: &mut Path) -> Result<(), EncodeError> {
    let map = match value {
        Value::Null => {
            out.push_str("null");
            return Ok(());
        }
        Value::Object(map) => map,
        _ => return fail(path, "expected a map"),
    };
    let mut entries: Vec<(&String, &Value)> = map.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    out.push('{');
    for (index, (key, child)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        string(out, key);
        out.push(':');
        path.push(key.clone());
        write_value(out, item, child, path)?;
        path.pop();
    }
    out.push('}');
    Ok(())
}

fn string(out: &mut String, text: &str) {
    out.push_str(&escape_html(&Value::String(text.to_owned()).to_string()));
}
