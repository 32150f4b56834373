//! Ownership that was recorded under an older schema.

use serde_json::Value;

use super::Atom;
use crate::fields::{PathElement, Set};
use crate::schema::{Schema, TypeRef};

/// `set` with what lies inside now atomic lists and maps replaced by the list or map itself.
pub fn reconciled(schema: &Schema, ty: &TypeRef, set: &Set) -> Set {
    let mut walk = Walk { schema, path: Vec::new(), atomic: Set::new() };
    walk.below(ty, set);
    if walk.atomic.is_empty() { set.clone() } else { set.without_below(&walk.atomic).union(&walk.atomic) }
}

struct Walk<'a> {
    schema: &'a Schema,
    path: Vec<PathElement>,
    atomic: Set,
}

impl Walk<'_> {
    fn below(&mut self, ty: &TypeRef, set: &Set) {
        match Atom::of(self.schema, ty, &Value::Null) {
            Atom::Scalar(_) => {}
            Atom::Map(map) if map.is_untyped() => {}
            Atom::Map(map) if map.is_atomic() => self.found(set),
            Atom::List(list) if list.is_atomic() => self.found(set),
            Atom::Map(map) => {
                for (element, child) in &set.children {
                    let ty = match element {
                        PathElement::Field(name) => map.declared(name),
                        PathElement::Key(_) | PathElement::Value(_) | PathElement::Index(_) => None,
                    };
                    if let Some(ty) = ty {
                        self.child(element, ty, child);
                    }
                }
            }
            Atom::List(list) => {
                for (element, child) in &set.children {
                    self.child(element, list.element, child);
                }
            }
        }
    }

    fn child(&mut self, element: &PathElement, ty: &TypeRef, set: &Set) {
        self.path.push(element.clone());
        self.below(ty, set);
        self.path.pop();
    }

    fn found(&mut self, set: &Set) {
        if !set.is_empty() {
            self.atomic.insert(&self.path);
        }
    }
}
