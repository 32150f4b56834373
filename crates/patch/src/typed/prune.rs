//! A value without some of its paths.

use serde_json::{Map, Value};

use super::{Atom, ListAtom, MapAtom};
use crate::fields::{PathElement, Set};
use crate::schema::{Scalar, Schema, Type, TypeRef};

/// `value` without the list elements and fields in `gone`. An object or list of which nothing is left is null.
pub fn without(schema: &Schema, ty: &TypeRef, value: &Value, gone: &Set) -> Value {
    match (Atom::of(schema, ty, value), value) {
        (Atom::List(list), Value::Array(items)) if !list.is_atomic() => {
            items_without(schema, list, items, gone)
        }
        (Atom::Map(map), Value::Object(entries)) if !map.is_atomic() => {
            fields_without(schema, map, entries, gone)
        }
        (Atom::Scalar(_), value) => value.clone(),
        _ => Value::Null,
    }
}

fn items_without(schema: &Schema, list: ListAtom<'_>, items: &[Value], gone: &Set) -> Value {
    let mut kept = Vec::new();
    for item in items {
        let Ok(element) = list.path_element(schema, item) else { continue };
        if gone.members.contains(&element) {
            continue;
        }
        kept.push(match gone.children.get(&element).filter(|below| !below.is_empty()) {
            Some(below) => without(schema, list.element, item, below),
            None => item.clone(),
        });
    }
    if kept.is_empty() { Value::Null } else { Value::Array(kept) }
}

fn fields_without(schema: &Schema, map: MapAtom<'_>, entries: &Map<String, Value>, gone: &Set) -> Value {
    let mut kept = Map::new();
    for (key, value) in entries {
        let element = PathElement::field(key);
        if gone.members.contains(&element) {
            continue;
        }
        let value = match gone.children.get(&element).filter(|below| !below.is_empty()) {
            Some(below) => without(schema, map.child(key), value, below),
            None => value.clone(),
        };
        kept.insert(key.clone(), value);
    }
    if kept.is_empty() { Value::Null } else { Value::Object(kept) }
}

/// As [`without`], but objects and lists of which nothing is left go altogether.
pub fn without_emptied(schema: &Schema, ty: &TypeRef, value: &Value, gone: &Set) -> Value {
    let mut left = without(schema, ty, value, gone);
    drop_new_nulls(value, &mut left);
    left
}

fn drop_new_nulls(before: &Value, after: &mut Value) {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return };
    after.retain(|key, value| !value.is_null() || before.get(key).is_some_and(Value::is_null));
    for (key, value) in after.iter_mut() {
        drop_new_nulls(&before[key], value);
    }
}

/// `value` without the nulls that a Go struct cannot hold.
pub fn without_nulls(schema: &Schema, ty: &TypeRef, value: &Value) -> Value {
    match (Atom::of(schema, ty, value), value) {
        (Atom::Map(map), Value::Object(entries)) => {
            let kept = entries.iter().filter(|(key, value)| !value.is_null() || may_be_null(schema, ty, key));
            let kept = kept.map(|(key, value)| (key.clone(), without_nulls(schema, map.child(key), value)));
            Value::Object(kept.collect())
        }
        (Atom::List(list), Value::Array(items)) => {
            Value::Array(items.iter().map(|item| without_nulls(schema, list.element, item)).collect())
        }
        _ => value.clone(),
    }
}

/// Whether Go may write null for a field: a time that is not set, a list that is always written. Whatever is not
/// a known field may be null, too.
pub fn may_be_null(schema: &Schema, ty: &TypeRef, key: &str) -> bool {
    let Type::Struct(object) = schema.resolve(ty) else { return true };
    let Some(field) = object.fields.get(key) else { return true };
    object.required.contains(key) || *schema.resolve(&field.ty) == Type::Scalar(Scalar::Any)
}
