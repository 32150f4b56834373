//! The CustomResourceDefinitions: their names, that they are structural and compact, that real objects of Argo CD and
//! Argo Rollouts fit and lose nothing, and that they have every field our types read.

#![cfg(test)]

#[path = "crds/fields.rs"]
mod fields;
#[path = "crds/fit.rs"]
mod fit;
#[path = "crds/objects.rs"]
mod objects;

use object::{Object, Value, json};

/// Returns the definition of `plural`.
fn definition(plural: &str) -> Object {
    api::crds::all()
        .into_iter()
        .find(|definition| definition.str(&["spec", "names", "plural"]) == plural)
        .unwrap_or_else(|| panic!("no definition of {plural}"))
}

fn version(definition: &Object) -> &Value {
    &definition.items(&["spec", "versions"])[0]
}

fn schema(definition: &Object) -> &Value {
    &version(definition)["schema"]["openAPIV3Schema"]
}

/// Returns the schema at `path`: field names, `[]` for items and `{}` for values, joined by dots.
fn schema_at(plural: &str, path: &str) -> Value {
    let definition = definition(plural);
    let mut place = schema(&definition);
    for step in path.split('.').filter(|step| !step.is_empty()) {
        place = match step {
            "[]" => &place["items"],
            "{}" => &place["additionalProperties"],
            name => &place["properties"][name],
        };
        assert!(!place.is_null(), "{plural}: no {step} in {path}");
    }
    place.clone()
}

#[test]
fn names_scopes_and_columns_are_those_users_know() {
    let table: Vec<String> = api::crds::all().iter().map(line).collect();
    assert_eq!(
        table,
        [
            "rollouts.argoproj.io Rollout rollout [ro] Namespaced scale,status | Desired Current Up-to-date \
             Available Age",
            "analysistemplates.argoproj.io AnalysisTemplate analysistemplate [at] Namespaced  | Age",
            "clusteranalysistemplates.argoproj.io ClusterAnalysisTemplate clusteranalysistemplate [cat] Cluster  \
             | Age",
            "analysisruns.argoproj.io AnalysisRun analysisrun [ar] Namespaced  | Status Age",
            "experiments.argoproj.io Experiment experiment [exp] Namespaced  | Status Age",
            "applications.argoproj.io Application application [app,apps] Namespaced  | Sync Status Health Status \
             Revision+10 Project+10",
            "appprojects.argoproj.io AppProject appproject [appproj,appprojs] Namespaced  | ",
            "applicationsets.argoproj.io ApplicationSet applicationset [appset,appsets] Namespaced status | ",
        ]
    );
}

fn line(definition: &Object) -> String {
    let names = &definition.as_map()["spec"]["names"];
    let version = version(definition);
    assert_eq!((&version["name"], &version["storage"]), (&json!("v1alpha1"), &json!(true)));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |value: &Value, each: &dyn Fn(&Value) -> String, with: &str| {
        value
            .as_array()
            .map(|items| items.iter().map(each).collect::<Vec<_>>().join(with))
            .unwrap_or_default()
    };
    let column = |column: &Value| {
        let priority = column["priority"].as_i64().map(|number| format!("+{number}")).unwrap_or_default();
        format!("{}{priority}", text(&column["name"]))
    };
    let subresources: Vec<&str> = version["subresources"]
        .as_object()
        .map(|all| all.keys().map(String::as_str).collect())
        .unwrap_or_default();
    format!(
        "{} {} {} [{}] {} {} | {}",
        definition.name(),
        text(&names["kind"]),
        text(&names["singular"]),
        list(&names["shortNames"], &text, ","),
        definition.str(&["spec", "scope"]),
        subresources.join(","),
        list(&version["additionalPrinterColumns"], &column, " "),
    )
}

