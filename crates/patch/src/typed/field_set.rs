//! The paths of a value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Atom, ListAtom, MapAtom};
use crate::fields::{PathElement, Set};
use crate::schema::{Schema, TypeRef, UNTYPED_REF};

/// The paths of all leaves and list elements that `value` mentions.
pub fn field_set(schema: &Schema, ty: &TypeRef, value: &Value) -> Set {
    let mut walk = Walk { schema, path: Vec::new(), set: Set::new() };
    walk.value(ty, value);
    walk.set
}

struct Walk<'a> {
    schema: &'a Schema,
    path: Vec<PathElement>,
    set: Set,
}

impl Walk<'_> {
    fn value(&mut self, ty: &TypeRef, value: &Value) {
        match Atom::of(self.schema, ty, value) {
            Atom::Scalar(_) => self.set.insert(&self.path),
            Atom::List(list) if list.is_atomic() => self.set.insert(&self.path),
            Atom::Map(map) if map.is_atomic() => self.set.insert(&self.path),
            Atom::List(list) => self.list(list, value),
            Atom::Map(map) => self.map(map, value),
        }
    }

    /// Elements that are there twice are owned as one, without what is in them.
    fn list(&mut self, list: ListAtom<'_>, value: &Value) {
        let items = super::list_items(Some(value));
        let elements: Vec<Option<PathElement>> =
            items.iter().map(|item| list.path_element(self.schema, item).ok()).collect();
        let mut seen = BTreeMap::new();
        for element in elements.iter().flatten() {
            *seen.entry(element.clone()).or_insert(0) += 1;
        }
        for (item, element) in items.iter().zip(elements) {
            let Some(element) = element else { continue };
            let single = seen.get(&element) == Some(&1);
            self.path.push(element);
            if single {
                self.value(list.element, item);
            }
            self.set.insert(&self.path);
            self.path.pop();
        }
    }

    fn map(&mut self, map: MapAtom<'_>, value: &Value) {
        for (key, value) in value.as_object().into_iter().flatten() {
            self.path.push(PathElement::field(key));
            self.value(map.child(key), value);
            let empty = value.as_object().is_some_and(serde_json::Map::is_empty);
            if value.is_null() || empty || !map.has_field(key) {
                self.set.insert(&self.path);
            }
            self.path.pop();
        }
    }
}

/// `set` and, in it, every known field that a path passes through.
pub fn with_named_fields(schema: &Schema, ty: &TypeRef, set: &Set) -> Set {
    let atom = Atom::of(schema, ty, &Value::Null);
    let mut members: BTreeSet<PathElement> = set.members.clone();
    let mut children = BTreeMap::new();
    for (element, child) in &set.children {
        let below = match (element, atom) {
            (PathElement::Field(name), Atom::Map(map)) => {
                if map.has_field(name) {
                    members.insert(element.clone());
                }
                map.child(name)
            }
            (PathElement::Key(_), Atom::List(list)) => list.element,
            _ => &UNTYPED_REF,
        };
        children.insert(element.clone(), with_named_fields(schema, below, child));
    }
    Set { members, children }
}
