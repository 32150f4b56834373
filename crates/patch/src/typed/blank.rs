//! What a value of a Go type has though nobody wrote it.
//!
//! Upstream compares Go structs, in which a struct that is no pointer is always there. OpenAPI shows those as
//! fields with the default `{}`. Without them, whoever creates a Deployment would own `.spec.strategy` itself.

use serde_json::{Map, Value};

use super::prune::may_be_null;
use crate::schema::{Field, Schema, Struct, Type, TypeRef};

/// The zero value of a type.
pub fn blank(schema: &Schema, ty: &TypeRef) -> Value {
    let Type::Struct(object) = schema.resolve(ty) else { return Value::Object(Map::new()) };
    let mut out = always_there(schema, object);
    for name in &object.required {
        let zero = object.fields.get(name).and_then(|field| field.default.clone()).unwrap_or(Value::Null);
        out.entry(name.clone()).or_insert(zero);
    }
    Value::Object(out)
}

fn always_there(schema: &Schema, object: &Struct) -> Map<String, Value> {
    let inner = object.fields.iter().filter(|(_, field)| is_inner_struct(schema, field));
    inner.map(|(name, field)| (name.clone(), blank(schema, &field.ty))).collect()
}

fn is_inner_struct(schema: &Schema, field: &Field) -> bool {
    let empty = field.default.as_ref().and_then(Value::as_object).is_some_and(Map::is_empty);
    empty && matches!(schema.resolve(&field.ty), Type::Struct(_))
}

/// `value` with the inner structs that it does not mention, and without the nulls that it cannot hold.
pub fn completed(schema: &Schema, ty: &TypeRef, value: &Value) -> Value {
    match (schema.resolve(ty), value) {
        (Type::Struct(object), Value::Object(entries)) => {
            let mut out = always_there(schema, object);
            for (key, value) in entries {
                match object.fields.get(key) {
                    Some(_) if value.is_null() && !may_be_null(schema, ty, key) => {}
                    Some(field) => {
                        out.insert(key.clone(), completed(schema, &field.ty, value));
                    }
                    None => {
                        out.insert(key.clone(), value.clone());
                    }
                }
            }
            Value::Object(out)
        }
        (Type::Map { element, .. }, Value::Object(entries)) => {
            let entry = |(key, value): (&String, &Value)| (key.clone(), completed(schema, element, value));
            Value::Object(entries.iter().map(entry).collect())
        }
        (Type::List(list), Value::Array(items)) => {
            Value::Array(items.iter().map(|item| completed(schema, &list.element, item)).collect())
        }
        _ => value.clone(),
    }
}
