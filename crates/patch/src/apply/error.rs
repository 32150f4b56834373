//! Why an apply failed.

use std::fmt;

use serde_json::Value;

use super::managed::{Operation, Owner};
use super::owners::{Conflict, Failure};
use crate::fields::path_text;
use crate::text::go_quoted;

/// One field that somebody else owns: a `details.causes` entry of type `FieldManagerConflict`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictCause {
    /// The name of the field manager that owns it.
    pub manager: String,
    /// The field, such as `.spec.replicas`.
    pub field: String,
    /// `conflict with "kubectl-client-side-apply" using apps/v1`.
    pub message: String,
}

/// Why nothing was applied; its text is the `Status` message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyError {
    /// Others own what would change, sorted by manager and field. HTTP 409, reason `Conflict`.
    Conflicts(Vec<ConflictCause>),
    /// The request is wrong. HTTP 400, reason `BadRequest`.
    BadRequest(String),
    /// The document does not fit its schema. Upstream answers HTTP 500, reason `InternalError`.
    Invalid(String),
}

impl std::error::Error for ApplyError {}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRequest(text) | Self::Invalid(text) => f.write_str(text),
            Self::Conflicts(causes) => match causes.as_slice() {
                [one] => write!(f, "Apply failed with 1 conflict: {}: {}", one.message, one.field),
                many => many_conflicts(f, many),
            },
        }
    }
}

fn many_conflicts(f: &mut fmt::Formatter<'_>, causes: &[ConflictCause]) -> fmt::Result {
    write!(f, "Apply failed with {} conflicts: ", causes.len())?;
    let mut last = "";
    for (index, cause) in causes.iter().enumerate() {
        if cause.message != last {
            let line_end = if index == 0 { "" } else { "\n" };
            let owner = cause.message.trim_start_matches("conflict with ");
            write!(f, "{line_end}conflicts with {owner}:")?;
            last = &cause.message;
        }
        write!(f, "\n- {}", cause.field)?;
    }
    Ok(())
}

impl From<Failure> for ApplyError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflicts(conflicts) => Self::Conflicts(conflicts.iter().map(cause).collect()),
            Failure::Invalid(text) => Self::Invalid(text),
        }
    }
}

fn cause(conflict: &Conflict) -> ConflictCause {
    ConflictCause {
        manager: conflict.owner.manager.clone(),
        field: path_text(&conflict.path),
        message: format!("conflict with {}", owner_text(&conflict.owner)),
    }
}

fn owner_text(owner: &Owner) -> String {
    let mut text = go_quoted(&owner.manager);
    if !owner.subresource.is_empty() {
        text = format!("{text} with subresource {}", go_quoted(&owner.subresource));
    }
    match owner.operation {
        Operation::Apply => text,
        Operation::Update => format!("{text} using {}", owner.api_version),
    }
}

/// `namespace/name; group/version, Kind=kind`.
pub fn subject(object: &Value) -> String {
    let meta = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
    format!("{}/{}; {}", meta("namespace"), meta("name"), kind_text(object))
}

/// `group/version, Kind=kind`, with an empty group for core.
pub fn kind_text(object: &Value) -> String {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    let api_version = text("apiVersion");
    let slash = if api_version.contains('/') { "" } else { "/" };
    format!("{slash}{api_version}, Kind={}", text("kind"))
}
