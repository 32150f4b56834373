use object::{Object, json};

use super::*;

#[test]
fn a_run_survives_a_round_trip() {
    let value = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": "r"},
        "spec": {"metrics": [{"name": "m", "count": "{{args.n}}", "failureLimit": 1, "provider": {"web": {"url": "u", "timeoutSeconds": 3}}}]},
        "status": {"phase": "Failed", "metricResults": [{"name": "m", "phase": "Failed", "failed": 2, "z": 1,
            "measurements": [{"phase": "Failed", "value": "1", "q": []}]}], "runSummary": {"count": 1, "failed": 1}}
    });
    let run = AnalysisRun::from_object(&Object::from_value(value.clone())).unwrap();
    assert_eq!(run.to_object().to_value(), value);
    assert_eq!(write(&run.spec), value["spec"]);
    assert!(run.status.phase.unwrap().completed());
}

#[test]
fn a_wrong_type_names_its_field() {
    let object = Object::from_value(json!({"spec": {"metrics": [{"name": 1}]}}));
    assert_eq!(AnalysisTemplate::from_object(&object).unwrap_err().path, "spec.metrics[0].name");
}
