//! Merging a patch into an object.

use serde_json::{Map, Value};

use super::at::At;
use super::list;
use super::order::{self, Positions};
use super::{DELETE_FROM, DIRECTIVE, GO_LIST, RETAIN_KEYS, SET_ORDER, malformed, named_field, wrong_type};
use crate::PatchError;
use crate::schema::PatchStrategy;
use crate::text::go_value;

type Object = Map<String, Value>;

/// What the merged document is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An object: directives are followed, nulls remove.
    Apply,
    /// Again a patch: directives and nulls are kept.
    Combine,
}

/// Merges `patch` into `original`.
pub fn merge(original: Object, mut patch: Object, at: At<'_>, mode: Mode) -> Result<Object, PatchError> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                Ok(patch)
            }
            Some("delete") => Ok(Object::new()),
            _ => Err(unknown_directive(directive, &patch)),
        };
    }
    let mut merged = original;
    retain_keys(&mut merged, &mut patch, mode)?;
    ordered_lists(&mut merged, &mut patch, at, mode)?;
    for key in sorted_keys(&patch) {
        if let Some(value) = patch.remove(&key) {
            merge_key(&mut merged, key, value, at, mode)?;
        }
    }
    Ok(merged)
}

pub fn unknown_directive(directive: &Value, map: &Object) -> PatchError {
    let (directive, map) = (go_value(directive), go_value(&Value::Object(map.clone())));
    PatchError::Internal(format!("unknown patch type: {directive} in map: {map}"))
}

/// Parallel lists (`$…`) come first.
fn sorted_keys(map: &Object) -> Vec<String> {
    let mut keys: Vec<String> = map.keys().cloned().collect();
    keys.sort();
    keys
}

fn merge_key(
    merged: &mut Object,
    key: String,
    mut change: Value,
    at: At<'_>,
    mode: Mode,
) -> Result<(), PatchError> {
    if key.starts_with(DELETE_FROM) {
        if mode == Mode::Combine {
            merged.insert(key, change);
            return Ok(());
        }
        let field = named_field(&key, DELETE_FROM, "primitive list")?;
        return delete_from(merged, &field, &change);
    }
    if change.is_null() {
        merged.remove(&key);
        if mode == Mode::Apply {
            return Ok(());
        }
    }
    let value = match (merged.remove(&key), change) {
        (Some(Value::Object(original)), Value::Object(change)) => {
            let (sub, rule) = at.object(&key)?;
            Some(Value::Object(match rule.strategy {
                PatchStrategy::Replace => change,
                PatchStrategy::Merge | PatchStrategy::Unset => merge(original, change, sub, mode)?,
            }))
        }
        (Some(Value::Array(original)), Value::Array(change)) => {
            let (sub, rule) = at.list(&key)?;
            Some(Value::Array(match rule.strategy {
                PatchStrategy::Merge => list::merge(original, change, &rule.merge_key, sub, mode)?,
                PatchStrategy::Replace | PatchStrategy::Unset => change,
            }))
        }
        (_, other) => {
            change = other;
            if mode == Mode::Apply {
                without_nulls(&mut change);
            }
            without_directives(change)
        }
    };
    if let Some(value) = value {
        merged.insert(key, value);
    }
    Ok(())
}

/// `$deleteFromPrimitiveList/FIELD`.
fn delete_from(merged: &mut Object, field: &str, change: &Value) -> Result<(), PatchError> {
    if change.is_null() {
        merged.remove(field);
        return Ok(());
    }
    if let (Some(Value::Array(items)), Value::Array(gone)) = (merged.get_mut(field), change) {
        if !(items.is_empty() && gone.is_empty()) {
            order::elements(&[items, gone])?;
        }
        items.retain(|item| !gone.contains(item));
    }
    Ok(())
}

/// Removes null fields, at any depth.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The value without the objects that carry `$patch`; `None` if it is one itself.
pub fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => {
            let kept = map.into_iter().filter_map(|(key, value)| Some((key, without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(without_directives).collect())),
        other => Some(other),
    }
}

