//! The built-in type graph against what a running kube-apiserver published.

use std::path::PathBuf;

use patch::schema::{ListKind, MapKind, PatchRule, Schema, Type, TypeRef};

fn reference() -> Option<String> {
    let shared = std::env::var_os("SLIPWAY_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    std::fs::read_to_string(shared.join("reference/kubernetes-merge-keys.tsv")).ok()
}

/// `io.k8s.api.core.v1.Pod` as the graph names it.
fn short(name: &str) -> String {
    let mut parts = name.rsplitn(4, '.');
    let mut last: Vec<&str> = parts.by_ref().take(3).collect();
    last.reverse();
    last.join(".")
}

fn is_atomic(schema: &Schema, ty: &TypeRef) -> bool {
    let overridden = match ty {
        TypeRef::Named { map, .. } => *map,
        TypeRef::Inline(_) | TypeRef::Untyped => None,
    };
    let own = match schema.resolve(ty) {
        Type::Struct(object) => object.kind,
        Type::Map { kind, .. } => *kind,
        Type::List(_) | Type::Scalar(_) | Type::Untyped => MapKind::Granular,
    };
    overridden.unwrap_or(own) == MapKind::Atomic
}

#[test]
fn lists_and_maps_are_as_published() {
    let Some(table) = reference() else {
        eprintln!("NOT CHECKED: reference/kubernetes-merge-keys.tsv is not there (set SLIPWAY_SHARED)");
        return;
    };
    let schema = Schema::builtin();
    let mut checked = 0;
    for line in table.lines().filter(|line| line.starts_with("io.k8s.")) {
        let mut columns: Vec<&str> = line.split('\t').collect();
        columns.resize(8, "");
        let [name, field, _, list_type, map_keys, strategy, merge_key, map_type] = columns[..] else {
            panic!("eight columns: {line}")
        };
        let ty = TypeRef::named(&short(name));
        if *schema.resolve(&ty) == Type::Untyped {
            continue;
        }
        checked += 1;
        if field == "(itself)" {
            assert_eq!(is_atomic(schema, &ty), map_type == "atomic", "{line}");
            continue;
        }
        let found = schema.field(&ty, field).unwrap_or_else(|| panic!("no such field: {line}"));
        assert_eq!(found.patch, PatchRule::parse(strategy, merge_key), "{line}");
        if let Type::List(list) = schema.resolve(&found.ty) {
            let keys: Vec<String> = map_keys.split(',').map(str::to_owned).collect();
            match list_type {
                "map" => assert_eq!(list.kind, ListKind::Map(keys), "{line}"),
                "set" => assert_eq!(list.kind, ListKind::Set, "{line}"),
                "atomic" => assert_eq!(list.kind, ListKind::Atomic, "{line}"),
                other => assert!(other.is_empty(), "{line}"),
            }
        } else if !map_type.is_empty() {
            assert_eq!(is_atomic(schema, &found.ty), map_type == "atomic", "{line}");
        }
    }
    assert!(checked > 150, "only {checked} lines are about types of the graph");
}
