//! `cargo xtask schema`: condenses Kubernetes' published OpenAPI into `crates/patch/src/schema/builtin.json`.
//!
//! Source: `api/openapi-spec/swagger.json` of the `k8s.io/kubernetes` Go module (list, map and patch
//! strategies), and `v3/*.json` beside it (defaults, which the older document leaves out).
//!
//! One line of the output a type: `{"fields", "mapType", "required"}` or a type text. A field is a type text, or an object where there is more to say:
//! `{"type", "default", "listType", "listKeys", "mapType", "patch", "mergeKey"}`. Type texts:
//! `string`, `string:FORMAT`, `integer:FORMAT`, `number:FORMAT`, `boolean`, `int-or-string`, `quantity`,
//! `any` (no type given), `object` (free form), `#NAME` (another entry), `[]T` (list), `{}T` (map).

pub mod go_order;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

/// API groups (and versions) whose kinds are taken; everything they reach comes with them.
const GROUP_VERSIONS: &[(&str, &str)] = &[
    ("", "v1"),
    ("apps", "v1"),
    ("batch", "v1"),
    ("events.k8s.io", "v1"),
    ("coordination.k8s.io", "v1"),
    ("discovery.k8s.io", "v1"),
    ("networking.k8s.io", "v1"),
    ("rbac.authorization.k8s.io", "v1"),
    ("policy", "v1"),
    ("apiextensions.k8s.io", "v1"),
    ("authorization.k8s.io", "v1"),
    ("autoscaling", "v1"),
    ("autoscaling", "v2"),
];

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/// Reads `swagger` (and `v3/*.json` in its directory) and writes the condensed graph to `out`.
///
/// # Errors
/// A file that cannot be read, is not JSON or lacks `definitions`; an unwritable `out`.
pub fn run(swagger: &Path, out: &Path) -> Result<()> {
    let document = read(swagger)?;
    let definitions = document["definitions"].as_object().context("no definitions in the document")?;
    let defaults = defaults(&swagger.with_file_name("v3"))?;
    let kinds = kinds(definitions);
    let mut pending: Vec<String> = kinds.values().cloned().collect();
    pending.extend(definitions.keys().filter(|name| name.starts_with(META)).cloned());
    let mut types = BTreeMap::new();
    while let Some(name) = pending.pop() {
        if types.contains_key(&short(&name)) {
            continue;
        }
        let definition = definitions.get(&name).with_context(|| format!("no definition {name}"))?;
        let mut reached = BTreeSet::new();
        let entry = definition_entry(&name, definition, &defaults, &mut reached);
        types.insert(short(&name), entry);
        pending.extend(reached);
    }
    let kinds = kinds.into_iter().map(|(key, name)| (key, short(&name))).collect();
    fs::write(out, render(&kinds, &types)?).with_context(|| format!("writing {}", out.display()))
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("parsing {}", path.display()))
}

/// `(definition, field) -> default` of all OpenAPI v3 documents in `dir`.
fn defaults(dir: &Path) -> Result<BTreeMap<(String, String), Value>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).with_context(|| format!("listing {}", dir.display()))? {
        let document = read(&entry?.path())?;
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                if let Some(default) = property.get("default") {
                    found.insert((name.clone(), field.clone()), default.clone());
                }
            }
        }
    }
    Ok(found)
}

/// `group/version/Kind -> definition` of the groups taken; lists of objects are left out.
fn kinds(definitions: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut kinds = BTreeMap::new();
    for (name, definition) in definitions {
        let fields = &definition["properties"];
        if name.starts_with(META) || !fields["items"].is_null() && name.ends_with("List") {
            continue;
        }
        for gvk in definition["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
            let text = |key: &str| gvk[key].as_str().unwrap_or_default();
            let (group, version, kind) = (text("group"), text("version"), text("kind"));
            if GROUP_VERSIONS.contains(&(group, version)) {
                kinds.insert(format!("{group}/{version}/{kind}"), name.clone());
            }
        }
    }
    for name in definitions.keys() {
        if let Some(kind) = name.strip_prefix(META) {
            kinds.insert(format!("meta.k8s.io/v1/{kind}"), name.clone());
        }
    }
    kinds
}

