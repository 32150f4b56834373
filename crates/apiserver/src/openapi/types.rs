//! Go types and structural schemas as OpenAPI.

use std::collections::BTreeMap;

use patch::schema::{ListKind, PatchStrategy, Schema, Type as Merging, TypeRef};
use serde_json::{Map, Value, json};

use crate::go::{self, Omit, Type};
use crate::kinds::Kind;

type Schemas = BTreeMap<String, Value>;

/// Adds the schema of a kind, and what it needs, to `schemas`; returns its name.
pub(super) fn of_kind(kind: &Kind, schemas: &mut Schemas) -> String {
    let gvk = json!([{"group": kind.group, "version": kind.version, "kind": kind.kind}]);
    if let Some(custom) = &kind.custom {
        let mut parts: Vec<&str> = kind.group.split('.').collect();
        parts.reverse();
        let name = format!("{}.{}.{}", parts.join("."), kind.version, kind.kind);
        let mut schema = custom.schema().clone();
        if !schema.is_object() {
            schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        }
        add_meta(&mut schema, schemas);
        schema["x-kubernetes-group-version-kind"] = gvk;
        schemas.insert(name.clone(), schema);
        return name;
    }
    let Some(name) = go::struct_of(&kind.group, &kind.version, &kind.kind) else { return String::new() };
    add(&name, schemas);
    let public = public(&name);
    if let Some(schema) = schemas.get_mut(&public) {
        schema["x-kubernetes-group-version-kind"] = gvk;
    }
    public
}

fn add_meta(schema: &mut Value, schemas: &mut Schemas) {
    add("meta.v1.ObjectMeta", schemas);
    let text = |description: &str| json!({"type": "string", "description": description});
    let properties = &mut schema["properties"];
    properties["apiVersion"] =
        text("APIVersion defines the versioned schema of this representation of an object.");
    properties["kind"] =
        text("Kind is a string value representing the REST resource this object represents.");
    properties["metadata"] = json!({
        "description": "Standard object's metadata.",
        "allOf": [{ "$ref": format!("#/components/schemas/{}", public("meta.v1.ObjectMeta")) }],
    });
}

/// Returns the name by which OpenAPI knows a struct.
fn public(name: &str) -> String {
    match name.split_once('.') {
        Some(("meta", rest)) => format!("io.k8s.apimachinery.pkg.apis.meta.{rest}"),
        Some(("apiextensions", rest)) => {
            format!("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.{rest}")
        }
        _ => format!("io.k8s.api.{name}"),
    }
}

fn add(name: &str, schemas: &mut Schemas) {
    let public = public(name);
    if schemas.contains_key(&public) {
        return;
    }
    schemas.insert(public.clone(), Value::Null);
    let merging = TypeRef::named(name);
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (key, field) in go::fields(name).into_iter().flatten() {
        let mut property = of_type(&field.ty, schemas);
        extend(&mut property, &merging, key);
        properties.insert(key.clone(), property);
        if field.omit == Omit::Never && !matches!(field.ty, Type::Struct(_)) {
            required.push(key.clone());
        }
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schemas.insert(public, schema);
}

/// Says how a field merges.
fn extend(property: &mut Value, owner: &TypeRef, key: &str) {
    let schema = Schema::builtin();
    let Some(field) = schema.field(owner, key) else { return };
    if let Merging::List(list) = schema.resolve(&field.ty) {
        match &list.kind {
            ListKind::Atomic => property["x-kubernetes-list-type"] = "atomic".into(),
            ListKind::Set => property["x-kubernetes-list-type"] = "set".into(),
            ListKind::Map(keys) => {
                property["x-kubernetes-list-type"] = "map".into();
                property["x-kubernetes-list-map-keys"] = keys.clone().into();
            }
        }
    }
    match field.patch.strategy {
        PatchStrategy::Merge => property["x-kubernetes-patch-strategy"] = "merge".into(),
        PatchStrategy::Replace => property["x-kubernetes-patch-strategy"] = "replace".into(),
        PatchStrategy::Unset => {}
    }
    if !field.patch.merge_key.is_empty() {
        property["x-kubernetes-patch-merge-key"] = field.patch.merge_key.clone().into();
    }
}

fn of_type(ty: &Type, schemas: &mut Schemas) -> Value {
    match ty {
        Type::String | Type::Duration => json!({"type": "string"}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Integer(name) => json!({"type": "integer", "format": name}),
        Type::Float => json!({"type": "number", "format": "double"}),
        Type::Bytes => json!({"type": "string", "format": "byte"}),
        Type::Quantity => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        Type::Time | Type::MicroTime => json!({"type": "string", "format": "date-time"}),
        Type::IntOrString => {
            json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
        }
        Type::Any => json!({"type": "object"}),
        Type::List(element) => json!({"type": "array", "items": of_type(element, schemas)}),
        Type::Map(element) => json!({"type": "object", "additionalProperties": of_type(element, schemas)}),
        Type::Pointer(target) => of_type(target, schemas),
        Type::Struct(name) => {
            add(name, schemas);
            json!({ "allOf": [{ "$ref": format!("#/components/schemas/{}", public(name)) }] })
        }
    }
}
