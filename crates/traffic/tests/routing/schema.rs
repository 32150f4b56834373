//! Whether router objects are what their definitions allow.
//!
//! Definitions are looked for in the folder that `SLIPWAY_SHARED` names, else beside the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use object::{Object, Value};

const FILES: [&str; 7] = [
    "istio/customresourcedefinitions.gen.yaml",
    "gateway-api/experimental/gateway.networking.k8s.io_httproutes.yaml",
    "gateway-api/experimental/gateway.networking.k8s.io_grpcroutes.yaml",
    "gateway-api/experimental/gateway.networking.k8s.io_tcproutes.yaml",
    "gateway-api/experimental/gateway.networking.k8s.io_tlsroutes.yaml",
    "smi/split.yaml",
    "apisix/apisix.apache.org_apisixroutes.yaml",
];

/// Schemas by `apiVersion/kind`.
static SCHEMAS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let folder = folder();
    let mut schemas = BTreeMap::new();
    for file in FILES {
        let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
            eprintln!("NOT CHECKED against its definition: {} is absent", folder.join(file).display());
            continue;
        };
        for definition in object::yaml::documents(&text).unwrap() {
            let spec = &definition["spec"];
            for version in spec["versions"].as_array().into_iter().flatten() {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let (group, name) = (text(&spec["group"]), text(&version["name"]));
                let key = format!("{group}/{name}/{}", text(&spec["names"]["kind"]));
                schemas.insert(key, version["schema"]["openAPIV3Schema"].clone());
            }
        }
    }
    schemas
});

fn folder() -> PathBuf {
    let shared = std::env::var_os("SLIPWAY_SHARED").map(PathBuf::from);
    shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")).join("crds")
}

/// Returns the faults of `object` that none of the same kind had before; list positions do not count.
pub fn new_faults(object: &Object, before: &[Object]) -> Vec<String> {
    let old: BTreeSet<String> =
        before.iter().filter(|old| old.kind() == object.kind()).flat_map(faults).collect();
    faults(object).into_iter().filter(|fault| !old.contains(fault)).collect()
}

fn faults(object: &Object) -> BTreeSet<String> {
    let mut faults = BTreeSet::new();
    if let Some(schema) = SCHEMAS.get(&object.gvk().to_string()) {
        check(
            &schema["properties"]["spec"],
            object.get(&["spec"]).unwrap_or(&Value::Null),
            "spec",
            &mut faults,
        );
    }
    faults
}

/// Puts the defaults of its definition into the object, as an API server does.
pub fn complete(object: &mut Object) {
    if let Some(schema) = SCHEMAS.get(&object.gvk().to_string())
        && let Some(spec) = object.as_map_mut().get_mut("spec")
    {
        defaults(&schema["properties"]["spec"], spec);
    }
}

fn defaults(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
                if let Some(default) = schema.get("default").filter(|_| !map.contains_key(key)) {
                    map.insert(key.clone(), default.clone());
                }
            }
            for (key, value) in map.iter_mut() {
                let schema = schema["properties"].get(key).or_else(|| schema.get("additionalProperties"));
                schema.into_iter().for_each(|schema| defaults(schema, value));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| defaults(&schema["items"], item)),
        _ => {}
    }
}

fn check(schema: &Value, value: &Value, path: &str, faults: &mut BTreeSet<String>) {
    if !has_type(schema, value) {
        faults.insert(format!("{path}: not of type {}", schema["type"]));
        return;
    }
    let choice = schema["enum"].as_array();
    if choice.is_some_and(|choice| !choice.contains(value)) {
        faults.insert(format!("{path}: {value} is not one of {}", schema["enum"]));
    }
    match value {
        Value::Object(map) => fields(schema, map, path, faults),
        Value::Array(items) => {
            if schema["maxItems"].as_u64().is_some_and(|most| items.len() as u64 > most) {
                faults.insert(format!("{path}: too many items"));
            }
            for item in items {
                check(&schema["items"], item, &format!("{path}[]"), faults);
            }
        }
        Value::String(text) => {
            if schema["maxLength"].as_u64().is_some_and(|most| text.len() as u64 > most)
                || schema["minLength"].as_u64().is_some_and(|least| (text.len() as u64) < least)
            {
                faults.insert(format!("{path}: a text of {} characters", text.len()));
            }
        }
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            if schema["maximum"].as_f64().is_some_and(|most| number > most)
                || schema["minimum"].as_f64().is_some_and(|least| number < least)
            {
                faults.insert(format!("{path}: {number} is out of range"));
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn fields(schema: &Value, map: &object::Map<String, Value>, path: &str, faults: &mut BTreeSet<String>) {
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !map.contains_key(required) {
            faults.insert(format!("{path}.{required}: missing"));
        }
    }
    let open = schema["x-kubernetes-preserve-unknown-fields"] == true;
    for (key, value) in map {
        let path = format!("{path}.{key}");
        match schema["properties"].get(key).or_else(|| schema.get("additionalProperties")) {
            Some(schema) => check(schema, value, &path, faults),
            None if open => {}
            None => drop(faults.insert(format!("{path}: unknown"))),
        }
    }
}

fn has_type(schema: &Value, value: &Value) -> bool {
    if schema["x-kubernetes-int-or-string"] == true {
        return value.is_i64() || value.is_string();
    }
    match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        _ => true,
    }
}

#[test]
fn a_wrong_route_is_seen() {
    if SCHEMAS.is_empty() {
        return;
    }
    let route = |weight: Value| {
        Object::from_value(object::json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "spec": {"rules": [{"backendRefs": [{"name": "a", "weight": weight}]}]},
        }))
    };
    assert_eq!(new_faults(&route(1.into()), &[]), Vec::<String>::new());
    let mut completed = route(1.into());
    complete(&mut completed);
    let backend = &completed.items(&["spec", "rules"])[0]["backendRefs"][0];
    assert_eq!(backend, &object::json!({"group": "", "kind": "Service", "name": "a", "weight": 1}));
    let path = "spec.rules[].backendRefs[].weight";
    assert_eq!(new_faults(&route("1".into()), &[]), [format!("{path}: not of type \"integer\"")]);
    assert_eq!(new_faults(&route((-1).into()), &[]), [format!("{path}: -1 is out of range")]);
}
