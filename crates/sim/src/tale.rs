//! What a seed tells: every write in order, as what it changed.

use std::fmt::Write as _;

use object::Value;
use store::{Store, StoreError};

/// Kinds that say little about a Rollout.
const LEFT_OUT: [&str; 4] = ["endpointslices/", "leases/", "customresourcedefinitions/", "nodes/"];
/// Most of one change that is shown, in bytes.
const LINE: usize = 1000;

/// Returns one line a write: its revision, whose time it is, and the merge patch from what was to what is.
///
/// Errors: the store has forgotten its beginning.
pub fn tale(store: &Store) -> Result<String, StoreError> {
    let mut watch = store.watch("", store.oldest())?;
    let mut text = String::new();
    while let Some(change) = watch.try_next() {
        let change = change?;
        if LEFT_OUT.iter().any(|kind| change.entry.key.contains(kind)) {
            continue;
        }
        let value = |entry: &store::Entry| serde_json::from_slice::<Value>(&entry.value).unwrap_or_default();
        let mut line = match (&change.previous, change.after()) {
            (_, None) => "deleted".to_owned(),
            (None, Some(new)) => format!("created {}", shown(value(new))),
            (Some(old), Some(new)) => {
                let diff = patch::merge::diff(&shown(value(old)), &shown(value(new)));
                diff.map(|diff| diff.to_string()).unwrap_or_default()
            }
        };
        let end = (0..=LINE.min(line.len())).rev().find(|at| line.is_char_boundary(*at));
        line.truncate(end.unwrap_or_default());
        let _ = writeln!(text, "{} {} {line}", change.revision(), change.entry.key);
    }
    Ok(text)
}

/// Returns an object without what only the API server needs.
fn shown(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}
