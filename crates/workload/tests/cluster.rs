//! The controllers against the embedded API server and a simulated node, under virtual time.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "cluster/jobs.rs"]
mod jobs;
#[path = "cluster/recorded.rs"]
mod recorded;

use std::time::Duration;

use apiserver::{ApiServer, Config};
use node::{Node, NodeConfig, Pods, Rule, Rules};
use object::{ConditionStatus, Key, Object, Time, Value, json};
use runtime::{
    Clock, Cluster, Deletion, Patch, Propagation, Resource, Selection, Tasks, Watches, resources as r,
};
use store::Store;

struct World {
    store: Store,
    cluster: Cluster,
    tasks: Tasks,
}

impl World {
    async fn start(rules: Rules) -> Self {
        let _ = tracing_subscriber::fmt().with_test_writer().try_init();
        let clock = Clock::starting_at(Time::parse("2026-01-01T00:00:00Z").unwrap());
        let store = Store::memory();
        let server = ApiServer::new(store.clone(), clock.clone(), Config { seed: 1, ..Config::default() });
        server.bootstrap().await.unwrap();
        let cluster = Cluster::new(kube::Client::new(server.router(), "default"), clock);
        let tasks = Tasks::new();
        let watches = Watches::new(cluster.clone(), &tasks);
        workload::run(&cluster, &watches, &tasks, &workload::Set::all());
        let config = NodeConfig::new("sim", "unused", Pods::Simulated(rules)).silent();
        Node::new(cluster.clone(), config).run(&tasks).await.unwrap();
        Self { store, cluster, tasks }
    }

    async fn create(&self, resource: &Resource, value: Value) -> Object {
        self.cluster.create(resource, &Object::from_value(value)).await.unwrap()
    }

    async fn all(&self, resource: &Resource) -> Vec<Object> {
        self.cluster.list(resource, Some("default"), &Selection::default()).await.unwrap()
    }

    async fn get(&self, resource: &Resource, name: &str) -> Option<Object> {
        let namespace = if resource.namespaced { "default" } else { "" };
        self.cluster.get(resource, &Key::new(namespace, name)).await.unwrap()
    }

    /// Waits until `holds`, at most twelve virtual minutes.
    async fn until<F: Future<Output = bool>>(&self, what: &'static str, holds: impl Fn() -> F) {
        for _ in 0..7_200 {
            if holds().await {
                return;
            }
            self.cluster.clock().sleep(Duration::from_millis(100)).await;
        }
        for resource in [r::DEPLOYMENTS, r::REPLICA_SETS, r::JOBS, r::PODS] {
            for object in self.all(&resource).await {
                eprintln!(
                    "{} {}: {}",
                    object.kind(),
                    object.name(),
                    object.get(&["status"]).unwrap_or(&Value::Null)
                );
            }
        }
        panic!("not within twelve minutes: {what}");
    }

    async fn delete(&self, resource: &Resource, name: &str, propagation: Propagation) {
        let namespace = if resource.namespaced { "default" } else { "" };
        let deletion = Deletion { propagation: Some(propagation), ..Deletion::default() };
        self.cluster.delete(resource, &Key::new(namespace, name), &deletion).await.unwrap();
    }

    async fn deployment(&self, replicas: i64) {
        self.create(&r::DEPLOYMENTS, deployment(replicas)).await;
        self.until("the Deployment is available", || async {
            let found = self.get(&r::DEPLOYMENTS, "web").await.unwrap();
            found.int(&["status", "availableReplicas"]) == Some(replicas)
                && found.condition("Progressing").is_some_and(|one| one.reason == "NewReplicaSetAvailable")
        })
        .await;
    }
}

fn deployment(replicas: i64) -> Value {
    let port = json!({"name": "http", "containerPort": 5000});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "color:1", "ports": [port]}]}}}
    })
}

fn service() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}
    })
}

fn set_image(image: &str) -> Patch {
    let container = json!([{"name": "web", "image": image}]);
    Patch::strategic(json!({"spec": {"template": {"spec": {"containers": container}}}}))
}

fn is_ready(pod: &Object) -> bool {
    pod.condition("Ready").is_some_and(|ready| ready.status == ConditionStatus::True)
}

