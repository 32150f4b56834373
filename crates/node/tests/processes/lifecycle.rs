//! Hooks, probes, grace periods, restarts.

use object::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::world::{World, is_ready, main_status};

const FOREVER: &str = "while :; do sleep 0.05; done";

/// A main process that leaves its worker alone: who stops it tells only the main process.
#[tokio::test]
async fn only_the_main_process_is_told_to_stop() {
    let world = World::start().await;
    let worker = "trap 'echo worker told' TERM; while [ ! -f bye ]; do sleep 0.05; done; echo worker done";
    let script = format!("({worker}) & trap 'touch bye; wait; exit 0' TERM; while :; do sleep 0.05; done");
    world.pod("web", &script, json!({"livenessProbe": failing()})).await;
    world.until("web", restarted).await;
    assert_eq!(world.logs("web/main?previous=true").await, (200, "worker done\n".into()));
    world.tasks.stop().await;
}

/// A probe that fails once, a second after the start.
fn failing() -> Value {
    json!({"exec": {"command": ["false"]}, "initialDelaySeconds": 1, "failureThreshold": 1, "periodSeconds": 60})
}

fn restarted(pod: &object::Object) -> bool {
    main_status(pod)["restartCount"] == 1
}

#[tokio::test]
async fn a_failed_liveness_probe_stops_with_the_hook_and_starts_again() {
    let world = World::start().await;
    let script = format!("trap 'cat hooked; exit 0' TERM; echo run; {FOREVER}");
    let hook = json!({"preStop": {"exec": {"command": ["sh", "-c", "echo hooked > hooked"]}}});
    world.pod("web", &script, json!({"livenessProbe": failing(), "lifecycle": hook})).await;
    let pod = world.until("web", restarted).await;
    let last = main_status(&pod)["lastState"]["terminated"].clone();
    assert_eq!((&last["exitCode"], &last["reason"]), (&json!(0), &json!("Completed")));
    assert_eq!(world.logs("web/main?previous=true").await, (200, "run\nhooked\n".into()));
    let part = "spec.containers{main}";
    let killing = "Container main failed liveness probe, will be restarted";
    world.until_event("web", &format!("Normal Killing {part}: {killing}")).await;
    let unhealthy = "Liveness probe failed: false: exit code 1";
    world.until_event("web", &format!("Warning Unhealthy {part}: {unhealthy}")).await;
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_signal_is_told_by_the_exit_code() {
    let world = World::start().await;
    world.pod("polite", FOREVER, json!({"livenessProbe": failing()})).await;
    let deaf = json!({"livenessProbe": failing(), "spec.terminationGracePeriodSeconds": 1});
    world.pod("deaf", &format!("trap '' TERM; {FOREVER}"), deaf).await;
    for (name, code) in [("polite", 143), ("deaf", 137)] {
        let pod = world.until(name, restarted).await;
        let last = main_status(&pod)["lastState"]["terminated"].clone();
        assert_eq!((&last["exitCode"], &last["reason"]), (&json!(code), &json!("Error")), "{name}");
    }
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_failed_start_up_probe_is_told_and_without_restart_the_pod_fails() {
    let world = World::start().await;
    let more = json!({"startupProbe": failing(), "spec.restartPolicy": "Never"});
    world.pod("slow", FOREVER, more).await;
    let pod = world.until("slow", |pod| pod.str(&["status", "phase"]) == "Failed").await;
    assert_eq!(main_status(&pod)["state"]["terminated"]["exitCode"], 143);
    assert_eq!(main_status(&pod)["started"], false);
    let killing = "Normal Killing spec.containers{main}: Container main failed startup probe";
    world.until_event("slow", killing).await;
    world.tasks.stop().await;
}

#[tokio::test]
async fn the_grace_of_a_probe_goes_before_that_of_the_pod() {
    let world = World::start().await;
    let mut probe = failing();
    probe["terminationGracePeriodSeconds"] = json!(1);
    let more = json!({"livenessProbe": probe, "spec.terminationGracePeriodSeconds": 3600});
    world.pod("deaf", &format!("trap '' TERM; {FOREVER}"), more).await;
    let pod = world.until("deaf", restarted).await;
    assert_eq!(main_status(&pod)["lastState"]["terminated"]["exitCode"], 137);
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_container_is_ready_after_its_post_start_hook() {
    let world = World::start().await;
    let script = format!("while [ ! -f post ]; do sleep 0.05; done; echo post; {FOREVER}");
    let hook = json!({"postStart": {"exec": {"command": ["touch", "post"]}}});
    world.pod("web", &script, json!({"lifecycle": hook})).await;
    world.until("web", is_ready).await;
    let failing = json!({"postStart": {"exec": {"command": ["false"]}}});
    world.pod("bad", FOREVER, json!({"lifecycle": failing})).await;
    let pod = world.until("bad", restarted).await;
    assert_eq!(main_status(&pod)["lastState"]["terminated"]["exitCode"], 143);
    world.until_event("bad", "Normal Killing spec.containers{main}: FailedPostStartHook").await;
    world.until_event("bad", "Warning FailedPostStartHook spec.containers{main}: PostStartHook failed").await;
    world.tasks.stop().await;
}

#[tokio::test]
async fn any_answer_to_a_request_before_the_stop_will_do() {
    let world = World::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hook = json!({"preStop": {"httpGet": {"host": "127.0.0.1", "port": port, "path": "/bye"}}});
    world.pod("web", FOREVER, json!({"lifecycle": hook})).await;
    world.until("web", is_ready).await;
    world.delete("web", 5).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = vec![0; 4096];
    let length = stream.read(&mut request).await.unwrap();
    let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
    assert!(request.starts_with("get /bye http/1.1"), "{request}");
    assert!(request.contains("user-agent: kube-lifecycle/1.36"), "{request}");
    let answer = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    world.until_gone("web").await;
    let events = world.until_events("web", |events| events.iter().any(|one| one.contains("Killing"))).await;
    assert!(!events.iter().any(|event| event.contains("FailedPreStopHook")), "{events:#?}");
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_hook_gets_no_more_than_the_grace_period() {
    let world = World::start().await;
    let hook = json!({"preStop": {"sleep": {"seconds": 3600}}});
    world.pod("web", FOREVER, json!({"lifecycle": hook})).await;
    world.until("web", is_ready).await;
    world.delete("web", 1).await;
    world.until_gone("web").await;
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_second_deletion_may_shorten_the_grace() {
    let world = World::start().await;
    world.pod("deaf", &format!("trap '' TERM; touch ready; {FOREVER}"), json!({})).await;
    world.until("deaf", is_ready).await;
    world.delete("deaf", 3600).await;
    world.until_events("deaf", |events| events.iter().any(|event| event.contains("Killing"))).await;
    world.delete("deaf", 1).await;
    world.until_gone("deaf").await;
    world.tasks.stop().await;
}

#[tokio::test]
async fn on_failure_restarts_until_it_is_well() {
    let world = World::start().await;
    let script = "[ -f again ] && exit 0; touch again; exit 3";
    world.pod("job", script, json!({"spec.restartPolicy": "OnFailure"})).await;
    let pod = world.until("job", |pod| pod.str(&["status", "phase"]) == "Succeeded").await;
    let status = main_status(&pod);
    assert_eq!(status["restartCount"], 1);
    assert_eq!(status["state"]["terminated"]["exitCode"], 0);
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 3);
    world.tasks.stop().await;
}

#[tokio::test]
async fn init_containers_run_one_after_the_other_and_stop_the_pod_when_they_fail() {
    let world = World::start().await;
    let init = |name: &str, script: &str| json!({"name": name, "image": "shell:1", "args": ["-c", script]});
    let first = init("first", "sleep 0.3; echo first > ../order");
    let second = init("second", "cat ../order && echo second >> ../order");
    let more = json!({"spec.initContainers": [first, second], "spec.restartPolicy": "Never"});
    world.pod("well", "cat ../order", more).await;
    world.until("well", |pod| pod.str(&["status", "phase"]) == "Succeeded").await;
    assert_eq!(world.logs("well/main").await.1, "first\nsecond\n");
    let more = json!({"spec.initContainers": [init("first", "exit 5")], "spec.restartPolicy": "Never"});
    world.pod("badly", "exit 0", more).await;
    let pod = world.until("badly", |pod| pod.str(&["status", "phase"]) == "Failed").await;
    assert_eq!(pod.items(&["status", "initContainerStatuses"])[0]["state"]["terminated"]["exitCode"], 5);
    assert_eq!(main_status(&pod)["state"]["waiting"]["reason"], "PodInitializing");
    let events = world.until_events("badly", |events| events.len() == 3).await;
    assert!(events[0].contains("spec.initContainers{first}"), "{events:#?}");
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_pod_past_its_deadline_is_stopped_and_has_failed() {
    let world = World::start().await;
    world.pod("late", FOREVER, json!({"spec.activeDeadlineSeconds": 1})).await;
    let pod = world.until("late", |pod| pod.str(&["status", "phase"]) == "Failed").await;
    assert_eq!(pod.str(&["status", "reason"]), "DeadlineExceeded");
    let told = "Normal DeadlineExceeded : Pod was active on the node longer than the specified deadline";
    world.until_event("late", told).await;
    world.tasks.stop().await;
}
