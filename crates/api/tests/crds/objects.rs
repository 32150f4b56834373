//! Real objects, written by Argo CD and Argo Rollouts, against the schemas.

use std::path::{Path, PathBuf};

use object::{Object, Value, json, yaml};

use crate::fit::problems;
use crate::{definition, schema};

/// Returns our objects in the YAML files of `dir` and in `objects.yaml` of its folders.
fn objects_in(dir: &Path) -> Vec<(PathBuf, Object)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap().path();
        let path = if entry.is_dir() { entry.join("objects.yaml") } else { entry };
        if path.is_file() && path.extension().is_some_and(|extension| extension == "yaml") {
            let documents = yaml::documents(&std::fs::read_to_string(&path).unwrap()).unwrap_or_default();
            let objects = documents.into_iter().flat_map(members).filter(is_ours);
            found.extend(objects.map(|object| (path.clone(), Object::from_value(object))));
        }
    }
    found
}

fn members(document: Value) -> Vec<Value> {
    match document.get("items").and_then(Value::as_array) {
        Some(items) => items.clone(),
        None => vec![document],
    }
}

fn is_ours(object: &Value) -> bool {
    object["apiVersion"] == "argoproj.io/v1alpha1"
}

#[track_caller]
fn all_fit(dir: &Path, least: usize) {
    let objects = objects_in(dir);
    assert!(objects.len() >= least, "{}: only {} objects", dir.display(), objects.len());
    let definitions = api::crds::all();
    for (path, object) in objects {
        let kind = object.kind();
        let definition = definitions.iter().find(|one| one.str(&["spec", "names", "kind"]) == kind).unwrap();
        let problems = problems(&object.to_value(), schema(definition), "");
        assert!(problems.is_empty(), "{}: {}: {problems:#?}", path.display(), object.object_key());
    }
}

fn here(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder)
}

#[test]
fn recorded_rollouts_runs_and_experiments_fit_and_lose_nothing() {
    all_fit(&here("rollouts"), 35);
}

#[test]
fn recorded_applications_fit_and_lose_nothing() {
    all_fit(&here("applications"), 30);
}

#[test]
fn all_shared_recordings_fit_and_lose_nothing() {
    let shared = std::env::var_os("SLIPWAY_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    for (folder, least) in [("golden/cli-rollouts", 300), ("golden/app-status", 40)] {
        let dir = shared.join(folder);
        if dir.is_dir() {
            all_fit(&dir, least);
        } else {
            eprintln!("NOT RUN: {} is not there (SLIPWAY_SHARED)", dir.display());
        }
    }
}

fn rollout(canary: &Value) -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "a"},
        "spec": {"strategy": {"canary": canary}}})
}

#[track_caller]
fn one_problem(object: &Value, expected: &str) {
    let definition = definition(&format!("{}s", object["kind"].as_str().unwrap().to_lowercase()));
    assert_eq!(problems(object, schema(&definition), ""), [expected]);
}

#[test]
fn wrong_types_and_missing_fields_are_refused() {
    one_problem(
        &rollout(&json!({"steps": [{"setWeight": "20"}]})),
        r#".spec.strategy.canary.steps[0].setWeight: "20" is not of type "integer""#,
    );
    one_problem(
        &rollout(&json!({"maxSurge": true})),
        ".spec.strategy.canary.maxSurge: true is not of type null",
    );
    one_problem(
        &rollout(&json!({"pingPong": {"pingService": "a"}})),
        ".spec.strategy.canary.pingPong.pongService: required",
    );
    let metric = json!({"name": "m", "provider": {"datadog": {"aggregator": "p50"}}});
    let found = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "a"},
        "spec": {"metrics": [metric]}});
    let all = problems(&found, schema(&definition("analysistemplates")), "");
    assert!(all.len() == 1 && all[0].contains("aggregator") && all[0].contains("none of"), "{all:?}");
}

#[test]
fn a_misspelt_field_of_a_spec_is_told() {
    one_problem(
        &rollout(&json!({"steps": [{"setWieght": 20}]})),
        ".spec.strategy.canary.steps[0].setWieght: dropped",
    );
}

#[test]
fn fields_of_a_newer_version_are_kept() {
    let pods = json!({"containers": [{"name": "a", "new": {}, "ports": [{"containerPort": 1, "new": 2}]}], "new": []});
    let newer = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "a"},
        "spec": {"new": {"a": 1}, "template": {"spec": pods}},
        "status": {"new": 1, "canary": {"new": 1, "weights": {"new": 1, "canary": {"new": 1, "weight": 1},
            "stable": {"weight": 1}}}, "pauseConditions": [{"reason": "a", "startTime": "2026-11-21T11:12:06Z", "new": 1}]}});
    assert_eq!(problems(&newer, schema(&definition("rollouts")), ""), Vec::<String>::new());
    let app = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
        "spec": {"project": "", "destination": {}, "new": 1}, "operation": {"new": 1, "retry": {"new": 1}},
        "status": {"sync": {"status": "", "comparedTo": {"destination": {"new": 1},
            "ignoreDifferences": [{"kind": "a", "new": 1}]}}}});
    assert_eq!(problems(&app, schema(&definition("applications")), ""), Vec::<String>::new());
}
