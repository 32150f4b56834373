use super::*;
use crate::{Referenced, validate};

fn object(spec: &Value) -> Object {
    Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "invalid", "namespace": "n", "generation": 3}, "spec": spec,
        "status": {"phase": "Healthy", "kept": 1}
    }))
}

#[track_caller]
fn written(object: &Object, plan: &Plan) -> Value {
    assert!(plan.actions.is_empty());
    assert_eq!(object.int(&["status", "kept"]), Some(1));
    plan.status.clone().unwrap()
}

#[test]
fn the_message_is_that_of_upstream() {
    let object = object(&json!({
        "selector": {"matchLabels": {"app": "a"}},
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        "strategy": {"canary": {"maxSurge": 0, "maxUnavailable": 0}}
    }));
    let rollout = Rollout::from_object(&object).unwrap();
    let problems = validate(&rollout, &Referenced::default()).unwrap_err();
    let now = Time::from_unix(0);
    let plan = invalid(&rollout, &problems, now);
    let status = written(&object, &plan);
    assert_eq!(
        status["message"],
        "InvalidSpec: The Rollout \"invalid\" is invalid: spec.strategy.maxSurge: Invalid value: 0: MaxSurge and MaxUnavailable both can not be zero"
    );
    assert_eq!((&status["phase"], &status["observedGeneration"]), (&json!("Degraded"), &json!("3")));
    assert_eq!(status["kept"], 1);

    // Said once, it is not said again.
    let mut later = object.clone();
    later.set(&["status"], status);
    let again = invalid(&Rollout::from_object(&later).unwrap(), &problems, Time::from_unix(100));
    assert!(again.is_empty());
    assert!(!again.why.settled());
}

#[test]
fn a_wrong_type_is_said_with_its_field() {
    let object = object(&json!({"replicas": "three"}));
    let error = Rollout::from_object(&object).unwrap_err();
    let status = written(&object, &unreadable(&object, &error, Time::from_unix(0)));
    let message = status["message"].as_str().unwrap();
    assert!(
        message.starts_with("InvalidSpec: The Rollout \"invalid\" is invalid: spec.replicas: invalid type"),
        "{message}"
    );
}
