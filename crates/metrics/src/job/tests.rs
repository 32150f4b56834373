use super::*;

#[test]
fn ends() {
    for (conditions, expected) in [
        (json!([]), None),
        (json!([{"type": "Suspended", "status": "True"}]), None),
        (json!([{"type": "Complete", "status": "False"}]), None),
        (
            json!([{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]),
            Some(Phase::Successful),
        ),
        (
            json!([{"type": "FailureTarget", "status": "True"}, {"type": "Failed", "status": "True"}]),
            Some(Phase::Failed),
        ),
    ] {
        let job = Object::from_value(json!({"kind": "Job", "status": {"conditions": conditions}}));
        assert_eq!(state(&job), expected, "{conditions}");
    }
}

#[test]
fn looks_grow_rarer() {
    let start = Time::from_unix(0);
    for (elapsed, wait) in [(0, 1), (1, 1), (2, 2), (8, 4), (3600, 84)] {
        let now = Time::from_unix(elapsed);
        assert_eq!(next_look(start, now).since(now).as_secs(), wait, "{elapsed}");
    }
}

#[test]
fn pods_that_will_never_start() {
    let pod = |reason: &str| {
        Object::from_value(json!({"kind": "Pod", "metadata": {"name": "p"}, "status": {"containerStatuses": [
            {"name": "c", "state": {"waiting": {"reason": reason, "message": "no such image"}}}]}}))
    };
    assert_eq!(hopeless(&pod("ContainerCreating")), None);
    let words = "pod 'p' cannot start container 'c': ErrImagePull: no such image";
    assert_eq!(hopeless(&pod("ErrImagePull")).as_deref(), Some(words));
}

#[test]
fn the_job_of_a_measurement() {
    let mut measurement = Measurement::default();
    assert_eq!(key(&measurement, "ns"), None);
    measurement.metadata.insert(JOB_NAME.into(), "j".into());
    assert_eq!(key(&measurement, "ns"), Some(Key::new("ns", "j")));
    measurement.metadata.insert(JOB_NAMESPACE.into(), "other".into());
    assert_eq!(key(&measurement, "ns"), Some(Key::new("other", "j")));
}
