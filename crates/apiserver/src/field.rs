//! One problem with one field.
//!
//! **Source:** `k8s.io/apimachinery/pkg/util/validation/field`.

use std::fmt;

use serde_json::{Value, json};

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Required,
    Invalid,
    TypeInvalid,
    NotSupported,
    Duplicate,
    NotFound,
    Forbidden,
    TooLong,
    TooMany,
}

impl Problem {
    fn reason(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Duplicate => "FieldValueDuplicate",
            Self::NotFound => "FieldValueNotFound",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Duplicate => "Duplicate value",
            Self::NotFound => "Not found",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
        }
    }
}

/// A problem, its place and the value found there as Go prints it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldError {
    pub path: String,
    pub problem: Problem,
    pub value: Option<String>,
    pub detail: String,
}

impl FieldError {
    pub fn required(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { path: path.into(), problem: Problem::Required, value: None, detail: detail.into() }
    }

    pub fn forbidden(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { path: path.into(), problem: Problem::Forbidden, value: None, detail: detail.into() }
    }

    pub fn invalid(path: impl Into<String>, value: &Value, detail: impl Into<String>) -> Self {
        let value = Some(printed(value));
        Self { path: path.into(), problem: Problem::Invalid, value, detail: detail.into() }
    }

    pub fn duplicate(path: impl Into<String>, value: &Value) -> Self {
        let value = Some(printed(value));
        Self { path: path.into(), problem: Problem::Duplicate, value, detail: String::new() }
    }

    pub fn not_supported(path: impl Into<String>, value: &Value, allowed: &[&str]) -> Self {
        let quoted: Vec<String> = allowed.iter().map(|text| format!("{text:?}")).collect();
        let detail = format!("supported values: {}", quoted.join(", "));
        Self { path: path.into(), problem: Problem::NotSupported, value: Some(printed(value)), detail }
    }

    pub fn too_long(path: impl Into<String>, limit: usize) -> Self {
        let detail = format!("may not be more than {limit} bytes");
        Self { path: path.into(), problem: Problem::TooLong, value: None, detail }
    }

    fn body(&self) -> String {
        let words = self.problem.words();
        let mut text = match &self.value {
            Some(value) => format!("{words}: {value}"),
            None => words.to_owned(),
        };
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }

    /// Returns the entry of `details.causes`.
    pub fn cause(&self) -> Value {
        json!({ "reason": self.problem.reason(), "message": self.body(), "field": self.path })
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.body())
    }
}

/// The value as the validation texts show it: strings quoted, null as such, the rest as JSON.
pub(crate) fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}
