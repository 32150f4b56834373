//! JSON Patch (RFC 6902), with the texts and the leniencies of the library that kube-apiserver uses.
//!
//! **Source:** `gopkg.in/evanphx/json-patch.v4`: negative array indices count from the end, `replace` of a
//! missing object key adds it, a missing `value` is null.

mod document;

use serde_json::{Map, Value};

use crate::PatchError;
use document::{Failure, Place};

/// The most operations one patch may have.
pub const MAX_OPERATIONS: usize = 10_000;
/// The most bytes that all `copy` operations of one patch may add.
pub const MAX_COPIED_BYTES: usize = 3 * 1024 * 1024;

type Outcome = Result<(), String>;

/// Applies the operations of `patch` in order; on an error `doc` is as it was.
///
/// # Errors
/// [`PatchError::Malformed`] for a patch that is not a list of objects, [`PatchError::TooLarge`] for too many
/// operations, [`PatchError::NotApplicable`] for the first operation that does not fit.
pub fn apply(doc: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let operations = decode(patch)?;
    let mut changed = doc.clone();
    let mut copied = 0;
    for operation in operations {
        let run = Run { operation };
        let outcome = match run.kind() {
            "add" => run.add(&mut changed),
            "remove" => run.remove(&mut changed),
            "replace" => run.replace(&mut changed),
            "move" => run.shift(&mut changed),
            "copy" => run.copy(&mut changed, &mut copied),
            "test" => run.test(&changed),
            kind => Err(format!("Unexpected kind: {kind}")),
        };
        outcome.map_err(PatchError::NotApplicable)?;
    }
    *doc = changed;
    Ok(())
}

fn decode(patch: &Value) -> Result<Vec<&Map<String, Value>>, PatchError> {
    let wrong = |value: &Value, wanted: &str| {
        let kind = json_kind(value);
        PatchError::Malformed(format!(
            "error decoding patch: json: cannot unmarshal {kind} into Go value of type {wanted}handlers.jsonPatchOp"
        ))
    };
    let operations = patch.as_array().ok_or_else(|| wrong(patch, "[]"))?;
    if operations.len() > MAX_OPERATIONS {
        return Err(PatchError::TooLarge(format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        )));
    }
    operations.iter().map(|value| value.as_object().ok_or_else(|| wrong(value, ""))).collect()
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// One operation.
struct Run<'a> {
    operation: &'a Map<String, Value>,
}

impl<'a> Run<'a> {
    fn kind(&self) -> &'a str {
        self.text("op").unwrap_or("unknown")
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.operation.get(key).and_then(Value::as_str)
    }

    fn path(&self, verb: &str) -> Result<&'a str, String> {
        let missing = "operation missing path field: missing value";
        self.text("path").ok_or_else(|| format!("{verb} operation failed to decode path: {missing}"))
    }

    fn from(&self, verb: &str) -> Result<&'a str, String> {
        let missing = "operation, missing from field: missing value";
        self.text("from").ok_or_else(|| format!("{verb} operation failed to decode from: {missing}"))
    }

    fn value(&self) -> Value {
        self.operation.get("value").cloned().unwrap_or(Value::Null)
    }

    fn add(&self, doc: &mut Value) -> Outcome {
        let path = self.text("path").ok_or("add operation failed to decode path: missing value")?;
        let place = Place::find(doc, path).ok_or_else(|| {
            format!("add operation does not apply: doc is missing path: \"{path}\": missing value")
        })?;
        place.add(doc, self.value()).map_err(|why| format!("error in add for path: '{path}': {why}"))
    }

    fn remove(&self, doc: &mut Value) -> Outcome {
        let path = self.text("path").ok_or("remove operation failed to decode path: missing value")?;
        let place = Place::find(doc, path).ok_or_else(|| {
            format!("remove operation does not apply: doc is missing path: \"{path}\": missing value")
        })?;
        place.remove(doc).map_err(|why| format!("error in remove for path: '{path}': {why}"))
    }

    fn replace(&self, doc: &mut Value) -> Outcome {
        let path = self.path("replace")?;
        let value = self.value();
        if path.is_empty() {
            if !value.is_object() && !value.is_array() {
                return Err("replace operation value must be object or array: %!w(<nil>)".to_owned());
            }
            *doc = value;
            return Ok(());
        }
        let missing = |what: &str| {
            format!("replace operation does not apply: doc is missing {what}: {path}: missing value")
        };
        let place = Place::find(doc, path).ok_or_else(|| missing("path"))?;
        place.get(doc).map_err(|_| missing("key"))?;
        place.set(doc, value).map_err(|why| format!("error in remove for path: '{path}': {why}"))
    }

    fn shift(&self, doc: &mut Value) -> Outcome {
        let from = self.from("move")?;
        let source = Place::find(doc, from).ok_or_else(|| {
            format!("move operation does not apply: doc is missing from path: {from}: missing value")
        })?;
        let wrong = |why: Failure| format!("error in move for path: '{}': {why}", source.key());
        let value = source.get(doc).map_err(wrong)?.cloned().unwrap_or(Value::Null);
        source.remove(doc).map_err(wrong)?;
        let path = self.path("move")?;
        let target = Place::find(doc, path).ok_or_else(|| {
            format!("move operation does not apply: doc is missing destination path: {path}: missing value")
        })?;
        target.add(doc, value).map_err(|why| format!("error in move for path: '{path}': {why}"))
    }

    fn copy(&self, doc: &mut Value, copied: &mut usize) -> Outcome {
        let from = self.from("copy")?;
        let source = Place::find(doc, from).ok_or_else(|| {
            format!("copy operation does not apply: doc is missing from path: {from}: missing value")
        })?;
        let found = source.get(doc).map_err(|why| format!("error in copy for from: '{from}': {why}"))?;
        let value = found.cloned().unwrap_or(Value::Null);
        let path = self.text("path").ok_or("copy operation failed to decode path: missing value")?;
        let target = Place::find(doc, path).ok_or_else(|| {
            format!("copy operation does not apply: doc is missing destination path: {path}: missing value")
        })?;
        *copied += value.to_string().len();
        if *copied > MAX_COPIED_BYTES {
            return Err(format!(
                "Unable to complete the copy, the accumulated size increase of copy is {copied}, \
                 exceeding the limit {MAX_COPIED_BYTES}"
            ));
        }
        target.add(doc, value).map_err(|why| format!("error while adding value during copy: {why}"))
    }

    fn test(&self, doc: &Value) -> Outcome {
        let path = self.path("test")?;
        let failed = || format!("testing value {path} failed: test failed");
        let wanted = self.value();
        if path.is_empty() {
            return if *doc == wanted { Ok(()) } else { Err(failed()) };
        }
        let place = Place::find(doc, path).ok_or_else(|| {
            format!("test operation does not apply: is missing path: {path}: missing value")
        })?;
        let found = place.get(doc).map_err(|why| format!("error in test for path: '{path}': {why}"))?;
        if *found.unwrap_or(&Value::Null) == wanted { Ok(()) } else { Err(failed()) }
    }
}

#[cfg(test)]
mod tests;
