//! States recorded from the reference controller at rest: planning on them changes nothing.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::rollout::Rollout;
use object::{Object, Time, json, yaml};
use rollout::{Action, Observed, Plan, Referenced, keys, plan, validate};

/// Returns the objects of a recorded list.
fn objects(text: &str) -> Vec<Arc<Object>> {
    let list = yaml::document(text).unwrap();
    let items = list["items"].as_array().into_iter().flatten();
    items.map(|item| Arc::new(Object::from_value(item.clone()))).collect()
}

fn workload_of(rollout: &Rollout, objects: &[Arc<Object>]) -> Option<Arc<Object>> {
    let reference = rollout::workload_reference(rollout)?;
    objects.iter().find(|it| it.kind() == reference.gvk.kind && it.name() == reference.name).cloned()
}

/// Returns the VirtualService of a Rollout, which was not recorded, with the weights that the status tells of.
fn virtual_service(rollout: &Rollout) -> Option<Object> {
    let canary = rollout.canary()?;
    let named = canary.traffic_routing.as_ref()?.istio.as_ref()?.virtual_service.as_ref()?;
    let weights = rollout.status.canary.weights.as_ref()?;
    let route =
        |service: &str, of: &str| json!({"destination": {"host": service}, "weight": weights[of]["weight"]});
    let routes = [route(&canary.stable_service, "stable"), route(&canary.canary_service, "canary")];
    Some(Object::from_value(json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "VirtualService",
        "metadata": {"name": named.name, "namespace": rollout.namespace()},
        "spec": {"http": [{"name": named.routes.first(), "route": routes}]}
    })))
}

/// Returns the plan of a Rollout among other objects; `None` when it cannot be acted on.
fn plan_among(object: &Object, objects: &[Arc<Object>], now: Time) -> Option<Plan> {
    let of = |kind: &'static str| objects.iter().filter(move |object| object.kind() == kind).cloned();
    let rollout = Rollout::from_object(object).unwrap();
    let live = virtual_service(&rollout).into_iter().map(Arc::new).collect();
    let referenced = Referenced {
        templates: of("AnalysisTemplate").collect(),
        services: of("Service").collect(),
        live,
        workload: workload_of(&rollout, objects),
        ..Referenced::default()
    };
    let checked = validate(&rollout, &referenced).ok()?;
    let owned =
        |kind: &'static str| of(kind).filter(|child| child.controller_uid() == Some(object.uid())).collect();
    let observed = Observed {
        replica_sets: owned("ReplicaSet"),
        pods: of("Pod").collect(),
        analysis_runs: owned("AnalysisRun"),
        experiments: owned("Experiment"),
        referenced,
    };
    Some(plan(&checked, &observed, now))
}

/// Returns the plans of the Rollouts of a recorded object list that can be acted on, with their names.
fn plans(text: &str, now: Time) -> Vec<(String, Plan)> {
    let objects = objects(text);
    let rollouts = objects.iter().filter(|object| object.kind() == "Rollout");
    rollouts
        .filter_map(|object| Some((object.name().to_owned(), plan_among(object, &objects, now)?)))
        .collect()
}

fn check(path: &Path, now: Time) -> (usize, usize) {
    let text = std::fs::read_to_string(path).unwrap();
    let (mut quiet, mut busy) = (0, 0);
    for (name, plan) in plans(&text, now) {
        if plan.is_empty() {
            quiet += 1;
        } else {
            busy += 1;
            let actions: Vec<String> = plan.actions.iter().map(ToString::to_string).collect();
            eprintln!(
                "{} {name}: {actions:?} {:?}",
                path.display(),
                plan.status_patch.map(|patch| patch.to_string())
            );
        }
    }
    (quiet, busy)
}

#[test]
fn recorded_states_at_rest_stay_at_rest() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let now = Time::parse("2026-11-21T11:15:00Z").unwrap();
    let (quiet, busy) = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| check(&entry.unwrap().path(), now))
        .fold((0, 0), |(quiet, busy), (more_quiet, more_busy)| (quiet + more_quiet, busy + more_busy));
    assert!(quiet >= 19 && busy == 0, "{quiet} quiet, {busy} busy");
}

/// The same states with one thing changed are not at rest: the tests above can fail.
#[test]
fn a_change_wakes_them() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/get-canary-paused-step1.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let now = Time::parse("2026-11-21T11:15:00Z").unwrap();
    for (from, to) in [
        ("- reason: CanaryPauseStep", "- reason: InconclusiveAnalysisRun"),
        ("currentStepIndex: 1", "currentStepIndex: 0"),
        ("availableReplicas: 1", "availableReplicas: 0"),
        ("setWeight: 20", "setWeight: 40"),
        ("observedGeneration: \"2\"", "observedGeneration: \"1\""),
        ("rollouts-demo:green", "rollouts-demo:red"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let plans = plans(&changed, now);
        assert!(plans.iter().any(|(_, plan)| !plan.is_empty()), "{from}");
    }
}

