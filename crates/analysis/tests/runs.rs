//! Whole runs, pass by pass, under a clock that the test moves.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use analysis::{Measured, TaskKind, check, due, invalid, record};
use api::analysis::{AnalysisPhase as Phase, AnalysisRun, Measurement};
use object::{Object, Time, Value, json};

/// Plays a run whose metrics give `answers`, one for each measurement, and returns it with the times of measuring.
fn play(spec: &Value, answers: &BTreeMap<&str, Vec<Phase>>) -> (AnalysisRun, Vec<i64>) {
    let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": "r"}, "spec": spec});
    let mut run = AnalysisRun::from_object(&Object::from_value(object)).unwrap();
    let checked = check(&run).unwrap();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let (mut now, mut times) = (Time::from_unix(0), Vec::new());
    for _ in 0..100 {
        let measured = due(&checked, &run, now).into_iter().map(|task| {
            assert_eq!(task.kind, TaskKind::Begin);
            let index = taken.entry(task.metric.clone()).or_default();
            let phase = answers[task.metric.as_str()].get(*index).copied().unwrap_or(Phase::Successful);
            *index += 1;
            times.push(now.unix());
            let time = Some(now.to_string());
            let measurement = Measurement {
                phase: Some(phase),
                started_at: time.clone(),
                finished_at: time,
                ..Measurement::default()
            };
            Measured { metric: task.metric, measurement, metadata: BTreeMap::new() }
        });
        let measured = measured.collect();
        let recorded = record(&checked, &run, measured, now);
        run.status = recorded.status;
        let Some(wake) = recorded.wake else { return (run, times) };
        now = wake;
    }
    (run, times)
}

#[test]
fn the_second_failure_fails_a_run_that_tolerates_one() {
    let spec = json!({"metrics": [{"name": "webcheck", "interval": "5s", "failureLimit": 1,
        "successCondition": "result == \"ok\"", "provider": {"web": {"url": "http://x"}}}]});
    let answers = BTreeMap::from([("webcheck", vec![Phase::Failed, Phase::Successful, Phase::Failed])]);
    let (run, times) = play(&spec, &answers);
    assert_eq!(run.status.phase, Some(Phase::Failed));
    assert_eq!(
        run.status.message,
        "Metric \"webcheck\" assessed Failed due to failed (2) > failureLimit (1)"
    );
    assert_eq!(times, [0, 5, 10]);
    let result = &run.status.metric_results[0];
    assert_eq!((result.count, result.failed, result.successful), (3, 2, 1));
}

#[test]
fn errors_are_retried_after_ten_seconds_and_do_not_count() {
    let spec = json!({"metrics": [{"name": "a", "interval": "60s", "count": 2, "provider": {"web": {"url": "http://x"}}}]});
    let answers = BTreeMap::from([("a", vec![Phase::Error, Phase::Successful, Phase::Successful])]);
    let (run, times) = play(&spec, &answers);
    assert_eq!(run.status.phase, Some(Phase::Successful));
    assert_eq!(times, [0, 10, 70]);
}

#[test]
fn five_errors_in_a_row_are_an_error() {
    let spec = json!({"metrics": [{"name": "a", "provider": {"web": {"url": "http://x"}}}]});
    let (run, times) = play(&spec, &BTreeMap::from([("a", vec![Phase::Error; 9])]));
    assert_eq!(run.status.phase, Some(Phase::Error));
    assert_eq!(
        run.status.message,
        "Metric \"a\" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4)"
    );
    assert_eq!(times.len(), 5);
}

#[test]
fn a_dry_run_metric_decides_nothing() {
    let spec = json!({
        "dryRun": [{"metricName": "tri.*"}],
        "metrics": [{"name": "trial", "provider": {"web": {"url": "http://x"}}}, {"name": "real", "provider": {"web": {"url": "http://x"}}}]
    });
    let answers = BTreeMap::from([("trial", vec![Phase::Failed]), ("real", vec![Phase::Successful])]);
    let (run, _) = play(&spec, &answers);
    assert_eq!(run.status.phase, Some(Phase::Successful));
    assert_eq!(
        run.status.metric_results[0].message,
        "Metric assessed Failed due to failed (1) > failureLimit (0)"
    );
    assert_eq!(run.status.dry_run_summary.unwrap().failed, 1);
}

#[test]
fn one_decided_metric_ends_the_others_and_measurements_are_kept_to_a_limit() {
    let spec = json!({"metrics": [
        {"name": "endless", "interval": "1s", "provider": {"web": {"url": "http://x"}}},
        {"name": "late", "initialDelay": "30s", "provider": {"web": {"url": "http://x"}}}
    ]});
    let (run, _) = play(&spec, &BTreeMap::from([("endless", vec![]), ("late", vec![Phase::Failed])]));
    assert_eq!(run.status.phase, Some(Phase::Failed));
    assert_eq!(run.status.metric_results[0].measurements.len(), 10);
    assert_eq!(run.status.metric_results[0].phase, Some(Phase::Successful));
}

#[test]
fn what_cannot_be_carried_out_says_why() {
    let run = |spec: Value| {
        let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": "r"}, "spec": spec});
        AnalysisRun::from_object(&Object::from_value(object)).unwrap()
    };
    let web = json!({"web": {"url": "http://x"}});
    for (spec, message) in [
        (json!({"metrics": []}), "Analysis spec invalid: no metrics specified"),
        (
            json!({"metrics": [{"name": "a", "count": 2, "provider": web}]}),
            "Analysis spec invalid: metrics[0]: interval must be specified when count > 1",
        ),
        (json!({"metrics": [{"name": "a"}]}), "Analysis spec invalid: metrics[0]: no provider specified"),
        (
            json!({"metrics": [{"name": "a", "provider": {"web": {"url": "{{args.x}}"}}}]}),
            "Unable to resolve metric arguments: failed to resolve {{args.x}}",
        ),
        (
            json!({"metrics": [{"name": "a", "provider": web}], "dryRun": [{"metricName": "b"}]}),
            "Analysis spec invalid: dryRun[0]: Rule didn't match any metric name(s)",
        ),
    ] {
        let run = run(spec);
        let error = check(&run).unwrap_err().to_string();
        assert_eq!(error, message);
        assert_eq!(invalid(&run, &error, Time::from_unix(0)).status.phase, Some(Phase::Error));
    }
}
