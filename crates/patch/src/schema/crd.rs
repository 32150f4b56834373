//! Structural schemas of custom resources.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Field, List, ListKind, MapKind, PatchRule, Scalar, Schema, Struct, Type, TypeRef};

/// How deep a schema is followed; below it nothing is known.
const MAX_DEPTH: usize = 128;

/// Whether fields that are not listed are kept, here and below.
#[derive(Clone, Copy, PartialEq)]
enum Unknown {
    Refused,
    Kept,
}

pub(super) fn schema(open_api: &Value) -> Schema {
    let mut root = convert(open_api, Unknown::Refused, MAX_DEPTH);
    if root == Type::Untyped {
        root = object(&Value::Null, Unknown::Kept, MAX_DEPTH);
    }
    with_meta(&mut root);
    Schema { kinds: BTreeMap::new(), types: BTreeMap::new(), root: Some(TypeRef::inline(root)) }
}

/// Every object has `apiVersion`, `kind` and `metadata`, whatever its schema says of them.
fn with_meta(ty: &mut Type) {
    if let Type::Map { element, kind } = ty {
        let (others, kind) = (Some(element.clone()), *kind);
        *ty = Type::Struct(Struct { fields: BTreeMap::new(), others, kind, required: BTreeSet::new() });
    }
    if let Type::Struct(object) = ty {
        for name in ["apiVersion", "kind"] {
            object.fields.insert(name.to_owned(), plain(TypeRef::inline(Type::Scalar(Scalar::String))));
        }
        object.fields.insert("metadata".to_owned(), plain(TypeRef::named("meta.v1.ObjectMeta")));
    }
}

fn plain(ty: TypeRef) -> Field {
    Field { ty, patch: PatchRule::default(), default: None }
}

fn convert(schema: &Value, unknown: Unknown, depth: usize) -> Type {
    if depth == 0 {
        return Type::Untyped;
    }
    let unknown =
        if schema["x-kubernetes-preserve-unknown-fields"] == true { Unknown::Kept } else { unknown };
    if schema["x-kubernetes-int-or-string"] == true {
        return Type::Scalar(Scalar::Any);
    }
    let mut ty = match schema["type"].as_str() {
        Some("object") => object(schema, unknown, depth),
        Some("array") => list(schema, unknown, depth),
        Some("string") => match schema["format"].as_str() {
            None | Some("" | "byte") => Type::Scalar(Scalar::String),
            Some(_) => Type::Scalar(Scalar::Any),
        },
        Some("integer" | "number") => Type::Scalar(Scalar::Number),
        Some("boolean") => Type::Scalar(Scalar::Boolean),
        _ => Type::Untyped,
    };
    if schema["x-kubernetes-embedded-resource"] == true {
        with_meta(&mut ty);
    }
    ty
}

fn object(schema: &Value, unknown: Unknown, depth: usize) -> Type {
    let reference = |schema: &Value| TypeRef::inline(convert(schema, unknown, depth - 1));
    let kind = match schema["x-kubernetes-map-type"].as_str() {
        Some("atomic") => MapKind::Atomic,
        _ => MapKind::Granular,
    };
    let properties = schema["properties"].as_object();
    let others = match &schema["additionalProperties"] {
        Value::Object(_) => Some(reference(&schema["additionalProperties"])),
        Value::Bool(true) => Some(TypeRef::Untyped),
        Value::Bool(false) => None,
        _ if unknown == Unknown::Kept || properties.is_none_or(serde_json::Map::is_empty) => {
            Some(TypeRef::Untyped)
        }
        _ => None,
    };
    match (properties, others) {
        (None, Some(element)) => Type::Map { element, kind },
        (properties, others) => {
            let field = |schema: &Value| Field {
                default: schema.get("default").cloned(),
                ..plain(reference(schema))
            };
            let fields = properties.into_iter().flatten().map(|(name, schema)| (name.clone(), field(schema)));
            let required = schema["required"].as_array().into_iter().flatten();
            let required = required.filter_map(Value::as_str).map(str::to_owned).collect();
            Type::Struct(Struct { fields: fields.collect(), others, kind, required })
        }
    }
}

fn list(schema: &Value, unknown: Unknown, depth: usize) -> Type {
    let keys = || schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
    let kind = match schema["x-kubernetes-list-type"].as_str() {
        Some("map") => ListKind::Map(keys().filter_map(Value::as_str).map(str::to_owned).collect()),
        Some("set") => ListKind::Set,
        _ => ListKind::Atomic,
    };
    let element = match schema.get("items") {
        Some(items) => TypeRef::inline(convert(items, unknown, depth - 1)),
        None => TypeRef::Untyped,
    };
    Type::List(List { element, kind })
}
