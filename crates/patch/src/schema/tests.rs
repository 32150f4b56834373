use serde_json::json;

use super::*;

#[track_caller]
fn list_of(schema: &Schema, ty: &TypeRef, field: &str) -> ListKind {
    let field = schema.field(ty, field).unwrap();
    match schema.resolve(&field.ty) {
        Type::List(list) => list.kind.clone(),
        other => panic!("not a list: {other:?}"),
    }
}

#[test]
fn every_reference_of_the_builtin_types_is_there() {
    let schema = Schema::builtin();
    assert!(schema.kinds().count() > 50, "{}", schema.kinds().count());
    let check = |reference: &TypeRef| {
        if let TypeRef::Named { name, .. } = reference {
            assert!(schema.types.contains_key(name), "{name} is missing");
        }
    };
    schema.kinds.values().for_each(check);
    for ty in schema.types.values() {
        let Type::Struct(object) = ty else { continue };
        for field in object.fields.values() {
            check(&field.ty);
            match schema.resolve(&field.ty) {
                Type::List(list) => check(&list.element),
                Type::Map { element, .. } => check(element),
                Type::Struct(_) | Type::Scalar(_) | Type::Untyped => {}
            }
        }
    }
}

#[test]
fn lists_and_maps_of_a_pod() {
    let schema = Schema::builtin();
    let spec = TypeRef::named("core.v1.PodSpec");
    assert_eq!(list_of(schema, &spec, "containers"), ListKind::Map(vec!["name".to_owned()]));
    assert_eq!(list_of(schema, &spec, "tolerations"), ListKind::Atomic);
    let container = TypeRef::named("core.v1.Container");
    let ports = vec!["containerPort".to_owned(), "protocol".to_owned()];
    assert_eq!(list_of(schema, &container, "ports"), ListKind::Map(ports));
    let port = TypeRef::named("core.v1.ContainerPort");
    let protocol = schema.field(&port, "protocol").unwrap();
    assert_eq!(protocol.default, Some(json!("TCP")));
    let meta = TypeRef::named("meta.v1.ObjectMeta");
    assert_eq!(list_of(schema, &meta, "finalizers"), ListKind::Set);
    let volumes = schema.field(&spec, "volumes").unwrap();
    assert_eq!(volumes.patch, PatchRule::parse("merge,retainKeys", "name"));
    let selector = schema.type_of("apps", "v1", "Deployment").unwrap();
    let spec = &schema.field(&selector, "spec").unwrap().ty;
    let Type::Struct(selector) = schema.resolve(&schema.field(spec, "selector").unwrap().ty) else {
        panic!("a selector is an object")
    };
    assert_eq!(selector.kind, MapKind::Atomic);
}

#[test]
fn a_custom_resource_has_meta_and_its_own_rules() {
    let schema = Schema::from_crd(&json!({
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {
            "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"],
                "items": {"type": "object", "properties": {"port": {"type": "integer"}}}},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "args": {"type": "array", "items": {"type": "string"}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "limit": {"x-kubernetes-int-or-string": true},
            "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
        }}}
    }));
    let root = schema.type_of("example.com", "v1", "Thing").unwrap();
    let spec = schema.field(&root, "spec").unwrap().ty.clone();
    assert_eq!(list_of(&schema, &spec, "ports"), ListKind::Map(vec!["port".to_owned()]));
    assert_eq!(list_of(&schema, &spec, "tags"), ListKind::Set);
    assert_eq!(list_of(&schema, &spec, "args"), ListKind::Atomic);
    let field = |name: &str| schema.resolve(&schema.field(&spec, name).unwrap().ty).clone();
    assert_eq!(field("limit"), Type::Scalar(Scalar::Any));
    assert_eq!(field("free"), Type::Map { element: TypeRef::Untyped, kind: MapKind::Granular });
    assert!(matches!(field("whole"), Type::Map { kind: MapKind::Atomic, .. }));
    let meta = schema.field(&root, "metadata").unwrap();
    assert!(schema.field(&meta.ty, "labels").is_some(), "metadata is the built-in one");
}
