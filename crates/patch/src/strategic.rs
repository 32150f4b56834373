//! Kubernetes' strategic merge patch: a merge patch that knows which lists merge element by element.
//!
//! **Source:** `k8s.io/apimachinery/pkg/util/strategicpatch`, whose results and texts these functions give.
//! Directives: `$patch: replace|delete|merge`, `$deleteFromPrimitiveList/FIELD`, `$setElementOrder/FIELD`,
//! `$retainKeys`.

mod at;
mod diff;
mod list;
mod map;
mod order;

use serde_json::{Map, Value};

use crate::PatchError;
use crate::schema::{Schema, TypeRef};
use at::At;
use diff::{Differ, Take};
use map::Mode;

pub(crate) const DIRECTIVE: &str = "$patch";
pub(crate) const DELETE_FROM: &str = "$deleteFromPrimitiveList";
pub(crate) const SET_ORDER: &str = "$setElementOrder";
pub(crate) const RETAIN_KEYS: &str = "$retainKeys";

/// Applies a strategic merge patch to an object of type `ty`; on an error `doc` is as it was.
///
/// # Errors
/// [`PatchError::Malformed`] for directives of a wrong shape; [`PatchError::Internal`] for a list element
/// without its merge key, a field the type does not have, and the like.
pub fn apply(doc: &mut Value, patch: &Value, schema: &Schema, ty: &TypeRef) -> Result<(), PatchError> {
    let (original, patch) = (document(doc)?, document(patch)?);
    *doc = Value::Object(map::merge(original, patch, At::new(schema, ty), Mode::Apply)?);
    Ok(())
}

/// The strategic merge patch that turns `original` into `modified`.
///
/// # Errors
/// As [`apply`].
pub fn two_way(
    original: &Value,
    modified: &Value,
    schema: &Schema,
    ty: &TypeRef,
) -> Result<Value, PatchError> {
    let (original, modified) = (document(original)?, document(modified)?);
    let patch = Differ::new(Take::Everything).maps(&original, &modified, At::new(schema, ty))?;
    Ok(Value::Object(patch))
}

/// The patch that `kubectl apply` sends: what `modified` says and `current` does not, and the removal of what
/// `original` (the last applied configuration) said and `modified` no longer does.
///
/// An empty object when there is nothing to do. What others changed in `current` is overwritten where
/// `modified` says something else (`--overwrite`, kubectl's default).
///
/// # Errors
/// As [`apply`].
pub fn three_way(
    original: &Value,
    modified: &Value,
    current: &Value,
    schema: &Schema,
    ty: &TypeRef,
) -> Result<Value, PatchError> {
    let (original, modified, current) = (document(original)?, document(modified)?, document(current)?);
    let at = At::new(schema, ty);
    let delta = Differ::new(Take::Changes).maps(&current, &modified, at)?;
    let deletions = Differ::new(Take::Deletions).maps(&original, &modified, at)?;
    Ok(Value::Object(map::merge(deletions, delta, at, Mode::Combine)?))
}

/// A document as its keys; null stands for no document.
fn document(value: &Value) -> Result<Map<String, Value>, PatchError> {
    match value {
        Value::Object(map) => Ok(map.clone()),
        Value::Null => Ok(Map::new()),
        _ => Err(PatchError::Malformed("invalid JSON document".to_owned())),
    }
}

/// The field that a parallel list such as `$setElementOrder/ports` speaks of.
fn named_field(key: &str, prefix: &str, what: &str) -> Result<String, PatchError> {
    match key.split_once('/') {
        Some((found, field)) if found == prefix => Ok(field.to_owned()),
        _ => Err(malformed(what)),
    }
}

/// The error for a directive of a wrong shape.
fn malformed(what: &str) -> PatchError {
    PatchError::Malformed(format!("invalid patch format of {what}"))
}

/// The error for a value of a wrong type.
fn wrong_type(expected: &str, found: &Value) -> PatchError {
    PatchError::Internal(format!("expected a {expected}, but received a {}", crate::text::go_type(found)))
}

const GO_MAP: &str = "map[string]interface {}";
const GO_LIST: &str = "[]interface {}";

#[cfg(test)]
mod tests;
