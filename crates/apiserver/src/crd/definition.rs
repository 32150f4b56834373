//! A CustomResourceDefinition: what it defines, and what the server adds to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::jsonpath::JsonPath;
use patch::schema::Schema;
use serde_json::{Value, json};

use store::{Entry, Expect};

use super::{Custom, Scale};
use crate::call::Call;
use crate::field::FieldError;
use crate::kinds::{Column, Kind, Subresource};
use crate::managed::{self, Owner};
use crate::status::Outcome;
use crate::stored;

const VERBS: [&str; 8] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// Returns the kinds that a definition serves.
pub(super) fn kinds(definition: &Value) -> Vec<Kind> {
    let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
    versions.filter(|version| version["served"] == true).map(|version| kind(definition, version)).collect()
}

fn kind(definition: &Value, version: &Value) -> Kind {
    let (spec, names) = (&definition["spec"], &definition["spec"]["names"]);
    let verbs = |list: &[&str]| list.iter().map(|verb| (*verb).to_owned()).collect::<Vec<_>>();
    let mut subresources = BTreeMap::new();
    let mut add = |name: &str, group: &str, version: &str, kind: String| {
        let (group, version) = (group.to_owned(), version.to_owned());
        let sub = Subresource { group, version, kind, verbs: verbs(&["get", "patch", "update"]) };
        subresources.insert(name.to_owned(), sub);
    };
    if version["subresources"]["status"].is_object() {
        add("status", "", "", text(&names["kind"]));
    }
    if version["subresources"]["scale"].is_object() {
        add("scale", "autoscaling", "v1", "Scale".to_owned());
    }
    Kind {
        group: text(&spec["group"]),
        version: text(&version["name"]),
        plural: text(&names["plural"]),
        singular: text(&names["singular"]),
        kind: text(&names["kind"]),
        list_kind: text(&names["listKind"]),
        namespaced: spec["scope"] == "Namespaced",
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        verbs: verbs(&VERBS),
        hash: String::new(),
        subresources,
        columns: columns(version),
        custom: Some(Arc::new(custom(version))),
    }
}

fn custom(version: &Value) -> Custom {
    let schema = version["schema"]["openAPIV3Schema"].clone();
    let scale = &version["subresources"]["scale"];
    let selectable = version["selectableFields"].as_array().into_iter().flatten();
    Custom {
        merging: Schema::from_crd(&schema),
        schema,
        selectable: selectable.map(|field| text(&field["jsonPath"])).collect(),
        scale: scale.is_object().then(|| Scale {
            spec: text(&scale["specReplicasPath"]),
            status: text(&scale["statusReplicasPath"]),
            selector: text(&scale["labelSelectorPath"]),
        }),
    }
}

fn columns(version: &Value) -> Vec<Column> {
    let builtin = |name: &str| {
        let pods = crate::kinds::find("", "v1", "configmaps");
        let found =
            pods.iter().flat_map(|kind| &kind.columns).find(|column| column.definition["name"] == name);
        found.cloned()
    };
    let mut columns: Vec<Column> = builtin("Name").into_iter().collect();
    let Some(own) = version["additionalPrinterColumns"].as_array().filter(|list| !list.is_empty()) else {
        columns.extend(builtin("Age").map(|mut age| {
            age.definition["type"] = "date".into();
            age
        }));
        return columns;
    };
    columns.extend(own.iter().map(|column| {
        let description = match text(&column["description"]) {
            empty if empty.is_empty() => {
                format!(
                    "Custom resource definition column (in JSONPath format): {}",
                    text(&column["jsonPath"])
                )
            }
            given => given,
        };
        let definition = json!({
            "name": column["name"], "type": column["type"], "format": text(&column["format"]),
            "description": description, "priority": column["priority"].as_i64().unwrap_or_default(),
        });
        Column { definition, path: JsonPath::parse(&text(&column["jsonPath"])).ok() }
    }));
    columns
}

