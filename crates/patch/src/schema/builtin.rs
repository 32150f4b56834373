//! Reads `builtin.json`, whose format is described where it is made: `xtask/src/schema.rs`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::{Field, List, ListKind, MapKind, PatchRule, Scalar, Schema, Struct, Type, TypeRef};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| load(include_str!("builtin.json")));

pub(super) fn schema() -> &'static Schema {
    &SCHEMA
}

#[expect(clippy::expect_used, reason = "the text is part of the program and a test reads it")]
fn load(text: &str) -> Schema {
    let document: Value = serde_json::from_str(text).expect("builtin.json is JSON");
    let entries = |key: &str| document[key].as_object().into_iter().flatten();
    let kinds = entries("kinds")
        .map(|(key, name)| (key.clone(), TypeRef::named(name.as_str().unwrap_or_default())))
        .collect();
    let types = entries("types").map(|(name, entry)| (Arc::from(name.as_str()), definition(entry))).collect();
    Schema { kinds, types, root: None }
}

fn definition(entry: &Value) -> Type {
    let Some(fields) = entry["fields"].as_object() else {
        return parse_type(entry.as_str().unwrap_or("any"), &Value::Null);
    };
    let fields: BTreeMap<String, Field> =
        fields.iter().map(|(name, entry)| (name.clone(), field(entry))).collect();
    let required = entry["required"].as_array().into_iter().flatten();
    let required = required.filter_map(Value::as_str).map(str::to_owned).collect();
    Type::Struct(Struct { fields, others: None, kind: map_kind(entry).unwrap_or_default(), required })
}

fn field(entry: &Value) -> Field {
    let text = entry.as_str().or_else(|| entry["type"].as_str()).unwrap_or("any");
    let strategies = entry["patch"].as_str().unwrap_or_default();
    Field {
        ty: parse_reference(text, entry),
        patch: PatchRule::parse(strategies, entry["mergeKey"].as_str().unwrap_or_default()),
        default: entry.get("default").cloned(),
    }
}

fn parse_reference(text: &str, entry: &Value) -> TypeRef {
    match text.strip_prefix('#') {
        Some(name) => TypeRef::Named { name: name.into(), map: map_kind(entry) },
        None => TypeRef::inline(parse_type(text, entry)),
    }
}

fn parse_type(text: &str, entry: &Value) -> Type {
    if let Some(element) = text.strip_prefix("[]") {
        let element = parse_reference(element, &Value::Null);
        return Type::List(List { element, kind: list_kind(entry) });
    }
    if let Some(element) = text.strip_prefix("{}") {
        let element = parse_reference(element, &Value::Null);
        return Type::Map { element, kind: map_kind(entry).unwrap_or_default() };
    }
    match text {
        "any" => Type::Untyped,
        "object" => Type::Map { element: TypeRef::Untyped, kind: map_kind(entry).unwrap_or_default() },
        "string" | "string:byte" => Type::Scalar(Scalar::String),
        "boolean" => Type::Scalar(Scalar::Boolean),
        _ if text.starts_with("integer") || text.starts_with("number") => Type::Scalar(Scalar::Number),
        _ => Type::Scalar(Scalar::Any),
    }
}

fn map_kind(entry: &Value) -> Option<MapKind> {
    match entry["mapType"].as_str()? {
        "atomic" => Some(MapKind::Atomic),
        _ => Some(MapKind::Granular),
    }
}

/// **Source:** kube-openapi's conversion: without a list type, the patch strategy decides.
fn list_kind(entry: &Value) -> ListKind {
    let keys = || entry["listKeys"].as_array().into_iter().flatten();
    match (entry["listType"].as_str(), entry["patch"].as_str()) {
        (Some("map"), _) => ListKind::Map(keys().filter_map(Value::as_str).map(str::to_owned).collect()),
        (Some("set"), _) => ListKind::Set,
        (None, Some("merge" | "merge,retainKeys")) => match entry["mergeKey"].as_str() {
            Some(key) => ListKind::Map(vec![key.to_owned()]),
            None => ListKind::Set,
        },
        _ => ListKind::Atomic,
    }
}