#[test]
fn shared_goldens_at_rest_stay_at_rest() {
    let root = std::env::var_os("SLIPWAY_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
        .join("golden/cli-rollouts");
    let Ok(entries) = std::fs::read_dir(&root) else {
        eprintln!("NOT RUN: no recorded cases at {}", root.display());
        return;
    };
    let (mut quiet, mut busy) = (0, 0);
    for entry in entries {
        let dir = entry.unwrap().path();
        let (Ok(command), true) =
            (std::fs::read_to_string(dir.join("cmd.txt")), dir.join("objects.yaml").exists())
        else {
            continue;
        };
        let now = Time::parse(command.lines().nth(1).unwrap().trim_start_matches("now:").trim()).unwrap();
        let (case_quiet, case_busy) = check(&dir.join("objects.yaml"), now);
        quiet += case_quiet;
        busy += case_busy;
    }
    assert!(quiet >= 147 && busy == 0, "{quiet} quiet, {busy} busy");
}

fn recorded(name: &str) -> Vec<Arc<Object>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recorded/{name}.yaml"));
    objects(&std::fs::read_to_string(path).unwrap())
}

/// A ReplicaSet that is taken away is made again as the reference made it.
#[test]
fn replica_sets_are_made_alike() {
    let objects = recorded("get-canary-paused-step1");
    let rollout = objects.iter().find(|object| object.kind() == "Rollout").unwrap();
    let hash = rollout.str(&["status", "currentPodHash"]);
    let (taken, rest): (Vec<_>, Vec<_>) = objects
        .iter()
        .cloned()
        .partition(|object| object.kind() == "ReplicaSet" && object.label(keys::HASH) == Some(hash));
    let plan = plan_among(rollout, &rest, Time::from_unix(0)).unwrap();
    let Some(Action::CreateReplicaSet(made)) = plan.actions.first() else { panic!("{:?}", plan.actions) };
    for path in [
        vec!["metadata", "name"],
        vec!["metadata", "namespace"],
        vec!["metadata", "labels"],
        vec!["metadata", "annotations"],
        vec!["metadata", "ownerReferences"],
        vec!["spec", "selector"],
        vec!["spec", "template", "metadata", "labels"],
        vec!["spec", "minReadySeconds"],
    ] {
        assert_eq!(made.get(&path), taken[0].get(&path), "{path:?}");
    }
    assert_eq!(made.int(&["spec", "replicas"]), Some(0));
}

/// An AnalysisRun that is taken away is made again as the reference made it.
#[test]
fn analysis_runs_are_made_alike() {
    let objects = recorded("get-analysis-step-failed");
    for (name, reference) in [
        ("judged-6f66545f98-2-1", "currentStepAnalysisRunStatus"),
        ("watched-86d7555d95-2", "currentBackgroundAnalysisRunStatus"),
    ] {
        let (taken, rest): (Vec<_>, Vec<_>) = objects
            .iter()
            .cloned()
            .partition(|object| object.kind() == "AnalysisRun" && object.name() == name);
        let taken = &taken[0];
        let uid = taken.controller_uid().unwrap();
        let mut rollout = Object::clone(objects.iter().find(|object| object.uid() == uid).unwrap());
        assert!(rollout.remove(&["status", "canary", reference]).is_some());
        let plan = plan_among(&rollout, &rest, Time::from_unix(0)).unwrap();
        let made = plan.actions.iter().find_map(|action| match action {
            Action::CreateAnalysisRun(run) => Some(run),
            _ => None,
        });
        let made = made.unwrap_or_else(|| panic!("{:?}", plan.actions));
        for path in [
            vec!["apiVersion"],
            vec!["metadata", "name"],
            vec!["metadata", "labels"],
            vec!["metadata", "annotations"],
            vec!["metadata", "ownerReferences"],
            vec!["spec", "args"],
        ] {
            assert_eq!(made.get(&path), taken.get(&path), "{name} {path:?}");
        }
        let names = |run: &Object| -> Vec<String> {
            run.items(&["spec", "metrics"]).iter().map(|metric| metric["name"].to_string()).collect()
        };
        assert_eq!(names(made), names(taken));
    }
}

/// An Experiment of a step that is taken away is made again as the reference made it.
#[test]
fn experiments_are_made_alike() {
    let objects = recorded("get-rollout-experiment-step-running");
    let is_taken =
        |object: &Object| object.kind() == "Experiment" && object.name() == "compared-79c86d47cd-2-0";
    let (taken, rest): (Vec<_>, Vec<_>) = objects.into_iter().partition(|object| is_taken(object));
    let taken = &taken[0];
    let uid = taken.controller_uid().unwrap();
    let mut rollout = Object::clone(rest.iter().find(|object| object.uid() == uid).unwrap());
    rollout.remove(&["status", "canary", "currentExperiment"]);
    let plan = plan_among(&rollout, &rest, Time::from_unix(0)).unwrap();
    let made = plan.actions.iter().find_map(|action| match action {
        Action::CreateExperiment(experiment) => Some(experiment),
        _ => None,
    });
    let made = made.unwrap_or_else(|| panic!("{:?}", plan.actions));
    let mut spec = taken.get(&["spec"]).unwrap().clone();
    // Go writes an empty struct that says nothing.
    spec.as_object_mut().unwrap().remove("analysisRunMetadata");
    for template in spec["templates"].as_array_mut().unwrap() {
        template["template"]["metadata"].as_object_mut().unwrap().remove("creationTimestamp");
    }
    let mut ours = made.get(&["spec"]).unwrap().clone();
    for template in ours["templates"].as_array_mut().unwrap() {
        template["template"]["metadata"].as_object_mut().unwrap().remove("creationTimestamp");
    }
    assert_eq!(ours, spec);
    for path in [
        vec!["apiVersion"],
        vec!["metadata", "name"],
        vec!["metadata", "labels"],
        vec!["metadata", "annotations"],
        vec!["metadata", "ownerReferences"],
    ] {
        assert_eq!(made.get(&path), taken.get(&path), "{path:?}");
    }
}
