//! Logs over the node's own endpoint and through the API server.

use object::json;

use crate::world::{World, main_status};

async fn ended(world: &World, name: &str, script: &str) {
    world.pod(name, script, json!({"spec.restartPolicy": "Never"})).await;
    world.until(name, |pod| pod.str(&["status", "phase"]) == "Succeeded").await;
}

/// Returns status and text of the API server's answer.
async fn through_api(world: &World, path: &str) -> Result<String, String> {
    let path = format!("/api/v1/namespaces/default/pods/{path}");
    let request = axum::http::Request::get(path).body(Vec::new()).unwrap();
    world.cluster.client().request_text(request).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn parts_of_a_log() {
    let world = World::start().await;
    ended(&world, "web", "echo one; echo two >&2; echo three").await;
    let all = world.logs("web/main").await.1;
    assert_eq!(all.len(), "one\ntwo\nthree\n".len(), "{all}");
    assert_eq!(world.logs("web/main?limitBytes=2").await.1, all[..2]);
    assert_eq!(world.logs("web/main?tailLines=0").await, (200, String::new()));
    assert_eq!(world.logs("web/main?tailLines=1").await.1.lines().count(), 1);
    assert_eq!(world.logs("web/main?sinceSeconds=3600").await.1, all);
    assert_eq!(world.logs("web/main?sinceTime=2100-01-01T00:00:00Z").await, (200, String::new()));
    let stamped = world.logs("web/main?timestamps=true&tailLines=1").await.1;
    let (time, text) = stamped.split_once(' ').unwrap();
    assert!(object::Time::parse(time).is_ok(), "{stamped}");
    assert!(all.ends_with(text), "{stamped}");
    let refused = world.logs("web/main?tailLines=-1").await;
    let message = "tailLines: Invalid value: -1: must be greater than or equal to 0";
    assert_eq!(refused, (422, message.to_owned()));
    assert_eq!(world.logs("web/other").await, (404, "container \"other\" not found in pod \"web\"".into()));
    assert_eq!(world.logs("nobody/main").await, (404, "pod \"nobody\" does not exist".into()));
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_followed_log_ends_with_its_run_even_when_the_next_one_begins_at_once() {
    let world = World::start().await;
    world.pod("again", "echo begin; sleep 1; echo end; exit 1", json!({})).await;
    world.until("again", |pod| main_status(pod)["state"]["running"].is_object()).await;
    assert_eq!(world.logs("again/main?follow=true").await, (200, "begin\nend\n".into()));
    world.tasks.stop().await;
}

#[tokio::test]
async fn between_two_runs_the_last_one_is_the_previous_one_too() {
    let world = World::start().await;
    world.pod("bad", "echo run $RANDOM; exit 1", json!({})).await;
    world.until("bad", |pod| main_status(pod)["state"]["waiting"]["reason"] == "CrashLoopBackOff").await;
    let present = world.logs("bad/main").await;
    assert_eq!(present.0, 200);
    assert_eq!(world.logs("bad/main?previous=true").await, present);
    world.pod("lost", "", json!({"image": "nowhere:1"})).await;
    world.until("lost", |pod| main_status(pod)["state"]["waiting"]["reason"] == "ImagePullBackOff").await;
    let message =
        "container \"main\" in pod \"lost\" is waiting to start: trying and failing to pull image".to_owned();
    assert_eq!(world.logs("lost/main").await, (400, message.clone()));
    assert!(through_api(&world, "lost/log").await.unwrap_err().contains(&message));
    world.tasks.stop().await;
}

#[tokio::test]
async fn through_the_api_server_a_container_must_be_named_when_there_are_several() {
    let world = World::start().await;
    let container = |name: &str| json!({"name": name, "image": "shell:1", "args": ["-c", format!("echo {name}; echo end")]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "two", "namespace": "default"},
        "spec": {"nodeName": "local", "restartPolicy": "Never", "initContainers": [container("first")],
            "containers": [container("a"), container("b")]}});
    world.cluster.create(&runtime::resources::PODS, &object::Object::from_value(pod)).await.unwrap();
    world.until("two", |pod| pod.str(&["status", "phase"]) == "Succeeded").await;
    let refused = through_api(&world, "two/log").await.unwrap_err();
    let message = "a container name must be specified for pod two, choose one of: [first a b]";
    assert!(refused.contains(message), "{refused}");
    assert_eq!(through_api(&world, "two/log?container=first").await.unwrap(), "first\nend\n");
    let refused = through_api(&world, "two/log?container=c").await.unwrap_err();
    assert!(refused.contains("container c is not valid for pod two"), "{refused}");
    assert_eq!(through_api(&world, "two/log?container=b").await.unwrap(), "b\nend\n");
    let followed = through_api(&world, "two/log?container=a&tailLines=1&follow=true").await;
    assert_eq!(followed.unwrap(), "end\n");
    world.tasks.stop().await;
}
