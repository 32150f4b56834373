//! Two replicas of `slipway controller --shards auto` share the Rollouts; one of them dies in the middle of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use object::{Key, Object, Value, json};
use runtime::{Clock, Cluster, Patch, Selection, Tasks, resources};
use testkit::install::{install, make_namespace};
use testkit::processes::Server;

use crate::scenarios::{forget_nodes, simulated_node};
use crate::{QUIET, kubeconfig};

/// Where the Rollouts are, and how many.
const NAMESPACE: &str = "shards";
const COUNT: usize = 30;
/// Longest time until all are where they must be.
const PATIENCE: Duration = Duration::from_secs(120);
/// Wait between two looks.
const GLANCE: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a control plane: cargo xtask kube test"]
async fn a_replica_that_is_killed_loses_and_doubles_nothing() {
    let slipway = Path::new(env!("CARGO_BIN_EXE_slipway"));
    let (guard, tasks) = (tempfile::tempdir().unwrap(), Tasks::new());
    let dir = guard.path();
    let cluster = Cluster::from_kubeconfig(Some(&kubeconfig()), Clock::system()).await.unwrap();
    install(slipway, &cluster).await.unwrap();
    forget_nodes(&cluster).await;
    make_namespace(&cluster, NAMESPACE).await.unwrap();
    let pages = BTreeMap::from([("/ok".to_owned(), json!({"result": "ok"}))]);
    let pages = testkit::pages::serve(pages, &tasks).await.unwrap();
    let node = simulated_node(slipway, dir).await;
    let first = replica(slipway, dir, "first").await;
    let second = replica(slipway, dir, "second").await;
    until(&cluster, "both replicas to share", both_share).await;

    let judge = template(&format!("http://{pages}/ok"));
    cluster.create(&resources::ANALYSIS_TEMPLATES, &judge).await.unwrap();
    for number in 0..COUNT {
        cluster.create(&resources::ROLLOUTS, &rollout(number)).await.unwrap();
    }
    until(&cluster, "all of the first version", async |cluster| {
        rollouts(cluster).await.iter().all(is_healthy)
    })
    .await;
    let stable: BTreeMap<String, String> = rollouts(&cluster).await.iter().map(stable_hash).collect();
    for number in 0..COUNT {
        let image = json!({"spec": {"template": {"spec": {"containers": containers("web:2")}}}});
        let key = Key::new(NAMESPACE, &format!("web-{number}"));
        cluster.patch(&resources::ROLLOUTS, &key, &Patch::merge(image)).await.unwrap();
    }
    until(&cluster, "some in mid-canary", async |cluster| {
        rollouts(cluster).await.iter().any(|rollout| rollout.int(&["status", "currentStepIndex"]) == Some(1))
    })
    .await;
    first.kill().await;
    let unfinished = rollouts(&cluster).await.iter().filter(|rollout| !is_healthy(rollout)).count();
    assert!(unfinished > COUNT / 2, "only {unfinished} were under way when the replica died");
    until(&cluster, "all of the second version", async |cluster| {
        let all = rollouts(cluster).await;
        all.iter()
            .all(|rollout| is_healthy(rollout) && stable.get(rollout.name()) != Some(&stable_hash(rollout).1))
    })
    .await;
    nothing_is_doubled(&cluster).await;
    eprintln!(
        "{unfinished} of {COUNT} Rollouts were under way when one of two replicas was killed; all are Healthy"
    );
    second.stop().await;
    node.stop().await;
}

/// Starts one more replica.
async fn replica(slipway: &Path, dir: &Path, name: &str) -> Server {
    let (config, cache) = (kubeconfig().display().to_string(), dir.join(name).display().to_string());
    let arguments = ["controller", "--kubeconfig", &config, "--shards", "auto", "--repository-cache", &cache];
    let arguments: Vec<&str> = arguments.into_iter().chain(QUIET).collect();
    Server::start(slipway, dir, name, &arguments).await.unwrap()
}

