//! Every recorded case must get the recorded verdict.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use health::{Builtin, Health, Member, Status, aggregate, assess};
use object::{Object, Value, json};

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn recorded_cases_get_the_recorded_verdict() {
    let mut found = Vec::new();
    files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases")), &mut found);
    let mut wrong = Vec::new();
    for path in &found {
        let case = object::yaml::document(&std::fs::read_to_string(path).unwrap()).unwrap();
        let health = assess(&Object::from_value(case["object"].clone()), &Builtin);
        let expected = &case["expected"];
        let status = health.as_ref().map_or(Value::Null, |health| json!(health.status));
        let message = health.as_ref().map_or("", |health| health.message.as_str());
        let same =
            status == expected["status"] && expected["message"].as_str().is_none_or(|text| text == message);
        if !same {
            wrong.push(format!("{}: got {health:?}, expected {expected}", path.display()));
        }
    }
    assert!(found.len() >= 70, "only {} cases found", found.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn deployment(name: &str, status: &Value) -> Object {
    Object::from_value(json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "ns"}, "spec": {"replicas": 1}, "status": status}))
}

#[track_caller]
fn verdict(members: &[(&Object, bool)], status: Status, message: &str) {
    let keys: Vec<_> = members.iter().map(|(object, _)| object.object_key()).collect();
    let members =
        members.iter().zip(&keys).map(|((object, live), key)| Member { key, live: live.then_some(*object) });
    let verdict = aggregate(members, &Builtin);
    assert_eq!((verdict.status, verdict.message.as_str()), (status, message));
}

#[test]
fn the_worst_live_resource_decides() {
    let good = deployment("good", &json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}));
    let bad = deployment(
        "bad",
        &json!({"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}),
    );
    verdict(&[], Status::Healthy, "");
    verdict(&[(&good, true), (&bad, true)], Status::Degraded, "Caused by apps/Deployment:ns/bad");
    verdict(&[(&good, true), (&bad, false)], Status::Healthy, "");
    verdict(&[(&good, false), (&bad, false)], Status::Missing, "");
}

#[test]
fn what_asks_to_be_ignored_is_ignored() {
    let mut bad = deployment("bad", &json!({}));
    bad.set_annotation("argocd.argoproj.io/ignore-healthcheck", "true");
    verdict(&[(&bad, true)], Status::Healthy, "");
    let hook = {
        let mut hook = deployment("hook", &json!({}));
        hook.set_annotation("argocd.argoproj.io/hook", "PreSync");
        hook
    };
    verdict(&[(&hook, true)], Status::Healthy, "");
}

#[test]
fn a_rollout_is_what_its_phase_says_once_observed() {
    let rollout = |status: Value| {
        let object = Object::from_value(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {"generation": 3}, "status": status}));
        assess(&object, &Builtin)
    };
    let phase = |phase: &str| rollout(json!({"observedGeneration": "3", "phase": phase, "message": "m"}));
    assert_eq!(phase("Paused"), Some(Health::new(Status::Suspended, "m")));
    assert_eq!(phase("Degraded"), Some(Health::new(Status::Degraded, "m")));
    assert_eq!(phase("Healthy"), Some(Health::new(Status::Healthy, "m")));
    let stale = rollout(json!({"observedGeneration": "2", "phase": "Healthy"}));
    assert_eq!(stale.map(|health| health.status), Some(Status::Progressing));
}
