//! A node with an embedded API server, and shells for containers.

use std::path::Path;
use std::time::Duration;

use apiserver::{ApiServer, Config};
use bytes::Bytes;
use node::images::Recipe;
use node::{ImageStore, Node, NodeConfig, Pods};
use object::{Key, Object, Value, json};
use runtime::http::{HttpClient as _, HttpRequest, NoNames, System, TlsTrust};
use runtime::{Clock, Cluster, Deletion, Selection, Tasks, resources as r};

pub struct World {
    pub cluster: Cluster,
    pub tasks: Tasks,
    pub dir: tempfile::TempDir,
}

impl World {
    pub async fn start() -> Self {
        let server = ApiServer::new(store::Store::memory(), Clock::system(), Config::default());
        server.bootstrap().await.unwrap();
        let cluster = Cluster::new(kube::Client::new(server.router(), "default"), Clock::system());
        let world = Self { cluster, tasks: Tasks::new(), dir: tempfile::tempdir().unwrap() };
        image(world.dir.path());
        world.node(&world.tasks).await;
        world
    }

    pub async fn node(&self, tasks: &Tasks) {
        let config = NodeConfig::new("local", self.dir.path(), Pods::Processes).silent();
        Node::new(self.cluster.clone(), config).run(tasks).await.unwrap();
    }

    /// Makes a pod that runs `script` in a shell.
    pub async fn pod(&self, name: &str, script: &str, more: Value) {
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

    pub async fn get(&self, name: &str) -> Option<Object> {
        self.cluster.get(&r::PODS, &Key::new("default", name)).await.unwrap()
    }

    /// Returns the pod once `holds`; fails after 30 s.
    pub async fn until(&self, name: &str, holds: impl Fn(&Object) -> bool) -> Object {
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

    /// Returns once `holds` of the pod's Events, each as `Type Reason xCount part: message`, in order.
    pub async fn until_events(&self, pod: &str, holds: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut last = Vec::new();
        for _ in 0..600 {
            last = self.events(pod).await.iter().map(told).collect();
            if holds(&last) {
                return last;
            }
            self.cluster.clock().sleep(Duration::from_millis(50)).await;
        }
        panic!("{last:#?}");
    }

    /// Returns once there is this Event of a pod, given as `Type Reason part: message`, however often it came.
    pub async fn until_event(&self, pod: &str, expected: &str) {
        let uncounted = |event: &String| {
            let (head, tail) = event.split_once(" x").unwrap();
            format!("{head} {}", tail.split_once(' ').unwrap().1)
        };
        self.until_events(pod, |events| events.iter().any(|event| uncounted(event) == expected)).await;
    }

    /// Returns the Events about a pod, oldest first.
    pub async fn events(&self, pod: &str) -> Vec<Object> {
        let all = self.cluster.list(&r::EVENTS, Some("default"), &Selection::default()).await.unwrap();
        let mut events: Vec<Object> =
            all.into_iter().filter(|event| event.str(&["involvedObject", "name"]) == pod).collect();
        events.sort_by_key(|event| event.str(&["metadata", "name"]).to_owned());
        events
    }

    /// Deletes the pod with this grace period.
    pub async fn delete(&self, name: &str, grace: u32) {
        let deletion = Deletion { grace: Some(grace), ..Deletion::default() };
        self.cluster.delete(&r::PODS, &Key::new("default", name), &deletion).await.unwrap();
    }

    /// Returns once the pod is gone; fails after 30 s.
    pub async fn until_gone(&self, name: &str) {
        for _ in 0..600 {
            if self.get(name).await.is_none() {
                return;
            }
            self.cluster.clock().sleep(Duration::from_millis(50)).await;
        }
        panic!("the pod {name} does not go");
    }

    /// Returns what the node's log endpoint answers.
    pub async fn logs(&self, path: &str) -> (u16, String) {
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

/// Returns an Event in one line.
fn told(event: &Object) -> String {
    let part = event.str(&["involvedObject", "fieldPath"]);
    format!(
        "{} {} x{} {part}: {}",
        event.str(&["type"]),
        event.str(&["reason"]),
        event.int(&["count"]).unwrap(),
        event.str(&["message"])
    )
}

/// An image whose program is the machine's shell.
fn image(dir: &Path) {
    let root = dir.join("root");
    std::fs::create_dir_all(&root).unwrap();
    let recipe =
        Recipe { name: "shell:1".into(), root, entrypoint: vec!["/bin/sh".into()], ..Recipe::default() };
    ImageStore::open(dir.join("images")).unwrap().build(&recipe).unwrap();
}

pub fn main_status(pod: &Object) -> Value {
    pod.items(&["status", "containerStatuses"]).first().cloned().unwrap_or_default()
}

pub fn is_ready(pod: &Object) -> bool {
    pod.condition("Ready").is_some_and(|ready| ready.status == object::ConditionStatus::True)
}