/// `$retainKeys`: keys of the original that it does not list go; the patch may not have others.
fn retain_keys(original: &mut Object, patch: &mut Object, mode: Mode) -> Result<(), PatchError> {
    let Some(wanted) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    if mode == Mode::Combine {
        let found = original.entry(RETAIN_KEYS).or_insert_with(|| wanted.clone());
        if *found != wanted {
            let (found, wanted) = (go_value(found), go_value(&wanted));
            return Err(PatchError::Internal(format!(
                "{found} and {wanted} are not deep equal: this may happen when calculating the 3-way diff patch"
            )));
        }
        return Ok(());
    }
    let kept = wanted.as_array().ok_or_else(|| malformed("retainKeys"))?;
    let keeps = |key: &String| kept.iter().any(|kept| kept.as_str() == Some(key));
    for (key, value) in patch.iter() {
        let parallel = key.starts_with(DELETE_FROM) || key.starts_with(SET_ORDER);
        if !value.is_null() && !parallel && !keeps(key) {
            return Err(malformed("retainKeys"));
        }
    }
    original.retain(|key, _| keeps(key));
    Ok(())
}

/// `$setElementOrder/FIELD`: merges that list, puts it in order and takes it out of the patch.
fn ordered_lists(
    original: &mut Object,
    patch: &mut Object,
    at: At<'_>,
    mode: Mode,
) -> Result<(), PatchError> {
    for key in sorted_keys(patch).into_iter().filter(|key| key.starts_with(SET_ORDER)) {
        let Some(wanted) = patch.remove(&key) else { continue };
        if mode == Mode::Combine {
            let found = original.entry(key.clone()).or_insert_with(|| wanted.clone());
            if *found != wanted {
                return Err(malformed("setElementOrder list"));
            }
        }
        let Value::Array(wanted) = wanted else { return Err(wrong_type(GO_LIST, &wanted)) };
        let field = named_field(&key, SET_ORDER, "setElementOrder list")?;
        let live = as_list(original.get(&field))?;
        let change = as_list(patch.remove(&field).as_ref())?;
        if let Some(ordered) = ordered_list(live, change, &wanted, at.list(&field)?, mode)? {
            original.insert(field, Value::Array(ordered));
        }
    }
    Ok(())
}

fn as_list(value: Option<&Value>) -> Result<Option<Vec<Value>>, PatchError> {
    match value {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items.clone())),
        Some(other) => Err(wrong_type(GO_LIST, other)),
    }
}

fn ordered_list(
    live: Option<Vec<Value>>,
    change: Option<Vec<Value>>,
    wanted: &[Value],
    (at, rule): (At<'_>, &crate::schema::PatchRule),
    mode: Mode,
) -> Result<Option<Vec<Value>>, PatchError> {
    let merge_key = rule.merge_key.as_str();
    if let Some(change) = &change {
        same_order(change, wanted, merge_key)?;
    }
    let live_order = live.clone().unwrap_or_default();
    let kinds = order::elements(&[&live_order, change.as_deref().unwrap_or_default()]);
    let merged = match (live, change) {
        (None, None) => return Ok(None),
        (Some(live), None) => live,
        (None, Some(change)) => change.into_iter().filter_map(without_directives).collect(),
        (Some(live), Some(change)) => match rule.strategy {
            PatchStrategy::Merge => list::merge(live, change, merge_key, at, mode)?,
            PatchStrategy::Replace | PatchStrategy::Unset => change,
        },
    };
    let parts = order::partition(merged, wanted, merge_key)?;
    order::interleaved(parts, wanted, &live_order, merge_key, kinds?).map(Some)
}

/// Fails unless the patch's elements stand in the order list, in that order.
fn same_order(change: &[Value], wanted: &[Value], merge_key: &str) -> Result<(), PatchError> {
    if wanted.is_empty() || change.is_empty() {
        return Ok(());
    }
    let ordered: Vec<&Value> = change.iter().filter(|item| item.get(DIRECTIVE).is_none()).collect();
    if !merge_key.is_empty() {
        order::check_merge_keys(merge_key, &[wanted])?;
    }
    let positions = Positions::new(wanted, merge_key);
    let mut next = 0;
    for item in ordered {
        match positions.of(item) {
            Some(found) if found >= next => next = found + 1,
            _ => {
                let (change, wanted) = (Value::Array(change.to_vec()), Value::Array(wanted.to_vec()));
                return Err(PatchError::Internal(format!(
                    "The order in patch list:\n{}\n doesn't match {SET_ORDER} list:\n{}\n",
                    go_value(&change),
                    go_value(&wanted)
                )));
            }
        }
    }
    Ok(())
}
