//! Merging lists element by element.

use std::collections::BTreeSet;

use serde_json::Value;

use super::DIRECTIVE;
use super::at::At;
use super::map::{self, Mode};
use super::order::{self, Elements};
use crate::PatchError;

/// Merges the list of a patch into a list with the merge strategy.
pub fn merge(
    original: Vec<Value>,
    patch: Vec<Value>,
    merge_key: &str,
    at: At<'_>,
    mode: Mode,
) -> Result<Vec<Value>, PatchError> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    let kind = order::elements(&[&original, &patch])?;
    let (live_order, patch_order, merged) = match kind {
        Elements::Scalars => {
            let both = original.iter().chain(&patch).cloned().collect();
            (original, patch, distinct(both))
        }
        Elements::Maps => {
            if merge_key.is_empty() {
                let name = at.name();
                return Err(PatchError::Internal(format!("cannot merge lists without merge key for {name}")));
            }
            let (live, patch) = follow_directives(original, patch, merge_key)?;
            let merged = merge_maps(live.clone(), patch.clone(), merge_key, at, mode)?;
            (live, patch, merged)
        }
    };
    let parts = order::partition(merged, &patch_order, merge_key)?;
    order::interleaved(parts, &patch_order, &live_order, merge_key, kind)
}

/// Without repetitions; the first stays.
pub fn distinct(list: Vec<Value>) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    list.into_iter().filter(|value| seen.insert(value.to_string())).collect()
}

/// Deletes or replaces as the patch's `$patch` elements say, and takes those out of the patch.
fn follow_directives(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    merge_key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    let mut plain = Vec::with_capacity(patch.len());
    let mut replaces = false;
    for element in patch {
        let Some(directive) = element.get(DIRECTIVE) else {
            plain.push(element);
            continue;
        };
        match directive.as_str() {
            Some("delete") => {
                let gone = element.get(merge_key).ok_or_else(|| order::no_merge_key(&element, merge_key))?;
                original.retain(|item| item.get(merge_key) != Some(gone));
            }
            Some("replace") => replaces = true,
            Some("merge") => {
                let text = "merging lists cannot yet be specified in the patch";
                return Err(PatchError::Internal(text.to_owned()));
            }
            _ => {
                let map = element.as_object().cloned().unwrap_or_default();
                return Err(map::unknown_directive(directive, &map));
            }
        }
    }
    Ok(if replaces { (plain, Vec::new()) } else { (original, plain) })
}

fn merge_maps(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    merge_key: &str,
    at: At<'_>,
    mode: Mode,
) -> Result<Vec<Value>, PatchError> {
    for element in patch {
        let key = element.get(merge_key).ok_or_else(|| order::no_merge_key(&element, merge_key))?;
        let found = original.iter_mut().find(|item| item.get(merge_key) == Some(key));
        match (found, element) {
            (Some(found), Value::Object(change)) => {
                let live = found.as_object_mut().map(std::mem::take).unwrap_or_default();
                *found = Value::Object(map::merge(live, change, at, mode)?);
            }
            (_, element) => original.push(element),
        }
    }
    Ok(original)
}
