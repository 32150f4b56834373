use super::*;

fn ask(asked: &Asked) -> Result<Ask, String> {
    asked.ask(Time::from_unix(1_000))
}

#[test]
fn what_is_asked_for() {
    let asked =
        Asked { since_seconds: Some(60), tail_lines: Some(0), limit_bytes: Some(9), ..Asked::default() };
    let expected = Ask { since: Some(Time::from_unix(940)), tail: Some(0), limit: Some(9), ..Ask::default() };
    assert_eq!(ask(&asked), Ok(expected));
    let time = "1970-01-01T00:00:07Z".to_owned();
    let since = ask(&Asked { since_time: Some(time), ..Asked::default() }).unwrap().since;
    assert_eq!(since, Some(Time::from_unix(7)));
}

#[test]
fn what_makes_no_sense_is_named() {
    let time = || Some("1970-01-01T00:00:07Z".to_owned());
    for (asked, told) in [
        (Asked { tail_lines: Some(-1), ..Asked::default() }, "tailLines: Invalid value: -1"),
        (Asked { limit_bytes: Some(0), ..Asked::default() }, "limitBytes: Invalid value: 0"),
        (Asked { since_seconds: Some(0), ..Asked::default() }, "sinceSeconds: Invalid value: 0"),
        (Asked { since_time: Some("yesterday".into()), ..Asked::default() }, "sinceTime: "),
        (
            Asked { since_seconds: Some(1), since_time: time(), ..Asked::default() },
            "Forbidden: at most one of `sinceTime` or `sinceSeconds`",
        ),
    ] {
        let message = ask(&asked).unwrap_err();
        assert!(message.starts_with(told), "{message}");
    }
}

#[test]
fn why_there_is_no_log_yet() {
    let pod = |reason: &str| {
        Object::from_value(object::json!({"status": {"containerStatuses": [
            {"name": "a", "state": {"waiting": {"reason": reason}}}, {"name": "b", "state": {"running": {}}}]}}))
    };
    let told = |reason: &str| not_started(waiting(&pod(reason), "a").as_deref());
    assert_eq!(told("ContainerCreating"), ": ContainerCreating");
    assert_eq!(told("ErrImagePull"), ": image can't be pulled");
    assert_eq!(told("ImagePullBackOff"), ": trying and failing to pull image");
    assert_eq!(not_started(waiting(&pod("x"), "b").as_deref()), " - no logs yet");
}