fn definition_entry(
    name: &str,
    definition: &Value,
    defaults: &BTreeMap<(String, String), Value>,
    reached: &mut BTreeSet<String>,
) -> Value {
    let Some(properties) = definition["properties"].as_object() else {
        return Value::String(type_text(name, definition, reached));
    };
    let mut fields = Map::new();
    for (field, property) in properties {
        let default = defaults.get(&(name.to_owned(), field.clone()));
        fields.insert(field.clone(), field_entry(property, default, reached));
    }
    let mut entry = json!({ "fields": fields });
    copy(definition, "x-kubernetes-map-type", &mut entry, "mapType");
    copy(definition, "required", &mut entry, "required");
    entry
}

fn field_entry(property: &Value, default: Option<&Value>, reached: &mut BTreeSet<String>) -> Value {
    let text = type_text("", property, reached);
    let mut entry = json!({ "type": text });
    if let Some(default) = default {
        entry["default"] = default.clone();
    }
    copy(property, "x-kubernetes-list-type", &mut entry, "listType");
    copy(property, "x-kubernetes-list-map-keys", &mut entry, "listKeys");
    copy(property, "x-kubernetes-map-type", &mut entry, "mapType");
    copy(property, "x-kubernetes-patch-strategy", &mut entry, "patch");
    copy(property, "x-kubernetes-patch-merge-key", &mut entry, "mergeKey");
    match entry.as_object() {
        Some(map) if map.len() == 1 => Value::String(text),
        _ => entry,
    }
}

fn copy(from: &Value, key: &str, to: &mut Value, name: &str) {
    if let Some(value) = from.get(key) {
        to[name] = value.clone();
    }
}

fn type_text(name: &str, schema: &Value, reached: &mut BTreeSet<String>) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = reference.trim_start_matches("#/definitions/");
        reached.insert(target.to_owned());
        return format!("#{}", short(target));
    }
    if name.ends_with(".resource.Quantity") {
        return "quantity".to_owned();
    }
    let format = schema["format"].as_str();
    match (schema["type"].as_str(), format) {
        (None, _) => "any".to_owned(),
        (Some("string"), Some("int-or-string")) => "int-or-string".to_owned(),
        (Some("array"), _) => format!("[]{}", type_text("", &schema["items"], reached)),
        (Some("object"), _) => match schema.get("additionalProperties") {
            Some(element) if element.is_object() => format!("{{}}{}", type_text("", element, reached)),
            _ => "object".to_owned(),
        },
        (Some(kind), Some(format)) => format!("{kind}:{format}"),
        (Some(kind), None) => kind.to_owned(),
    }
}

/// `io.k8s.api.core.v1.Pod` becomes `core.v1.Pod`: what stands after the last `pkg` or `api` and a known prefix.
fn short(name: &str) -> String {
    for prefix in [
        "io.k8s.apimachinery.pkg.apis.",
        "io.k8s.apimachinery.pkg.api.",
        "io.k8s.apimachinery.pkg.util.",
        "io.k8s.apimachinery.pkg.",
        "io.k8s.apiextensions-apiserver.pkg.apis.",
        "io.k8s.kube-aggregator.pkg.apis.",
        "io.k8s.api.",
    ] {
        if let Some(rest) = name.strip_prefix(prefix) {
            return rest.to_owned();
        }
    }
    name.to_owned()
}

fn render(kinds: &BTreeMap<String, String>, types: &BTreeMap<String, Value>) -> Result<String> {
    let line = |key: &String, value: String| Ok(format!("    {}: {value}", serde_json::to_string(key)?));
    let kinds: Vec<String> =
        kinds.iter().map(|(key, name)| line(key, serde_json::to_string(name)?)).collect::<Result<_>>()?;
    let types: Vec<String> =
        types.iter().map(|(key, entry)| line(key, serde_json::to_string(entry)?)).collect::<Result<_>>()?;
    Ok(format!(
        "{{\n  \"kinds\": {{\n{}\n  }},\n  \"types\": {{\n{}\n  }}\n}}\n",
        kinds.join(",\n"),
        types.join(",\n")
    ))
}
