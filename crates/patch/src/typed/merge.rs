//! One value over another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value};

use super::{Atom, ListAtom, MapAtom, list_items};
use crate::fields::PathElement;
use crate::schema::{Schema, TypeRef};

/// `right` over `left`: each leaf of `right` stands, the others of `left` stay. Lists that merge are in the order
/// of `right`, what only `left` has stays near its place.
///
/// # Errors
/// A text naming a list element that lacks what tells it apart, or is there twice in `right`.
pub fn merge(schema: &Schema, ty: &TypeRef, left: &Value, right: &Value) -> Result<Value, String> {
    Ok(pair(schema, ty, Some(left), Some(right))?.unwrap_or(Value::Null))
}

fn pair(
    schema: &Schema,
    ty: &TypeRef,
    left: Option<&Value>,
    right: Option<&Value>,
) -> Result<Option<Value>, String> {
    let Some(atom) = right.or(left).map(|value| Atom::of(schema, ty, value)) else { return Ok(None) };
    let keep = || Ok(right.or(left).cloned());
    match atom {
        Atom::Scalar(_) => keep(),
        Atom::List(list) => {
            let (left_items, right_items) = (list_items(left), list_items(right));
            if list.is_atomic() || left_items.is_empty() && right_items.is_empty() {
                return keep();
            }
            lists(schema, list, left_items, right_items)
        }
        Atom::Map(map) => {
            let of = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
            let (left_map, right_map) = (of(left), of(right));
            if map.is_atomic() || left_map.is_empty() && right_map.is_empty() {
                return keep();
            }
            maps(schema, map, &left_map, &right_map)
        }
    }
}

fn maps(
    schema: &Schema,
    map: MapAtom<'_>,
    left: &Map<String, Value>,
    right: &Map<String, Value>,
) -> Result<Option<Value>, String> {
    let mut out = Map::new();
    let new = right.keys().filter(|key| !left.contains_key(*key));
    for key in left.keys().chain(new) {
        let merged = pair(schema, map.child(key), left.get(key), right.get(key))
            .map_err(|why| format!(".{key}{}{why}", if why.starts_with(['.', '[']) { "" } else { ": " }))?;
        if let Some(value) = merged {
            out.insert(key.clone(), value);
        }
    }
    Ok((!out.is_empty()).then_some(Value::Object(out)))
}

/// The elements of one side.
struct Side<'a> {
    elements: Vec<PathElement>,
    /// `None` for elements that are there more than once.
    items: BTreeMap<PathElement, Option<&'a Value>>,
}

impl<'a> Side<'a> {
    fn new(schema: &Schema, list: ListAtom<'_>, items: &'a [Value]) -> Result<Self, String> {
        let mut side = Self { elements: Vec::new(), items: BTreeMap::new() };
        for (index, item) in items.iter().enumerate() {
            let element = list.path_element(schema, item).map_err(|why| format!("element {index}: {why}"))?;
            let single = !side.items.contains_key(&element);
            side.items.insert(element.clone(), single.then_some(item));
            side.elements.push(element);
        }
        Ok(side)
    }

    fn get(&self, element: &PathElement) -> Option<&'a Value> {
        self.items.get(element).copied().flatten()
    }
}

fn lists(
    schema: &Schema,
    list: ListAtom<'_>,
    left_items: &[Value],
    right_items: &[Value],
) -> Result<Option<Value>, String> {
    let right = Side::new(schema, list, right_items)?;
    if let Some((element, _)) = right.items.iter().find(|(_, item)| item.is_none()) {
        return Err(format!("duplicate entries for key {element}"));
    }
    let left = Side::new(schema, list, left_items)?;
    let mut out = Vec::with_capacity(left_items.len().max(right_items.len()));
    for step in order(&left, &right) {
        let (element, ours, theirs) = match step {
            Step::Left(at) => (&left.elements[at], Some(&left_items[at]), None),
            Step::Right(at) => {
                let element = &right.elements[at];
                (element, left.get(element), right.get(element))
            }
        };
        let merged = pair(schema, list.element, ours, theirs).map_err(|why| format!("{element}{why}"))?;
        out.extend(merged);
    }
    Ok((!out.is_empty()).then_some(Value::Array(out)))
}

/// Takes an element that only the left has, or one of the right, by position.
enum Step {
    Left(usize),
    Right(usize),
}

/// The order of the merged list. Shared elements come as the right has them; before each, the elements that only
/// the left has in front of it.
fn order(left: &Side<'_>, right: &Side<'_>) -> Vec<Step> {
    let mut shared: VecDeque<&PathElement> =
        right.elements.iter().filter(|element| left.items.contains_key(*element)).collect();
    let mut next = shared.pop_front();
    let mut merged = BTreeSet::new();
    let mut steps = Vec::new();
    let (mut l, mut r) = (0, 0);
    while l < left.elements.len() || r < right.elements.len() {
        if let (Some(ours), Some(theirs)) = (left.elements.get(l), right.elements.get(r)) {
            if ours == theirs {
                merged.insert(theirs);
                steps.push(Step::Right(r));
                (l, r) = (l + 1, r + 1);
                next = shared.pop_front();
                continue;
            }
            if right.items.contains_key(ours) && next.is_some_and(|next| next != ours) {
                l += 1;
                continue;
            }
        }
        if let Some(ours) = left.elements.get(l) {
            if !right.items.contains_key(ours) {
                steps.push(Step::Left(l));
                l += 1;
                continue;
            }
            if merged.contains(ours) {
                l += 1;
            }
        }
        if let Some(theirs) = right.elements.get(r) {
            merged.insert(theirs);
            steps.push(Step::Right(r));
            r += 1;
            if next == Some(theirs) {
                next = shared.pop_front();
            }
        }
    }
    steps
}
