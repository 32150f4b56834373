use std::path::PathBuf;

use api::rollout::Rollout;
use object::{Object, json, yaml};

use super::*;

#[test]
fn bytes_are_those_of_go() {
    let template = json!({
        "metadata": {"labels": {"b": "2", "a": "1"}},
        "spec": {"containers": [{"image": "i", "name": "c", "args": ["a && b <c>"], "unknown": 1,
            "resources": {"limits": {"memory": "1024Mi", "cpu": "0.5"}},
            "env": [{"name": "E", "value": ""}], "ports": [{"containerPort": 80}]}], "hostNetwork": false}
    });
    assert_eq!(
        encode::pod_template(&template).unwrap(),
        concat!(
            r#"{"metadata":{"labels":{"a":"1","b":"2"}},"spec":{"containers":[{"name":"c","image":"i","#,
            r#""args":["a \u0026\u0026 b \u003cc\u003e"],"ports":[{"containerPort":80}],"env":[{"name":"E"}],"#,
            r#""resources":{"limits":{"cpu":"500m","memory":"1Gi"}}}]}}"#
        )
    );
}

#[test]
fn wrong_types_name_their_field() {
    let error = pod_template(&json!({"spec": {"containers": [{"name": 1}]}}), None).unwrap_err();
    assert_eq!(error.to_string(), "spec.containers.0.name: expected a string");
}

#[test]
fn a_collision_changes_the_hash() {
    let template = json!({"spec": {"containers": []}});
    assert_ne!(pod_template(&template, None).unwrap(), pod_template(&template, Some(1)).unwrap());
    assert_ne!(pod_template(&template, None).unwrap(), pod_template(&template, Some(0)).unwrap());
}

/// Number of Rollouts whose template hashes to the recorded hash, and of those whose template only means the same.
#[derive(Default)]
struct Tally {
    equal: usize,
    same: usize,
}

impl Tally {
    /// Checks every Rollout of a recorded object list.
    #[track_caller]
    fn check(&mut self, text: &str, origin: &str) {
        let list = yaml::document(text).unwrap();
        let objects: Vec<Object> = list["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| Object::from_value(item.clone()))
            .collect();
        for object in objects.iter().filter(|object| object.kind() == "Rollout") {
            let rollout = Rollout::from_object(object).unwrap();
            if rollout.spec.workload_ref.is_some() || rollout.status.current_pod_hash.is_empty() {
                continue;
            }
            let template = rollout.spec.template.clone().unwrap_or_default();
            let hash = pod_template(&template, rollout.status.collision_count).unwrap();
            let current = &rollout.status.current_pod_hash;
            if hash == *current {
                self.equal += 1;
            } else {
                // After an undo the template carries defaults: another hash, and still the ReplicaSet of before.
                let named = format!("{}-{current}", rollout.name());
                let set =
                    objects.iter().find(|set| set.kind() == "ReplicaSet" && set.name() == named).unwrap();
                let of_set = set.get(&["spec", "template"]).unwrap();
                assert!(crate::template::same(&template, of_set), "{origin} {} {hash}", rollout.name());
                self.same += 1;
            }
            if let Some(canary) = rollout.canary() {
                assert_eq!(
                    steps(&canary.steps),
                    rollout.status.current_step_hash,
                    "{origin} {}",
                    rollout.name()
                );
            }
        }
    }
}

#[test]
fn recorded_rollouts_have_these_hashes() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let mut tally = Tally::default();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        tally.check(&std::fs::read_to_string(&path).unwrap(), &path.display().to_string());
    }
    assert!(tally.equal >= 8 && tally.same == 0, "{} equal, {} the same", tally.equal, tally.same);
}

#[test]
fn all_shared_goldens_have_these_hashes() {
    let root = std::env::var_os("SLIPWAY_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
        .join("golden/cli-rollouts");
    let Ok(entries) = std::fs::read_dir(&root) else {
        eprintln!("NOT RUN: no recorded cases at {}", root.display());
        return;
    };
    let mut tally = Tally::default();
    for entry in entries {
        let path = entry.unwrap().path().join("objects.yaml");
        if let Ok(text) = std::fs::read_to_string(&path) {
            tally.check(&text, &path.display().to_string());
        }
    }
    assert!(tally.equal > 50 && tally.same < 20, "{} equal, {} the same", tally.equal, tally.same);
}
