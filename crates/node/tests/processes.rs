//! A node of real processes against the embedded API server.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "processes/events.rs"]
mod events;
#[path = "processes/lifecycle.rs"]
mod lifecycle;
#[path = "processes/logs.rs"]
mod logs;
#[path = "processes/world.rs"]
mod world;

use std::time::Duration;

use node::{Node, NodeConfig, NodeError, Pods};
use object::{Key, Object, json};
use runtime::{Deletion, Tasks, resources as r};

use world::{World, is_ready, main_status};

#[tokio::test]
async fn a_pod_becomes_ready_by_its_probe_logs_and_stops_gracefully() {
    let world = World::start().await;
    let script =
        "trap 'echo bye; exit 0' TERM; echo up on $SLIPWAY_POD_IP; touch ready; while :; do sleep 0.05; done";
    let probe = json!({"readinessProbe": {"exec": {"command": ["test", "-f", "ready"]}, "periodSeconds": 1}});
    world.pod("web", script, probe).await;
    let pod = world.until("web", is_ready).await;
    assert_eq!(pod.str(&["status", "phase"]), "Running");
    let ip = pod.str(&["status", "podIP"]).to_owned();
    assert!(ip.starts_with("127."), "{ip}");
    assert_eq!(world.logs("web/main").await, (200, format!("up on {ip}\n")));
    assert_eq!(world.logs("web/other").await.0, 404);
    assert_eq!(world.logs("web/main?previous=true").await.0, 400);
    world.cluster.delete(&r::PODS, &Key::new("default", "web"), &Deletion::default()).await.unwrap();
    for _ in 0..600 {
        if world.get("web").await.is_none() {
            return world.tasks.stop().await;
        }
        world.cluster.clock().sleep(Duration::from_millis(50)).await;
    }
    panic!("the pod does not go");
}

#[tokio::test]
async fn a_failing_container_restarts_and_then_backs_off() {
    let world = World::start().await;
    world.pod("bad", "echo no; exit 3", json!({})).await;
    let pod =
        world.until("bad", |pod| main_status(pod)["state"]["waiting"]["reason"] == "CrashLoopBackOff").await;
    let status = main_status(&pod);
    assert_eq!(
        (&status["restartCount"], &status["lastState"]["terminated"]["exitCode"]),
        (&json!(1), &json!(3))
    );
    let message = status["state"]["waiting"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("back-off 10s restarting failed container=main pod=bad_default("),
        "{message}"
    );
    assert_eq!(pod.str(&["status", "phase"]), "Running");
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_pod_that_is_not_restarted_ends_with_its_code() {
    let world = World::start().await;
    world.pod("well", "exit 0", json!({"spec.restartPolicy": "Never"})).await;
    world.pod("badly", "exit 7", json!({"spec.restartPolicy": "Never"})).await;
    world.until("well", |pod| pod.str(&["status", "phase"]) == "Succeeded").await;
    let pod = world.until("badly", |pod| pod.str(&["status", "phase"]) == "Failed").await;
    assert_eq!(main_status(&pod)["state"]["terminated"]["exitCode"], 7);
    world.tasks.stop().await;
}

#[tokio::test]
async fn an_image_that_is_not_there_is_named() {
    let world = World::start().await;
    world.pod("lost", "", json!({"image": "nowhere:1"})).await;
    let pod =
        world.until("lost", |pod| main_status(pod)["state"]["waiting"]["reason"] == "ImagePullBackOff").await;
    assert_eq!(pod.str(&["status", "phase"]), "Pending");
    let message = main_status(&pod)["state"]["waiting"]["message"].clone();
    assert_eq!(
        message,
        "Back-off pulling image \"nowhere:1\": ErrImagePull: image \"nowhere:1\" is not in the store of this node"
    );
    world.tasks.stop().await;
}

#[tokio::test]
async fn init_containers_run_first_and_volumes_are_there() {
    let world = World::start().await;
    let data = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm", "namespace": "default"},
        "data": {"greeting": "hello"}});
    world.cluster.create(&r::CONFIG_MAPS, &Object::from_value(data)).await.unwrap();
    let mount =
        json!([{"name": "config", "mountPath": "/etc/config"}, {"name": "tmp", "mountPath": "/tmp/x"}]);
    let init = json!([{"name": "first", "image": "shell:1", "volumeMounts": mount,
        "args": ["-c", "cp $SLIPWAY_ROOTFS/etc/config/greeting $SLIPWAY_VOLUME_TMP/copy"]}]);
    let volumes = json!([{"name": "config", "configMap": {"name": "cm"}}, {"name": "tmp", "emptyDir": {}}]);
    let more = json!({"spec.initContainers": init, "spec.volumes": volumes, "spec.restartPolicy": "Never",
        "volumeMounts": mount});
    world.pod("volumes", "cat rootfs/tmp/x/copy", more).await;
    world.until("volumes", |pod| pod.str(&["status", "phase"]) == "Succeeded").await;
    assert_eq!(world.logs("volumes/main").await.1.trim(), "hello");
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_node_that_comes_back_runs_its_pods_again() {
    let world = World::start().await;
    world.pod("web", "while :; do sleep 0.05; done", json!({})).await;
    world.until("web", is_ready).await;
    world.tasks.stop().await;
    let again = Tasks::new();
    world.node(&again).await;
    let pod = world.until("web", |pod| is_ready(pod) && main_status(pod)["restartCount"] == 1).await;
    assert_eq!(main_status(&pod)["lastState"]["terminated"]["exitCode"], 137);
    again.stop().await;
}

#[tokio::test]
async fn a_second_node_in_the_same_folder_is_refused_and_kills_nothing() {
    let world = World::start().await;
    world.pod("web", "while :; do sleep 0.05; done", json!({})).await;
    world.until("web", is_ready).await;
    let tasks = Tasks::new();
    let config = NodeConfig::new("other", world.dir.path(), Pods::Processes).silent();
    let refused = Node::new(world.cluster.clone(), config).run(&tasks).await.unwrap_err();
    assert!(matches!(refused, NodeError::Claimed { .. }), "{refused}");
    let id = std::process::id().to_string();
    assert!(refused.to_string().contains(&format!("is in use by another process (pid {id})")), "{refused}");
    world.cluster.clock().sleep(Duration::from_millis(200)).await;
    let pod = world.get("web").await.unwrap();
    assert!(is_ready(&pod) && main_status(&pod)["restartCount"] == 0);
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_full_disk_loses_output_and_nothing_else() {
    let world = World::start().await;
    let spoil = "mkdir -p ../main && ln -s /dev/full ../main/0.log";
    let init = json!([{"name": "spoil", "image": "shell:1", "args": ["-c", spoil]}]);
    let script = "while :; do echo output; touch ready; sleep 0.05; done";
    let probe = json!({"exec": {"command": ["test", "-f", "ready"]}, "periodSeconds": 1});
    world.pod("loud", script, json!({"spec.initContainers": init, "readinessProbe": probe})).await;
    let pod = world.until("loud", is_ready).await;
    assert_eq!(main_status(&pod)["restartCount"], 0);
    let events =
        world.until_events("loud", |events| events.iter().any(|event| event.contains("OutputLost"))).await;
    let lost = "Warning OutputLost x1 spec.containers{main}: Container output is lost: No space left on device \
                (os error 28)";
    assert!(events.iter().any(|event| event == lost), "{events:#?}");
    world.tasks.stop().await;
}