#[test]
fn columns_and_scale_point_at_fields_of_the_schema() {
    for definition in api::crds::all() {
        let version = version(&definition);
        let plural = definition.str(&["spec", "names", "plural"]);
        let columns = version["additionalPrinterColumns"].as_array().into_iter().flatten();
        let paths = columns.map(|column| &column["jsonPath"]);
        let scale = version["subresources"]["scale"].as_object().into_iter().flat_map(|scale| scale.values());
        for path in paths.chain(scale).map(|path| path.as_str().unwrap()) {
            if path != ".metadata.creationTimestamp" {
                schema_at(plural, &path[1..]);
            }
        }
    }
}

/// What a definition may take: the API server works through the schema on each write.
const BYTES: usize = 60_000;

#[test]
fn definitions_are_compact() {
    for definition in api::crds::all() {
        let bytes = definition.to_value().to_string().len();
        assert!(bytes < BYTES, "{}: {bytes} bytes", definition.name());
    }
}

#[test]
fn schemas_are_structural() {
    for definition in api::crds::all() {
        structural(schema(&definition), definition.name());
    }
}

/// Fails where the API server would refuse the schema.
fn structural(schema: &Value, path: &str) {
    let has = |key: &str| schema.get(key).is_some();
    let untyped = has("x-kubernetes-int-or-string") || has("x-kubernetes-preserve-unknown-fields");
    assert!(has("type") || untyped, "{path}: no type");
    assert!(!(has("properties") && has("additionalProperties")), "{path}: both fields and values");
    let properties = schema["properties"].as_object();
    for name in schema["required"].as_array().into_iter().flatten() {
        let known = properties.is_some_and(|fields| fields.contains_key(name.as_str().unwrap()));
        assert!(known, "{path}: requires {name}, which it does not have");
    }
    for key in schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten() {
        let items = &schema["items"];
        let required = items["required"].as_array().is_some_and(|names| names.contains(key));
        let default = !items["properties"][key.as_str().unwrap()]["default"].is_null();
        assert!(required || default, "{path}: key {key} may be absent");
    }
    for (name, field) in properties.into_iter().flatten() {
        structural(field, &format!("{path}.{name}"));
    }
    for below in ["items", "additionalProperties"] {
        if has(below) {
            structural(&schema[below], &format!("{path}.{below}"));
        }
    }
}

#[test]
fn metadata_is_left_to_the_server() {
    // The API server refuses a definition that says more, even a description.
    for definition in api::crds::all() {
        assert_eq!(schema(&definition)["properties"]["metadata"], json!({"type": "object"}));
    }
}

#[test]
fn our_fields_are_explained() {
    for definition in api::crds::all() {
        explained(schema(&definition), definition.name());
    }
}

fn explained(schema: &Value, path: &str) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        // A pod's spec is Kubernetes' to explain.
        if name == "metadata" || path.ends_with("template.spec") && !path.starts_with("applicationsets") {
            continue;
        }
        let description = field["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.') && description.len() < 100, "{path}: {description:?}");
        explained(field, &path);
    }
    for below in ["items", "additionalProperties"] {
        if schema.get(below).is_some() {
            explained(&schema[below], path);
        }
    }
}

#[test]
fn the_selector_cannot_be_changed() {
    let rules = schema_at("rollouts", "spec.selector")["x-kubernetes-validations"].clone();
    assert_eq!(rules, json!([{"message": ".spec.selector is immutable", "rule": "self == oldSelf"}]));
}

#[test]
fn the_server_fills_in_what_the_hash_of_pods_is_taken_over() {
    for (plural, template) in [("rollouts", "spec.template"), ("experiments", "spec.templates.[].template")] {
        for containers in ["containers", "initContainers", "ephemeralContainers"] {
            let port = schema_at(plural, &format!("{template}.spec.{containers}.[].ports.[].protocol"));
            assert_eq!(port["default"], "TCP");
        }
    }
}

#[test]
fn generations_in_a_status_are_texts() {
    for field in ["observedGeneration", "workloadObservedGeneration"] {
        assert_eq!(schema_at("rollouts", &format!("status.{field}"))["type"], "string");
    }
}
