//! What differs between two values.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Atom, ListAtom, MapAtom, list_items};
use crate::fields::{PathElement, Set, compare_values};
use crate::schema::{Schema, TypeRef};

/// The paths in which two values differ.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Only in the first.
    pub removed: Set,
    /// In both, but not the same.
    pub modified: Set,
    /// Only in the second.
    pub added: Set,
}

/// Compares two values of one type.
///
/// # Errors
/// A text naming a list element that lacks what tells it apart.
pub fn compare(schema: &Schema, ty: &TypeRef, left: &Value, right: &Value) -> Result<Comparison, String> {
    let mut walk = Walk { schema, path: Vec::new(), found: Comparison::default() };
    walk.pair(ty, Some(left), Some(right))?;
    Ok(walk.found)
}

struct Walk<'a> {
    schema: &'a Schema,
    path: Vec<PathElement>,
    found: Comparison,
}

/// Whether a pair was taken as one leaf.
#[derive(PartialEq)]
enum Seen {
    Leaf,
    Inside,
}

impl Walk<'_> {
    fn pair(&mut self, ty: &TypeRef, left: Option<&Value>, right: Option<&Value>) -> Result<(), String> {
        let (first, second) = Atom::of_pair(self.schema, ty, left, right);
        let mut seen = Seen::Inside;
        for atom in [first, second].into_iter().flatten() {
            seen = self.atom(atom, left, right)?;
        }
        if seen == Seen::Inside {
            match (left, right) {
                (None, _) => self.found.added.insert(&self.path),
                (_, None) => self.found.removed.insert(&self.path),
                _ => {}
            }
        }
        Ok(())
    }

    fn atom(&mut self, atom: Atom<'_>, left: Option<&Value>, right: Option<&Value>) -> Result<Seen, String> {
        let is_leaf = match atom {
            Atom::Scalar(_) => true,
            Atom::List(list) => {
                list.is_atomic() || list_items(left).is_empty() && list_items(right).is_empty()
            }
            Atom::Map(map) => map.is_atomic() || !has_keys(left) && !has_keys(right),
        };
        if is_leaf {
            self.leaf(left, right);
            return Ok(Seen::Leaf);
        }
        match atom {
            Atom::List(list) => self.list(list, list_items(left), list_items(right))?,
            Atom::Map(map) => self.map(map, left, right)?,
            Atom::Scalar(_) => {}
        }
        Ok(Seen::Inside)
    }

    fn leaf(&mut self, left: Option<&Value>, right: Option<&Value>) {
        match (left, right) {
            (None, _) => self.found.added.insert(&self.path),
            (_, None) => self.found.removed.insert(&self.path),
            (Some(left), Some(right)) if compare_values(left, right).is_ne() => {
                self.found.modified.insert(&self.path);
            }
            _ => {}
        }
    }

    fn map(&mut self, map: MapAtom<'_>, left: Option<&Value>, right: Option<&Value>) -> Result<(), String> {
        let mut pairs: BTreeMap<&str, (Option<&Value>, Option<&Value>)> = BTreeMap::new();
        for (key, value) in left.and_then(Value::as_object).into_iter().flatten() {
            pairs.entry(key).or_default().0 = Some(value);
        }
        for (key, value) in right.and_then(Value::as_object).into_iter().flatten() {
            pairs.entry(key).or_default().1 = Some(value);
        }
        for (key, (left, right)) in pairs {
            self.path.push(PathElement::field(key));
            self.pair(map.child(key), left, right)?;
            self.path.pop();
        }
        Ok(())
    }

    fn list(&mut self, list: ListAtom<'_>, left: &[Value], right: &[Value]) -> Result<(), String> {
        let mut pairs: BTreeMap<PathElement, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
        for (index, item) in left.iter().enumerate() {
            pairs.entry(self.element(list, index, item)?).or_default().0.push(item);
        }
        for (index, item) in right.iter().enumerate() {
            pairs.entry(self.element(list, index, item)?).or_default().1.push(item);
        }
        for (element, (left, right)) in pairs {
            self.path.push(element);
            self.item(list, &left, &right)?;
            self.path.pop();
        }
        Ok(())
    }

    fn element(&self, list: ListAtom<'_>, index: usize, item: &Value) -> Result<PathElement, String> {
        let path = || crate::fields::path_text(&self.path);
        list.path_element(self.schema, item).map_err(|why| format!("{}: element {index}: {why}", path()))
    }

    /// Elements that are there more than once are compared as one leaf.
    fn item(&mut self, list: ListAtom<'_>, left: &[&Value], right: &[&Value]) -> Result<(), String> {
        match (left, right) {
            ([] | [_], [] | [_]) => self.pair(list.element, left.first().copied(), right.first().copied())?,
            ([_, _, ..], [_, _, ..]) => {
                let same = left.len() == right.len()
                    && left.iter().zip(right).all(|(left, right)| compare_values(left, right).is_eq());
                if !same {
                    self.found.modified.insert(&self.path);
                }
            }
            ([_, _, ..], _) => {
                if let Some(right) = right.first() {
                    self.pair(list.element, None, Some(right))?;
                }
                self.found.removed.insert(&self.path);
            }
            _ => {
                if let Some(left) = left.first() {
                    self.pair(list.element, Some(left), None)?;
                }
                self.found.added.insert(&self.path);
            }
        }
        Ok(())
    }
}

fn has_keys(value: Option<&Value>) -> bool {
    value.and_then(Value::as_object).is_some_and(|map| !map.is_empty())
}