/// Returns what judges: a page that is always good, looked at twice, so that no run ends before the replica dies: one that
/// ended before a status named it would be made again, as upstream does.
fn template(page: &str) -> Object {
    let web = json!({"url": page, "jsonPath": "{$.result}"});
    let metric = json!({"name": "check", "count": 2, "interval": "10s", "successCondition": "result == \"ok\"",
        "provider": {"web": web}});
    Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
        "metadata": {"name": "check", "namespace": NAMESPACE}, "spec": {"metrics": [metric]},
    }))
}

/// Returns the `number`th Rollout: half of its pods, then an analysis, then a short pause.
fn rollout(number: usize) -> Object {
    let (name, labels) = (format!("web-{number}"), json!({"app": format!("web-{number}")}));
    let analysis = json!({"analysis": {"templates": [{"templateName": "check"}]}});
    let steps = json!([{"setWeight": 50}, analysis, {"pause": {"duration": "2s"}}]);
    Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers("web:1")}},
            "strategy": {"canary": {"steps": steps}},
        },
    }))
}

fn containers(image: &str) -> Value {
    json!([{"name": "web", "image": image}])
}

async fn rollouts(cluster: &Cluster) -> Vec<Object> {
    let all = cluster.list(&resources::ROLLOUTS, Some(NAMESPACE), &Selection::default()).await.unwrap();
    assert_eq!(all.len(), COUNT);
    all
}

fn is_healthy(rollout: &Object) -> bool {
    rollout.str(&["status", "phase"]) == "Healthy"
}

/// Returns a Rollout's name and the hash of its stable version.
fn stable_hash(rollout: &Object) -> (String, String) {
    (rollout.name().to_owned(), rollout.str(&["status", "stableRS"]).to_owned())
}

/// Returns whether two replicas hold Leases and both have said that they share with each other.
async fn both_share(cluster: &Cluster) -> bool {
    let group = Selection { labels: Some("slipway.dev/shards".to_owned()), ..Selection::default() };
    let leases = cluster.list(&resources::LEASES, Some("argo-rollouts"), &group).await.unwrap();
    let view = |lease: &Object| lease.annotation("slipway.dev/view").unwrap_or_default().split(',').count();
    leases.len() == 2 && leases.iter().all(|lease| view(lease) == 2)
}

/// Looks until it is so.
async fn until(cluster: &Cluster, what: &str, is_so: impl AsyncFn(&Cluster) -> bool) {
    let deadline = cluster.clock().now().after(PATIENCE);
    while !is_so(cluster).await {
        assert!(cluster.clock().now() < deadline, "{what}: not within {PATIENCE:?}");
        cluster.clock().sleep(GLANCE).await;
    }
}

/// Each Rollout has two ReplicaSets, one a version, and one AnalysisRun, of its one update.
async fn nothing_is_doubled(cluster: &Cluster) {
    let owned = async |resource: runtime::Resource| {
        let mut by_owner: BTreeMap<String, Vec<Object>> = BTreeMap::new();
        for object in cluster.list(&resource, Some(NAMESPACE), &Selection::default()).await.unwrap() {
            let owner = object.controller().map(|owner| owner.name).unwrap_or_default();
            by_owner.entry(owner).or_default().push(object);
        }
        by_owner
    };
    let sets = owned(resources::REPLICA_SETS).await;
    let runs = owned(resources::ANALYSIS_RUNS).await;
    assert_eq!((sets.len(), runs.len()), (COUNT, COUNT));
    for (rollout, sets) in &sets {
        let hashes: BTreeSet<_> =
            sets.iter().map(|set| set.label("rollouts-pod-template-hash").unwrap_or_default()).collect();
        assert_eq!((sets.len(), hashes.len()), (2, 2), "ReplicaSets of {rollout}");
    }
    for (rollout, runs) in &runs {
        let names: Vec<_> = runs.iter().map(Object::name).collect();
        assert_eq!(names.len(), 1, "AnalysisRuns of {rollout}: {names:?}");
        assert_eq!(runs[0].str(&["status", "phase"]), "Successful", "{names:?}");
    }
}
