//! Built-in kinds as the Go types they are: which fields there are, of which type, and which are left out when empty.
//!
//! `go/types.json` lists, for each struct of `k8s.io/api` v0.36.3 that is served, its JSON fields: `string`, `int32`,
//! `bool`, `[]T`, `{}T` (map), `#pkg.Type` (struct), `*T` (pointer), with `?` for `omitempty` and `0` for `omitzero`.
//! `go/rollout.json` lists those of a Rollout in the same way, for [`strict`] alone: Rollouts are served by their
//! definition.

mod decode;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(crate) use decode::{Decoded, decode};

use serde_json::Value;

/// A Go type, as far as JSON shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    String,
    Bool,
    Integer(&'static str),
    Float,
    Bytes,
    Quantity,
    Time,
    MicroTime,
    Duration,
    IntOrString,
    /// Any JSON value.
    Any,
    List(Box<Type>),
    Map(Box<Type>),
    Pointer(Box<Type>),
    Struct(String),
}

/// When a field is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Omit {
    Never,
    /// When false, 0, "", nil, or a list or map without elements.
    Empty,
    /// Also when a struct without any value.
    Zero,
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub ty: Type,
    pub omit: Omit,
}

/// The fields of a struct, by their JSON names.
pub(crate) type Fields = BTreeMap<String, Field>;

static TYPES: LazyLock<BTreeMap<String, Fields>> = LazyLock::new(|| {
    let mut types = load(include_str!("go/types.json"));
    types.extend(load(include_str!("go/rollout.json")));
    types
});

/// Returns the fields of the struct, such as `core.v1.PodSpec`.
pub(crate) fn fields(name: &str) -> Option<&'static Fields> {
    TYPES.get(name)
}

/// Reads an object as a strict Go program reads it: every field must be known and of its type. Objects of kinds other
/// than the built-in ones and Rollouts are not looked at.
///
/// **Errors:** the text of Go's JSON decoder for the first field that is wrong, in the order of the names.
pub fn strict(object: &object::Object) -> Result<(), String> {
    let gvk = object.gvk();
    let name = match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("argoproj.io", "Rollout") => Some("rollouts.v1alpha1.Rollout".to_owned()),
        _ => struct_of(&gvk.group, &gvk.version, &gvk.kind),
    };
    name.map_or(Ok(()), |name| decode::strict(&name, &Value::Object(object.as_map().clone())))
}

/// Returns the struct of a kind.
pub(crate) fn struct_of(group: &str, version: &str, kind: &str) -> Option<String> {
    let package = match group {
        "" => "core",
        "rbac.authorization.k8s.io" => "rbac",
        _ => group.split('.').next().unwrap_or_default(),
    };
    let name = format!("{package}.{version}.{kind}");
    TYPES.contains_key(&name).then_some(name)
}

#[expect(clippy::expect_used, reason = "the table is part of the program and a test reads it")]
fn load(text: &str) -> BTreeMap<String, Fields> {
    let raw: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(text).expect("types.json is a map of maps of strings");
    raw.into_iter()
        .map(|(name, fields)| {
            (name, fields.into_iter().map(|(field, text)| (field, parse_field(&text))).collect())
        })
        .collect()
}

fn parse_field(text: &str) -> Field {
    let (rest, zero) = text.strip_suffix('0').map_or((text, false), |rest| (rest, true));
    let (rest, empty) = rest.strip_suffix('?').map_or((rest, false), |rest| (rest, true));
    let omit = match (zero, empty) {
        (true, _) => Omit::Zero,
        (false, true) => Omit::Empty,
        (false, false) => Omit::Never,
    };
    Field { ty: parse_type(rest), omit }
}

fn parse_type(text: &str) -> Type {
    let inner = |rest: &str| Box::new(parse_type(rest));
    if let Some(rest) = text.strip_prefix('*') {
        return Type::Pointer(inner(rest));
    }
    if let Some(rest) = text.strip_prefix("[]") {
        return Type::List(inner(rest));
    }
    if let Some(rest) = text.strip_prefix("{}") {
        return Type::Map(inner(rest));
    }
    if let Some(name) = text.strip_prefix('#') {
        return Type::Struct(name.to_owned());
    }
    match text {
        "string" => Type::String,
        "bool" => Type::Bool,
        "int32" => Type::Integer("int32"),
        "int" => Type::Integer("int"),
        "uint32" => Type::Integer("uint32"),
        "int64" | "uint64" => Type::Integer("int64"),
        "float32" | "float64" => Type::Float,
        "bytes" => Type::Bytes,
        "Quantity" => Type::Quantity,
        "Time" => Type::Time,
        "MicroTime" => Type::MicroTime,
        "Duration" => Type::Duration,
        "IntOrString" => Type::IntOrString,
        _ => Type::Any,
    }
}

impl Type {
    /// Returns the type as Go prints it, e.g. `[]v1.Container`.
    pub fn name(&self) -> String {
        match self {
            Self::String => "string".into(),
            Self::Bool => "bool".into(),
            Self::Integer(name) => (*name).into(),
            Self::Float => "float64".into(),
            Self::Bytes => "[]uint8".into(),
            Self::Quantity => "resource.Quantity".into(),
            Self::Time => "v1.Time".into(),
            Self::MicroTime => "v1.MicroTime".into(),
            Self::Duration => "v1.Duration".into(),
            Self::IntOrString => "intstr.IntOrString".into(),
            Self::Any => "interface {}".into(),
            Self::List(element) => format!("[]{}", element.name()),
            Self::Map(element) => format!("map[string]{}", element.name()),
            Self::Pointer(target) => target.name(),
            Self::Struct(name) => name.split_once('.').map_or(name.clone(), |(_, rest)| rest.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_reading_tells_the_first_wrong_field() {
        let read = |spec: Value| {
            let value =
                serde_json::json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": spec});
            strict(&object::Object::from_value(value))
        };
        let wrong = |text: &str| Err(text.to_owned());
        assert_eq!(
            read(serde_json::json!({"replicas": 1, "strategy": {"canary": {"steps": [{"pause": {}}]}}})),
            Ok(())
        );
        let container = serde_json::json!({"spec": {"containers": [{"name": "a", "imag": "b"}]}});
        assert_eq!(
            read(serde_json::json!({"template": container, "zero": 1})),
            wrong("json: unknown field \"imag\"")
        );
        let text = "json: cannot unmarshal string into Go struct field CanaryStep.spec.strategy.canary.steps.setWeight of type int32";
        assert_eq!(
            read(serde_json::json!({"strategy": {"canary": {"steps": [{"setWeight": "x", "weight": 1}]}}})),
            wrong(text)
        );
        assert_eq!(
            read(serde_json::json!({"paused": true, "stratgy": {}})),
            wrong("json: unknown field \"stratgy\"")
        );
    }

    #[test]
    fn every_struct_that_a_field_names_is_there() {
        fn check(ty: &Type) {
            match ty {
                Type::List(inner) | Type::Map(inner) | Type::Pointer(inner) => check(inner),
                Type::Struct(name) => assert!(fields(name).is_some(), "{name}"),
                _ => {}
            }
        }
        assert!(TYPES.len() > 350);
        TYPES.values().flat_map(BTreeMap::values).for_each(|field| check(&field.ty));
    }
}
