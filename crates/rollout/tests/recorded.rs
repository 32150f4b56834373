//! States recorded from the reference controller at rest: planning on them changes nothing.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::rollout::Rollout;
use object::{Object, Time, yaml};
use rollout::{Observed, Plan, Referenced, plan, validate};

/// Returns the plans of the Rollouts of a recorded object list that can be acted on, with their names.
fn plans(text: &str, now: Time) -> Vec<(String, Plan)> {
    let list = yaml::document(text).unwrap();
    let objects: Vec<Arc<Object>> = list["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| Arc::new(Object::from_value(item.clone())))
        .collect();
    let of = |kind: &'static str| objects.iter().filter(move |object| object.kind() == kind).cloned();
    let mut plans = Vec::new();
    for object in of("Rollout") {
        let rollout = Rollout::from_object(&object).unwrap();
        let referenced =
            Referenced { templates: of("AnalysisTemplate").collect(), services: of("Service").collect() };
        let Ok(checked) = validate(&rollout, &referenced) else { continue };
        let owned = |kind: &'static str| {
            of(kind).filter(|child| child.controller_uid() == Some(object.uid())).collect()
        };
        let observed = Observed {
            replica_sets: owned("ReplicaSet"),
            pods: of("Pod").collect(),
            analysis_runs: owned("AnalysisRun"),
            referenced,
        };
        plans.push((rollout.name().to_owned(), plan(&checked, &observed, now)));
    }
    plans
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
    assert!(quiet >= 8 && busy == 0, "{quiet} quiet, {busy} busy");
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
    assert!(quiet > 100 && busy == 0, "{quiet} quiet, {busy} busy");
}