/// Fills in what the server says of a definition that is written: the versions in the store.
pub(crate) fn before_write(object: &mut Value, before: Option<&Value>) {
    let unknown =
        json!({ "acceptedNames": {"kind": "", "plural": ""}, "conditions": null, "storedVersions": null });
    let mut status = before.map_or(unknown, |before| before["status"].clone());
    let versions = object["spec"]["versions"].as_array().into_iter().flatten();
    let storage =
        versions.filter(|version| version["storage"] == true).map(|version| version["name"].clone());
    let mut stored = status["storedVersions"].as_array().cloned().unwrap_or_default();
    for name in storage {
        if !stored.contains(&name) {
            stored.push(name);
        }
    }
    status["storedVersions"] = stored.into();
    if before.is_some() {
        status["acceptedNames"] = object["spec"]["names"].clone();
    }
    object["status"] = status;
}

/// Accepts a new definition's names and says that it is established: the second write that upstream's controllers do.
///
/// **Errors:** those of the store.
pub(crate) async fn establish(call: &Call, key: &str, entry: &Entry) -> Outcome<()> {
    let kind = call.kind();
    let before = stored::read(kind, entry);
    let now = call.now();
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message});
    let mut after = before.clone();
    after["status"]["acceptedNames"] = before["spec"]["names"].clone();
    after["status"]["conditions"] = json!([
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]);
    let owner =
        Owner { manager: "kube-apiserver".into(), subresource: Some("status".into()), now: call.now() };
    let after = managed::update(kind, Some(&before), after, &owner);
    call.api.store.put(key, stored::write(kind, &after), Expect::At(entry.modified)).await?;
    Ok(())
}

/// Returns what is wrong with a definition.
pub(crate) fn validate(object: &Value, before: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &object["spec"];
    let name = text(&object["metadata"]["name"]);
    let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
    if name != format!("{plural}.{group}") {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid("metadata.name", &json!(name), detail));
    }
    for (path, value) in [("spec.group", &group), ("spec.names.plural", &plural)] {
        if value.is_empty() {
            errors.push(FieldError::required(path, ""));
        }
    }
    if text(&spec["names"]["kind"]).is_empty() {
        errors.push(FieldError::required("spec.names.kind", ""));
    }
    scope(spec, before, &mut errors);
    versions(spec, &mut errors);
    errors
}

fn scope(spec: &Value, before: Option<&Value>, errors: &mut Vec<FieldError>) {
    let allowed = ["Cluster", "Namespaced"];
    match spec["scope"].as_str().unwrap_or_default() {
        "" => errors.push(FieldError::required("spec.scope", "")),
        scope if !allowed.contains(&scope) => {
            errors.push(FieldError::not_supported("spec.scope", &spec["scope"], &allowed));
        }
        _ => {}
    }
    if before.is_some_and(|before| before["spec"]["scope"] != spec["scope"]) {
        errors.push(FieldError::invalid("spec.scope", &spec["scope"], "field is immutable"));
    }
}

fn versions(spec: &Value, errors: &mut Vec<FieldError>) {
    let versions = spec["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (index, version) in versions.iter().enumerate() {
        if !version["schema"]["openAPIV3Schema"].is_object() {
            let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
            errors.push(FieldError::required(path, ""));
        }
        let at = match versions.len() {
            1 => "spec.validation.openAPIV3Schema".to_owned(),
            _ => format!("spec.versions[{index}].schema.openAPIV3Schema"),
        };
        structural(&version["schema"]["openAPIV3Schema"], &at, errors);
    }
    let storage = versions.iter().filter(|version| version["storage"] == true).count();
    if storage != 1 {
        let detail = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid("spec.versions", &spec["versions"], detail));
    }
}

/// Adds an error for each part of a schema that has no type, and for defaults that do not fit.
fn structural(schema: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let free = ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"];
    let typed = schema["type"].as_str().is_some_and(|name| !name.is_empty());
    if schema.is_object() && !typed && !free.iter().any(|flag| schema[*flag] == true) {
        let why = "must not be empty for specified object fields";
        errors.push(FieldError::required(format!("{path}.type"), why));
    }
    if let Some(default) = schema.get("default") {
        for mut error in super::validate::object(schema, default) {
            error.path = format!("{path}.default{}", error.path);
            errors.push(error);
        }
    }
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        structural(child, &format!("{path}.properties[{name}]"), errors);
    }
    for name in ["items", "additionalProperties"] {
        if schema[name].is_object() {
            structural(&schema[name], &format!("{path}.{name}"), errors);
        }
    }
}
