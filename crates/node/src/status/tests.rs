use super::*;

fn at(second: i64) -> Time {
    Time::from_unix(second)
}

fn pod(policy: &str) -> Object {
    Object::from_value(json!({
        "metadata": {"name": "p", "uid": "u", "generation": 1},
        "spec": {"restartPolicy": policy, "containers": [{"name": "a"}, {"name": "b"}]}
    }))
}

fn container(name: &str, state: State) -> Container {
    let running = matches!(state, State::Running(_));
    Container { state, started: running, ready: running, ..Container::new(&json!({"name": name}), "") }
}

fn ended(code: i32) -> State {
    State::Ended(Ended {
        code,
        reason: "x".into(),
        message: String::new(),
        started: at(1),
        finished: at(2),
        container_id: String::new(),
    })
}

fn view(states: [State; 2]) -> View {
    let [a, b] = states;
    let containers = vec![container("a", a), container("b", b)];
    View { ip: Some(Ipv4Addr::new(127, 64, 0, 1)), start: at(0), init: Vec::new(), containers, failed: None }
}

#[test]
fn phases() {
    let run = || State::Running(at(1));
    let wait = || State::waiting("ContainerCreating");
    for (policy, states, expected) in [
        ("Always", [wait(), run()], Phase::Pending),
        ("Always", [run(), run()], Phase::Running),
        ("Always", [ended(0), run()], Phase::Running),
        ("Always", [ended(0), ended(0)], Phase::Running),
        ("OnFailure", [ended(0), ended(0)], Phase::Succeeded),
        ("OnFailure", [ended(0), ended(1)], Phase::Running),
        ("Never", [ended(0), ended(1)], Phase::Failed),
        ("Never", [ended(1), run()], Phase::Running),
        ("Never", [ended(0), ended(0)], Phase::Succeeded),
    ] {
        assert_eq!(phase(&pod(policy), &view(states.clone())), expected, "{policy} {states:?}");
    }
}

#[test]
fn a_pod_that_is_deleted_ends_for_good() {
    let mut pod = pod("Always");
    pod.set(&["metadata", "deletionTimestamp"], json!(at(5)));
    assert_eq!(phase(&pod, &view([ended(0), State::Running(at(1))])), Phase::Running);
    assert_eq!(phase(&pod, &view([ended(0), ended(143)])), Phase::Failed);
    assert_eq!(phase(&pod, &view([ended(0), ended(0)])), Phase::Succeeded);
}

#[test]
fn a_crash_loop_is_running_not_pending() {
    let mut view = view([State::waiting("CrashLoopBackOff"), State::Running(at(1))]);
    let State::Ended(last) = ended(1) else { unreachable!() };
    view.containers[0].last = Some(last);
    assert_eq!(phase(&pod("Always"), &view), Phase::Running);
}

#[test]
fn a_failed_init_container_fails_the_pod_that_never_restarts() {
    let mut view = view([State::waiting("PodInitializing"), State::waiting("PodInitializing")]);
    view.init = vec![container("i", ended(3))];
    assert_eq!(phase(&pod("Never"), &view), Phase::Failed);
    assert_eq!(phase(&pod("Always"), &view), Phase::Pending);
    let status = status(&pod("Always"), &view, at(9));
    assert_eq!(status["conditions"][1]["message"], "containers with incomplete status: [i]");
}

#[test]
fn a_final_phase_stays() {
    let mut pod = pod("Never");
    pod.set(&["status", "phase"], "Failed");
    assert_eq!(phase(&pod, &view([State::Running(at(1)), State::Running(at(1))])), Phase::Failed);
}

#[test]
fn conditions_name_the_containers_that_are_not_ready() {
    let status =
        status(&pod("Always"), &view([State::Running(at(1)), State::waiting("ErrImagePull")]), at(9));
    let ready = &status["conditions"][2];
    assert_eq!((&ready["type"], &ready["status"]), (&json!("Ready"), &json!("False")));
    assert_eq!(ready["reason"], "ContainersNotReady");
    assert_eq!(ready["message"], "containers with unready status: [b]");
}

#[test]
fn the_time_of_a_condition_changes_with_its_status_only() {
    let mut pod = pod("Always");
    let states = || view([State::Running(at(1)), State::Running(at(1))]);
    let first = status(&pod, &states(), at(5));
    pod.set(&["status"], first.clone());
    assert!(is_shown(&pod, &status(&pod, &states(), at(50))));
    let changed = status(&pod, &view([State::Running(at(1)), ended(1)]), at(60));
    assert_eq!(changed["conditions"][2]["lastTransitionTime"], json!(at(60)));
    assert_eq!(changed["conditions"][1]["lastTransitionTime"], json!(at(5)));
}

#[test]
fn conditions_of_others_are_kept_and_gates_are_heard() {
    let mut pod = pod("Always");
    pod.set(&["spec", "readinessGates"], json!([{"conditionType": "my/gate"}]));
    let states = || view([State::Running(at(1)), State::Running(at(1))]);
    assert_eq!(status(&pod, &states(), at(5))["conditions"][2]["reason"], "ReadinessGatesNotReady");
    pod.set(&["status", "conditions"], json!([{"type": "my/gate", "status": "True"}]));
    let status = status(&pod, &states(), at(5));
    assert_eq!(status["conditions"][2]["status"], "True");
    assert_eq!(status["conditions"][5]["type"], "my/gate");
}
