//! The order of merged lists: what the patch asks for, then what the live list had.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{DIRECTIVE, GO_MAP, wrong_type};
use crate::PatchError;
use crate::text::{go_type, go_value};

/// What a list holds: objects told apart by a merge key, or scalars.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Elements {
    Maps,
    Scalars,
}

/// What all elements of the lists are; an error for mixed, nested or empty lists.
pub fn elements(lists: &[&[Value]]) -> Result<Elements, PatchError> {
    let mut all = lists.iter().flat_map(|list| list.iter());
    let first = all.next().filter(|value| !value.is_null());
    let Some(first) = first else {
        return Err(PatchError::Internal("no elements in any of the given slices".to_owned()));
    };
    if first.is_array() {
        return Err(PatchError::NotApplicable("lists of lists are not supported".to_owned()));
    }
    if all.any(|other| go_type(other) != go_type(first)) {
        let texts: Vec<String> = lists.iter().map(|list| go_value(&Value::Array(list.to_vec()))).collect();
        let texts = texts.join(" ");
        return Err(PatchError::Internal(format!("list element types are not identical: [{texts}]")));
    }
    Ok(if first.is_object() { Elements::Maps } else { Elements::Scalars })
}

/// What tells an element apart from others in its list.
pub fn identity(value: &Value, merge_key: &str) -> String {
    match value {
        Value::Object(map) if !merge_key.is_empty() => map.get(merge_key).unwrap_or(&Value::Null).to_string(),
        other => other.to_string(),
    }
}

/// The error for an element without its merge key.
pub fn no_merge_key(element: &Value, merge_key: &str) -> PatchError {
    let text = go_value(element);
    PatchError::Internal(format!("map: {text} does not contain declared merge key: {merge_key}"))
}

/// Fails unless each element is an object with the merge key.
pub fn check_merge_keys(merge_key: &str, lists: &[&[Value]]) -> Result<(), PatchError> {
    for element in lists.iter().flat_map(|list| list.iter()) {
        let map = element.as_object().ok_or_else(|| wrong_type(GO_MAP, element))?;
        if !map.contains_key(merge_key) {
            return Err(no_merge_key(element, merge_key));
        }
    }
    Ok(())
}

/// Whether an element only says that its like is to go.
pub fn deletes(element: &Value) -> bool {
    element.get(DIRECTIVE).is_some_and(|directive| directive == "delete")
}

/// The first position of each element in an order.
pub struct Positions<'k> {
    merge_key: &'k str,
    first: BTreeMap<String, usize>,
}

impl<'k> Positions<'k> {
    pub fn new(order: &[Value], merge_key: &'k str) -> Self {
        let mut first = BTreeMap::new();
        for (at, value) in order.iter().enumerate() {
            first.entry(identity(value, merge_key)).or_insert(at);
        }
        Self { merge_key, first }
    }

    pub fn of(&self, value: &Value) -> Option<usize> {
        self.first.get(&identity(value, self.merge_key)).copied()
    }
}

/// Splits into what stands in `by` and what does not.
pub fn partition(
    list: Vec<Value>,
    by: &[Value],
    merge_key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    if !merge_key.is_empty() {
        check_merge_keys(merge_key, &[&list])?;
    }
    let positions = Positions::new(by, merge_key);
    Ok(list.into_iter().partition(|value| positions.of(value).is_some()))
}

/// `list` in the order of `order`; elements that delete come last.
pub fn sorted(
    list: Vec<Value>,
    order: &[Value],
    merge_key: &str,
    kind: Elements,
) -> Result<Vec<Value>, PatchError> {
    let mut to_delete = Vec::new();
    let mut list = list;
    if kind == Elements::Maps {
        check_merge_keys(merge_key, &[&list, order])?;
        (to_delete, list) = list.into_iter().partition(deletes);
    }
    let positions = Positions::new(order, merge_key);
    list.sort_by_cached_key(|value| positions.of(value).unwrap_or(0));
    list.append(&mut to_delete);
    Ok(list)
}

/// Patch elements in the patch's order with server-only ones put where the live list had them.
pub fn interleaved(
    parts: (Vec<Value>, Vec<Value>),
    patch_order: &[Value],
    live_order: &[Value],
    merge_key: &str,
    kind: Elements,
) -> Result<Vec<Value>, PatchError> {
    let patch = sorted(parts.0, patch_order, merge_key, kind)?;
    let server_only = sorted(parts.1, live_order, merge_key, kind)?;
    let live = Positions::new(live_order, merge_key);
    let mut out = Vec::with_capacity(patch.len() + server_only.len());
    let (mut left, mut right) = (server_only.into_iter().peekable(), patch.into_iter().peekable());
    loop {
        let before = match (left.peek(), right.peek()) {
            (None, None) => return Ok(out),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(l), Some(r)) => matches!((live.of(l), live.of(r)), (Some(l), Some(r)) if l < r),
        };
        out.extend(if before { left.next() } else { right.next() });
    }
}
