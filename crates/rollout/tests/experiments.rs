//! Experiments recorded from the reference controller: planning on them changes nothing, and ReplicaSets are named and
//! labelled as recorded.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;
use std::sync::Arc;

use api::experiment::Experiment;
use object::{Object, Time, json, yaml};
use rollout::experiment::{Action, Observed, plan};

fn cases() -> Option<PathBuf> {
    let shared = std::env::var_os("SLIPWAY_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let cases = shared.join("golden/cli-rollouts");
    if !cases.is_dir() {
        eprintln!("NOT TESTED: {} is not there", cases.display());
        return None;
    }
    Some(cases)
}

fn objects(text: &str) -> Vec<Arc<Object>> {
    let list = yaml::document(text).unwrap();
    let items = list["items"].as_array().into_iter().flatten();
    items.map(|item| Arc::new(Object::from_value(item.clone()))).collect()
}

fn observed(objects: &[Arc<Object>], uid: &str) -> Observed {
    let of = |kind: &'static str| objects.iter().filter(move |object| object.kind() == kind).cloned();
    Observed {
        replica_sets: of("ReplicaSet").filter(|set| set.controller_uid() == Some(uid)).collect(),
        services: of("Service").filter(|service| service.controller_uid() == Some(uid)).collect(),
        analysis_runs: of("AnalysisRun").collect(),
        templates: of("AnalysisTemplate").collect(),
    }
}

/// Returns the time of the last write to the objects.
fn last_time(experiment: &Experiment) -> Time {
    let times =
        experiment.status.template_statuses.iter().filter_map(|set| set.last_transition_time.as_deref());
    times.filter_map(|text| Time::parse(text).ok()).max().unwrap()
}

/// Returns true when a run has just been made for the second time.
fn is_retried(experiment: &Experiment) -> bool {
    experiment.status.analysis_runs.iter().any(|run| run.analysis_run.ends_with(".1") && run.phase.is_none())
}

#[test]
fn recorded_experiments_are_at_rest() {
    let Some(cases) = cases() else { return };
    let mut seen = 0;
    for case in std::fs::read_dir(cases).unwrap() {
        let path = case.unwrap().path().join("objects.yaml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if !text.contains("kind: Experiment") {
            continue;
        }
        let objects = objects(&text);
        for object in objects.iter().filter(|object| object.kind() == "Experiment") {
            let experiment = Experiment::from_object(object).unwrap();
            let observed = observed(&objects, object.uid());
            let plan = plan(&experiment, &observed, last_time(&experiment));
            if is_retried(&experiment) {
                // Recorded between two passes; the original leaves the deadline of the first attempt in place.
                let Action::PatchReplicaSet { patch, .. } = &plan.actions[0] else { panic!("{plan:#?}") };
                assert_eq!(*patch, json!({"metadata": {"annotations": {"scale-down-deadline": null}}}));
                continue;
            }
            assert!(plan.is_empty(), "{} {}: {plan:#?}", path.display(), object.name());
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} experiments");
}

#[test]
fn replica_sets_are_made_as_recorded() {
    let Some(cases) = cases() else { return };
    let text = std::fs::read_to_string(cases.join("get-experiment-failed/objects.yaml")).unwrap();
    let objects = objects(&text);
    let mut seen = 0;
    for object in objects.iter().filter(|object| object.kind() == "Experiment") {
        let mut fresh = Object::clone(object);
        fresh.remove(&["status"]);
        let nothing = Observed { templates: observed(&objects, "").templates, ..Observed::default() };
        let plan = plan(&Experiment::from_object(&fresh).unwrap(), &nothing, Time::from_unix(0));
        for action in &plan.actions {
            let Action::CreateReplicaSet { object: made, .. } = action else { panic!("{action:?}") };
            let recorded = objects.iter().find(|set| set.kind() == "ReplicaSet" && set.name() == made.name());
            let recorded = recorded.unwrap();
            assert_eq!(made.labels(), recorded.labels());
            assert_eq!(made.get(&["spec", "selector"]), recorded.get(&["spec", "selector"]));
            assert_eq!(
                made.get(&["metadata", "ownerReferences"]),
                recorded.get(&["metadata", "ownerReferences"])
            );
            assert_eq!(made.get(&["spec", "replicas"]), Some(&json!(0)));
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen} sets");
}
