//! Laws of verdicts, whatever the limits and whatever is measured.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use analysis::{Measured, TaskKind, check, due, record};
use api::analysis::{AnalysisPhase as Phase, AnalysisRun, Measurement};
use object::{Object, Time, Value, json};
use proptest::prelude::*;

fn run(spec: &Value) -> AnalysisRun {
    let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": "r"}, "spec": spec});
    AnalysisRun::from_object(&Object::from_value(object)).unwrap()
}

fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![
        4 => Just(Phase::Successful),
        2 => Just(Phase::Failed),
        1 => Just(Phase::Inconclusive),
        2 => Just(Phase::Error)
    ]
}

prop_compose! {
    fn metric(name: &'static str)(
        count in 1_i64..8, failure in 0_i64..3, inconclusive in 0_i64..3, errors in 0_i64..3, row in 0_i64..3,
    ) -> Value {
        json!({"name": name, "interval": "5s", "count": count + failure + inconclusive + row, "failureLimit": failure,
            "inconclusiveLimit": inconclusive, "consecutiveErrorLimit": errors, "consecutiveSuccessLimit": row,
            "provider": {"web": {"url": "http://x"}}})
    }
}

/// Plays the run to its end, or to the end of the answers.
fn play(mut run: AnalysisRun, answers: &[Phase]) -> (AnalysisRun, bool) {
    let checked = check(&run).unwrap();
    let (mut now, mut answers) = (Time::from_unix(0), answers.iter());
    loop {
        let mut measured = Vec::new();
        for task in due(&checked, &run, now) {
            assert_eq!(task.kind, TaskKind::Begin);
            let Some(phase) = answers.next() else { return (run, false) };
            let time = Some(now.to_string());
            let measurement = Measurement {
                phase: Some(*phase),
                started_at: time.clone(),
                finished_at: time,
                ..Measurement::default()
            };
            measured.push(Measured { metric: task.metric, measurement, metadata: BTreeMap::new() });
        }
        let recorded = record(&checked, &run, measured, now);
        run.status = recorded.status;
        let Some(wake) = recorded.wake else { return (run, true) };
        assert!(wake >= now);
        now = wake;
    }
}

proptest! {
    #[test]
    fn verdicts(a in metric("a"), b in metric("b"), answers in proptest::collection::vec(phase(), 0..60), dry in any::<bool>()) {
        let dry_run = if dry { json!([{"metricName": "b"}]) } else { json!([]) };
        let spec = json!({"metrics": [a, b], "dryRun": dry_run});
        let (run, over) = play(run(&spec), &answers);
        let phase = run.status.phase.unwrap_or(Phase::Pending);
        prop_assert_eq!(over, phase.completed());
        prop_assert_eq!(over, run.status.completed_at.is_some());
        for result in &run.status.metric_results {
            // Errors do not count; the counters add up; only so many measurements are kept.
            prop_assert_eq!(result.count, result.successful + result.failed + result.inconclusive);
            prop_assert!(result.measurements.len() <= 10);
            prop_assert!(result.consecutive_error <= result.error && result.consecutive_success <= result.successful);
        }
        // A run is only as bad as its worst metric that counts, and says why.
        let counting = run.status.metric_results.iter().filter(|result| !result.dry_run);
        let bad = counting.filter_map(|result| result.phase).any(|phase| phase.completed() && phase != Phase::Successful);
        if over {
            prop_assert_eq!(bad, phase != Phase::Successful);
        }
        // What is over stays as it is.
        if over {
            let checked = check(&run).unwrap();
            let later = Time::from_unix(1_000_000);
            prop_assert_eq!(due(&checked, &run, later), []);
            prop_assert_eq!(record(&checked, &run, Vec::new(), later).status, run.status);
        }
    }

    #[test]
    fn a_run_that_is_told_to_stop_is_over_at_once(answers in proptest::collection::vec(phase(), 0..5)) {
        let spec = json!({"metrics": [{"name": "a", "interval": "5s", "failureLimit": 9, "inconclusiveLimit": 9,
            "consecutiveErrorLimit": 9, "provider": {"web": {"url": "http://x"}}}]});
        let (mut run, over) = play(run(&spec), &answers);
        prop_assert!(!over);
        run.spec.terminate = true;
        let recorded = record(&check(&run).unwrap(), &run, Vec::new(), Time::from_unix(10_000));
        prop_assert_eq!(recorded.status.phase, Some(Phase::Successful));
        prop_assert_eq!(recorded.status.message, "Run Terminated");
        prop_assert_eq!(recorded.wake, None);
    }
}
