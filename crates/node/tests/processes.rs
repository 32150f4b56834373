//! A node of real processes against the embedded API server.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::time::Duration;

use apiserver::{ApiServer, Config};
use bytes::Bytes;
use node::images::Recipe;
use node::{ImageStore, Node, NodeConfig, Pods};
use object::{Key, Object, Value, json};
use runtime::http::{HttpClient as _, HttpRequest, NoNames, System, TlsTrust};
use runtime::{Clock, Cluster, Deletion, Tasks, resources as r};

struct World {
    cluster: Cluster,
    tasks: Tasks,
    dir: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let server = ApiServer::new(store::Store::memory(), Clock::system(), Config::default());
        server.bootstrap().await.unwrap();
        let cluster = Cluster::new(kube::Client::new(server.router(), "default"), Clock::system());
        let world = Self { cluster, tasks: Tasks::new(), dir: tempfile::tempdir().unwrap() };
        image(world.dir.path());
        world.node(&world.tasks).await;
        world
    }

    async fn node(&self, tasks: &Tasks) {
        let config = NodeConfig::new("local", self.dir.path(), Pods::Processes).silent();
        Node::new(self.cluster.clone(), config).run(tasks).await.unwrap();
    }

    /// Makes a pod that runs `script` in a shell.
    async fn pod(&self, name: &str, script: &str, more: Value) {
        let mut container = json!({"name": "main", "image": "shell:1", "args": ["-c", script]});
        let mut spec =
            json!({"nodeName": "local", "restartPolicy": "Always", "terminationGracePeriodSeconds": 5});
        for (field, value) in more.as_object().cloned().unwrap_or_default() {
            let target = if field.starts_with("spec.") { &mut spec } else { &mut container };
            target[field.trim_start_matches("spec.")] = value;
        }
        spec["containers"] = json!([container]);
        let metadata = json!({"name": name, "namespace": "default"});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
        self.cluster.create(&r::PODS, &Object::from_value(pod)).await.unwrap();
    }

    async fn get(&self, name: &str) -> Option<Object> {
        self.cluster.get(&r::PODS, &Key::new("default", name)).await.unwrap()
    }

    /// Returns the pod once `holds`; fails after 30 s.
    async fn until(&self, name: &str, holds: impl Fn(&Object) -> bool) -> Object {
        let mut last = None;
        for _ in 0..600 {
            last = self.get(name).await;
            if let Some(pod) = last.as_ref().filter(|pod| holds(pod)) {
                return pod.clone();
            }
            self.cluster.clock().sleep(Duration::from_millis(50)).await;
        }
        panic!("{:?}", last.map(|pod| pod.get(&["status"]).cloned()));
    }

    /// Returns what the node's log endpoint answers.
    async fn logs(&self, path: &str) -> (u16, String) {
        let node = self.cluster.get(&r::NODES, &Key::new("", "local")).await.unwrap().unwrap();
        let port = node.int(&["status", "daemonEndpoints", "kubeletEndpoint", "Port"]).unwrap();
        let request = HttpRequest {
            method: "GET".into(),
            url: format!("https://127.0.0.1:{port}/containerLogs/default/{path}"),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(10),
            tls: TlsTrust::Anybody,
        };
        let answer = System::new(std::sync::Arc::new(NoNames)).send(request).await.unwrap();
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
    }
}

/// An image whose program is the machine's shell.
fn image(dir: &Path) {
    let root = dir.join("root");
    std::fs::create_dir_all(&root).unwrap();
    let recipe =
        Recipe { name: "shell:1".into(), root, entrypoint: vec!["/bin/sh".into()], ..Recipe::default() };
    ImageStore::open(dir.join("images")).unwrap().build(&recipe).unwrap();
}

fn main_status(pod: &Object) -> Value {
    pod.items(&["status", "containerStatuses"]).first().cloned().unwrap_or_default()
}

fn is_ready(pod: &Object) -> bool {
    pod.condition("Ready").is_some_and(|ready| ready.status == object::ConditionStatus::True)
}

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
    assert_eq!(message, "image \"nowhere:1\" is not in the store of this node");
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
