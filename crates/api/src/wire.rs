//! Reading typed parts of an object, with the path of the first field that does not fit.

use std::fmt;

use object::{Map, Object, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A field whose value does not have the type the API says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {message}")]
pub struct FieldError {
    /// Path of the field from the top of the object, e.g. `spec.strategy.canary.steps[1].setWeight`.
    pub path: String,
    /// What was found and what was expected.
    pub message: String,
}

/// An integer or a string, as Kubernetes' `intstr.IntOrString`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected an integer or a string")]
pub enum IntOrString {
    /// A number.
    Int(i64),
    /// A text, e.g. `25%` or `1m30s`.
    Text(String),
}

impl IntOrString {
    /// Returns the number, reading a text as decimal; `None` when the text is no number.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A map without known fields, e.g. `requiredDuringSchedulingIgnoredDuringExecution: {}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// Returns `T` read from `value`, which stands at `path`; null fields read as absent, as Go reads them.
///
/// Errors: [`FieldError`] with the full path of the first offending field.
pub fn read<T: DeserializeOwned>(value: &Value, path: &str) -> Result<T, FieldError> {
    let value = without_nulls(value);
    serde_path_to_error::deserialize(&value).map_err(|error| {
        let below = error.path().to_string();
        let path = if below == "." { path.to_owned() } else { format!("{path}.{below}") };
        FieldError { path, message: error.inner().to_string() }
    })
}

/// Returns the top-level part `name` of `object`, its default when absent or null.
///
/// Errors: [`FieldError`] with the full path of the first offending field.
pub(crate) fn read_part<T: DeserializeOwned + Default>(object: &Object, name: &str) -> Result<T, FieldError> {
    match object.as_map().get(name) {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value @ Value::Object(_)) => read(value, name),
        Some(_) => Err(FieldError { path: name.to_owned(), message: "expected a map".to_owned() }),
    }
}

/// Returns `value` as JSON. Our own types always serialise.
pub fn write<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_else(|_| Value::Object(Map::new()))
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(_, child)| !child.is_null())
                .map(|(key, child)| (key.clone(), without_nulls(child)))
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.iter().map(without_nulls).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Returns true for the value a field has when it is absent.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
