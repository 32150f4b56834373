//! AnalysisRuns recorded from the reference controller: taking nothing in changes nothing, and what is over has nothing
//! more due.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use analysis::{check, due, record};
use api::analysis::{AnalysisPhase, AnalysisRun};
use object::{Object, Time, yaml};

fn runs() -> Option<Vec<(String, AnalysisRun)>> {
    let shared = std::env::var_os("SLIPWAY_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let cases = shared.join("golden/cli-rollouts");
    if !cases.is_dir() {
        eprintln!("NOT TESTED: {} is not there", cases.display());
        return None;
    }
    let mut runs = Vec::new();
    for case in std::fs::read_dir(cases).unwrap() {
        let path = case.unwrap().path().join("objects.yaml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if !text.contains("kind: AnalysisRun") {
            continue;
        }
        let list = yaml::document(&text).unwrap();
        for item in list["items"].as_array().into_iter().flatten() {
            let object = Object::from_value(item.clone());
            if object.kind() == "AnalysisRun" {
                let name = format!("{} {}", path.display(), object.name());
                runs.push((name, AnalysisRun::from_object(&object).unwrap()));
            }
        }
    }
    Some(runs)
}

/// Returns the last time that the run speaks of.
fn last_time(run: &AnalysisRun) -> Time {
    let measurements = run.status.metric_results.iter().flat_map(|result| &result.measurements);
    let times = measurements.flat_map(|one| [&one.started_at, &one.finished_at]).flatten();
    let all = times.chain(&run.status.started_at).chain(&run.status.completed_at);
    all.map(|text| Time::parse(text).unwrap()).max().unwrap()
}

#[test]
fn recorded_runs_are_at_rest() {
    let Some(runs) = runs() else { return };
    assert!(runs.len() > 50, "{} runs", runs.len());
    for (name, run) in runs {
        let (checked, now) = (check(&run).unwrap(), last_time(&run));
        if run.status.phase.is_some_and(AnalysisPhase::completed) {
            assert_eq!(due(&checked, &run, now), [], "{name}");
        }
        let recorded = record(&checked, &run, Vec::new(), now);
        assert_eq!(recorded.status, run.status, "{name}");
        assert_eq!(recorded.events, [], "{name}");
    }
}