#[tokio::test(start_paused = true)]
async fn a_deployment_comes_up_has_endpoints_and_rests() {
    let world = World::start(Rules::default()).await;
    world.create(&r::SERVICES, service()).await;
    world.deployment(3).await;
    world
        .until("three ready endpoints", || async {
            let slices = world.all(&r::ENDPOINT_SLICES).await;
            let endpoints = slices.iter().flat_map(|slice| slice.items(&["endpoints"]));
            endpoints.filter(|one| one["conditions"]["ready"] == true).count() == 3
        })
        .await;
    let endpoints = world.get(&r::ENDPOINTS, "web").await.unwrap();
    assert_eq!(endpoints.items(&["subsets"])[0]["ports"][0]["port"], 5000);
    let clock = world.cluster.clock();
    clock.sleep(Duration::from_secs(10)).await;
    let before = world.store.revision();
    clock.sleep(Duration::from_secs(600)).await;
    assert_eq!(world.store.revision(), before, "nothing is written at rest");
    world.tasks.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_image_rolls_and_never_has_too_few_pods() {
    let world = World::start(Rules::default()).await;
    world.deployment(4).await;
    world.cluster.patch(&r::DEPLOYMENTS, &Key::new("default", "web"), &set_image("color:2")).await.unwrap();
    world
        .until("all pods are new", || async {
            let pods = world.all(&r::PODS).await;
            assert!(
                pods.iter().filter(|pod| is_ready(pod)).count() >= 3,
                "maxUnavailable of 25 % is one pod"
            );
            pods.len() == 4
                && pods.iter().all(|pod| pod.items(&["spec", "containers"])[0]["image"] == "color:2")
        })
        .await;
    assert_eq!(world.all(&r::REPLICA_SETS).await.len(), 2);
    world
        .until("the revision is shown", || async {
            let found = world.get(&r::DEPLOYMENTS, "web").await.unwrap();
            found.annotation("deployment.kubernetes.io/revision") == Some("2")
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_had_stops_the_roll() {
    let broken = Rule { image: "*bad".into(), image_pull_error: true, ..Rule::default() };
    let world = World::start(Rules::new(vec![broken])).await;
    world.deployment(4).await;
    world.cluster.patch(&r::DEPLOYMENTS, &Key::new("default", "web"), &set_image("color:bad")).await.unwrap();
    world
        .until("the deadline is over", || async {
            let found = world.get(&r::DEPLOYMENTS, "web").await.unwrap();
            found.condition("Progressing").is_some_and(|one| one.reason == "ProgressDeadlineExceeded")
        })
        .await;
    let found = world.get(&r::DEPLOYMENTS, "web").await.unwrap();
    assert_eq!(found.int(&["status", "availableReplicas"]), Some(3));
}

#[tokio::test(start_paused = true)]
async fn what_a_deployment_owns_goes_with_it_in_the_background() {
    let world = World::start(Rules::default()).await;
    world.deployment(2).await;
    world.delete(&r::DEPLOYMENTS, "web", Propagation::Background).await;
    assert!(world.get(&r::DEPLOYMENTS, "web").await.is_none());
    world
        .until("ReplicaSets and pods are gone", || async {
            world.all(&r::REPLICA_SETS).await.is_empty() && world.all(&r::PODS).await.is_empty()
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn or_before_it_in_the_foreground() {
    let world = World::start(Rules::default()).await;
    world.deployment(2).await;
    world.delete(&r::DEPLOYMENTS, "web", Propagation::Foreground).await;
    assert!(world.get(&r::DEPLOYMENTS, "web").await.is_some(), "it waits for what it owns");
    world
        .until("the Deployment is gone, and last", || async {
            let gone = world.get(&r::DEPLOYMENTS, "web").await.is_none();
            assert!(!gone || world.all(&r::REPLICA_SETS).await.is_empty());
            gone
        })
        .await;
    assert!(world.all(&r::PODS).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn or_not_at_all_when_orphaned_and_can_be_adopted_again() {
    let world = World::start(Rules::default()).await;
    world.deployment(2).await;
    world.delete(&r::DEPLOYMENTS, "web", Propagation::Orphan).await;
    world
        .until("the ReplicaSet has no owner", || async {
            let sets = world.all(&r::REPLICA_SETS).await;
            world.get(&r::DEPLOYMENTS, "web").await.is_none()
                && sets.iter().all(|set| set.owners().is_empty())
        })
        .await;
    let names =
        |objects: Vec<Object>| objects.iter().map(|object| object.name().to_owned()).collect::<Vec<_>>();
    let before = names(world.all(&r::PODS).await);
    assert_eq!(before.len(), 2);
    world.deployment(2).await;
    assert_eq!(names(world.all(&r::PODS).await), before, "the pods stay");
    assert_eq!(world.all(&r::REPLICA_SETS).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_owner_never_was_goes() {
    let world = World::start(Rules::default()).await;
    let ghost = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "ghost", "uid": "no-such-uid"});
    let metadata = json!({"name": "child", "namespace": "default", "ownerReferences": [ghost]});
    world
        .create(&r::CONFIG_MAPS, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}))
        .await;
    world.until("it is gone", || async { world.get(&r::CONFIG_MAPS, "child").await.is_none() }).await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_is_furnished_and_emptied() {
    let world = World::start(Rules::default()).await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    world.create(&r::NAMESPACES, namespace).await;
    let account = Key::new("shop", "default");
    world
        .until("the account is there", || async {
            world.cluster.get(&r::SERVICE_ACCOUNTS, &account).await.unwrap().is_some()
        })
        .await;
    let mut object = Object::from_value(deployment(2));
    object.set(&["metadata", "namespace"], "shop");
    world.cluster.create(&r::DEPLOYMENTS, &object).await.unwrap();
    world.delete(&r::NAMESPACES, "shop", Propagation::Background).await;
    world
        .until("the namespace is gone", || async { world.get(&r::NAMESPACES, "shop").await.is_none() })
        .await;
    let left = world.cluster.list(&r::PODS, Some("shop"), &Selection::default()).await.unwrap();
    assert!(left.is_empty());
}
