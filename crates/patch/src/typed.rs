//! Walks over values led by their schema.
//!
//! **Source:** `sigs.k8s.io/structured-merge-diff/v6/typed`. A value that its type does not fit is walked as far
//! as it fits; a field that is not known is walked untyped.

mod blank;
mod compare;
mod field_set;
mod merge;
mod prune;
mod reconcile;
mod validate;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fields::PathElement;
use crate::schema::{Field, ListKind, MapKind, Scalar, Schema, Type, TypeRef, UNTYPED_REF};

pub use blank::{blank, completed};
pub use compare::{Comparison, compare};
pub use field_set::{field_set, with_named_fields};
pub use merge::merge;
pub use prune::{without, without_emptied, without_nulls};
pub use reconcile::reconciled;
pub use validate::{problems_text, validate};

/// What a type is for one value.
#[derive(Clone, Copy)]
pub enum Atom<'a> {
    Scalar(Scalar),
    List(ListAtom<'a>),
    Map(MapAtom<'a>),
}

#[derive(Clone, Copy)]
pub struct MapAtom<'a> {
    fields: Option<&'a BTreeMap<String, Field>>,
    others: Option<&'a TypeRef>,
    pub kind: MapKind,
}

#[derive(Clone, Copy)]
pub struct ListAtom<'a> {
    pub element: &'a TypeRef,
    pub kind: &'a ListKind,
}

impl<'a> Atom<'a> {
    /// What `ty` is for `value`; an untyped place is what the value is.
    pub fn of(schema: &'a Schema, ty: &'a TypeRef, value: &Value) -> Self {
        let overridden = match ty {
            TypeRef::Named { map, .. } => *map,
            TypeRef::Inline(_) | TypeRef::Untyped => None,
        };
        match schema.resolve(ty) {
            Type::Scalar(scalar) => Self::Scalar(*scalar),
            Type::List(list) => Self::List(ListAtom { element: &list.element, kind: &list.kind }),
            Type::Struct(object) => Self::Map(MapAtom {
                fields: Some(&object.fields),
                others: object.others.as_ref(),
                kind: overridden.unwrap_or(object.kind),
            }),
            Type::Map { element, kind } => {
                Self::Map(MapAtom { fields: None, others: Some(element), kind: overridden.unwrap_or(*kind) })
            }
            Type::Untyped => match value {
                Value::Array(_) => Self::List(ListAtom { element: &UNTYPED_REF, kind: &ListKind::Atomic }),
                Value::Object(_) | Value::Null => {
                    Self::Map(MapAtom { fields: None, others: Some(&UNTYPED_REF), kind: MapKind::Granular })
                }
                Value::Bool(_) | Value::Number(_) | Value::String(_) => Self::Scalar(Scalar::Any),
            },
        }
    }

    /// What `ty` is for a pair of values: twice where they are of two kinds.
    pub fn of_pair(
        schema: &'a Schema,
        ty: &'a TypeRef,
        left: Option<&Value>,
        right: Option<&Value>,
    ) -> (Option<Self>, Option<Self>) {
        let of = |value| Self::of(schema, ty, value);
        match (left.map(of), right.map(of)) {
            (Some(l), Some(r)) if l.rank() == r.rank() => (None, Some(r)),
            pair => pair,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Scalar(_) => 0,
            Self::List(_) => 1,
            Self::Map(_) => 2,
        }
    }
}

impl<'a> MapAtom<'a> {
    /// The type of the value at `key`.
    pub fn child(&self, key: &str) -> &'a TypeRef {
        self.declared(key).unwrap_or(&UNTYPED_REF)
    }

    /// The type of the value at `key`, if there may be one.
    pub fn declared(&self, key: &str) -> Option<&'a TypeRef> {
        self.fields.and_then(|fields| fields.get(key)).map(|field| &field.ty).or(self.others)
    }

    /// Whether `key` is a known field.
    pub fn has_field(&self, key: &str) -> bool {
        self.fields.is_some_and(|fields| fields.contains_key(key))
    }

    /// Whether nothing is known of what is inside.
    pub fn is_untyped(&self) -> bool {
        self.fields.is_none() && self.others == Some(&UNTYPED_REF)
    }

    pub fn is_atomic(&self) -> bool {
        self.kind == MapKind::Atomic
    }
}

impl ListAtom<'_> {
    pub fn is_atomic(&self) -> bool {
        *self.kind == ListKind::Atomic
    }

    /// What tells an element of a set or map list apart.
    pub fn path_element(&self, schema: &Schema, item: &Value) -> Result<PathElement, String> {
        match self.kind {
            ListKind::Atomic => Err("invalid indexing of non-associative list".to_owned()),
            ListKind::Set => set_element(item),
            ListKind::Map(keys) => self.keyed(schema, keys, item),
        }
    }

    fn keyed(&self, schema: &Schema, keys: &[String], item: &Value) -> Result<PathElement, String> {
        let map = match item {
            Value::Object(map) => map,
            Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
            _ => return Err("associative list with keys may not have non-map elements".to_owned()),
        };
        let default = |key: &str| schema.field(self.element, key).and_then(|field| field.default.as_ref());
        let mut found: Vec<(String, Value)> = keys
            .iter()
            .filter_map(|key| Some((key.clone(), map.get(key).or_else(|| default(key))?.clone())))
            .collect();
        if found.is_empty() && !keys.is_empty() {
            let names: Vec<String> = keys.iter().map(|key| crate::text::go_quoted(key)).collect();
            let names = names.join(" ");
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{names}] \
                 (and doesn't have default values for any key fields)"
            ));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(PathElement::Key(found))
    }
}

fn set_element(item: &Value) -> Result<PathElement, String> {
    match item {
        Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
        Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
        Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(PathElement::Value(item.clone())),
    }
}

/// Whether a list or object is absent, null, of another kind or without entries.
pub(crate) fn list_items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
