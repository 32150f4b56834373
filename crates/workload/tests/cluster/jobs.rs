//! Jobs and their pods, each counted once.

use std::time::Duration;

use node::{Rule, Rules};
use object::{Key, LabelSelector, Object, Value, json};
use runtime::{Patch, Propagation, resources as r};

use super::World;

const TRACKING: &str = "batch.kubernetes.io/job-tracking";

#[expect(clippy::needless_pass_by_value, reason = "json!() at the call reads better so")]
fn job(spec: Value, labels: Value) -> Value {
    let container = json!({"name": "a", "image": "x"});
    let template = json!({"metadata": {"labels": labels},
        "spec": {"restartPolicy": "Never", "containers": [container]}});
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "once", "namespace": "default"}, "spec": spec});
    job["spec"]["template"] = template;
    job
}

/// Pods with `run=bad` fail, with `run=endless` they run for ever.
pub fn rules() -> Rules {
    let of = |label: &str| LabelSelector::parse(label).unwrap();
    let second = Some(Duration::from_secs(1));
    let bad = Rule { labels: of("run=bad"), exit_after: second, exit_code: 3, ..Rule::default() };
    let day = Some(Duration::from_secs(86_400));
    let endless = Rule { labels: of("run=endless"), exit_after: day, ..Rule::default() };
    Rules::new(vec![bad, endless])
}

impl World {
    async fn job(&self) -> Object {
        self.get(&r::JOBS, "once").await.unwrap()
    }

    async fn until_condition(&self, kind: &'static str) -> Object {
        self.until(kind, || async { self.job().await.condition(kind).is_some() }).await;
        self.job().await
    }

    async fn is_free(&self) -> bool {
        let pods = self.all(&r::PODS).await;
        pods.iter().all(|pod| !pod.finalizers().contains(&TRACKING))
    }

    async fn reasons(&self, kind: &str) -> Vec<String> {
        let events = self.all(&r::EVENTS).await;
        let about = events.iter().filter(|event| event.str(&["involvedObject", "kind"]) == kind);
        about.map(|event| event.str(&["reason"]).to_owned()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_completes_and_is_removed_after_its_time() {
    let world = World::start(rules()).await;
    let spec = json!({"completions": 3, "parallelism": 2, "ttlSecondsAfterFinished": 60});
    world.create(&r::JOBS, job(spec, json!({}))).await;
    world.until("a pod is there", || async { !world.all(&r::PODS).await.is_empty() }).await;
    assert!(!world.is_free().await, "pods wait to be counted");
    let done = world.until_condition("Complete").await;
    assert_eq!(done.int(&["status", "succeeded"]), Some(3));
    assert_eq!(done.get(&["status", "uncountedTerminatedPods"]), Some(&json!({})));
    assert_eq!(done.int(&["status", "ready"]), Some(0));
    assert!(done.time(&["status", "completionTime"]) >= done.time(&["status", "startTime"]));
    let kinds: Vec<String> = done.conditions().iter().map(|one| one.kind.clone()).collect();
    assert_eq!(kinds, ["SuccessCriteriaMet", "Complete"]);
    assert!(world.is_free().await, "they are counted");
    let reasons = world.reasons("Job").await;
    assert_eq!(reasons.iter().filter(|reason| *reason == "SuccessfulCreate").count(), 3);
    assert!(reasons.contains(&"Completed".to_owned()));
    world
        .until("it is gone with its pods", || async {
            world.get(&r::JOBS, "once").await.is_none() && world.all(&r::PODS).await.is_empty()
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn each_index_of_a_job_succeeds() {
    let world = World::start(rules()).await;
    let spec = json!({"completions": 3, "parallelism": 2, "completionMode": "Indexed"});
    world.create(&r::JOBS, job(spec, json!({}))).await;
    let done = world.until_condition("Complete").await;
    assert_eq!(done.str(&["status", "completedIndexes"]), "0-2");
    assert_eq!(done.int(&["status", "succeeded"]), Some(3));
    let names: Vec<String> = world.all(&r::PODS).await.iter().map(|pod| pod.name().to_owned()).collect();
    assert_eq!(names.len(), 3);
    assert!((0..3).all(|index| names[index].starts_with(&format!("once-{index}-"))), "{names:?}");
    assert!(world.is_free().await);
}

#[tokio::test(start_paused = true)]
async fn a_job_fails_beyond_its_limit() {
    let world = World::start(rules()).await;
    world.create(&r::JOBS, job(json!({"backoffLimit": 1}), json!({"run": "bad"}))).await;
    let failed = world.until_condition("Failed").await;
    assert_eq!(failed.condition("Failed").unwrap().reason, "BackoffLimitExceeded");
    assert_eq!(failed.condition("FailureTarget").unwrap().reason, "BackoffLimitExceeded");
    assert_eq!(failed.int(&["status", "failed"]), Some(2));
    assert_eq!(failed.get(&["status", "completionTime"]), None);
    assert!(world.is_free().await);
    assert!(world.reasons("Job").await.contains(&"BackoffLimitExceeded".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_job_past_its_deadline_fails_with_its_pods() {
    let world = World::start(rules()).await;
    let spec = json!({"activeDeadlineSeconds": 30, "parallelism": 2, "completions": 2});
    world.create(&r::JOBS, job(spec, json!({"run": "endless"}))).await;
    let failed = world.until_condition("Failed").await;
    assert_eq!(failed.condition("Failed").unwrap().reason, "DeadlineExceeded");
    assert_eq!(failed.int(&["status", "failed"]), Some(2));
    world.until("the pods are gone", || async { world.all(&r::PODS).await.is_empty() }).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_is_suspended_and_resumed() {
    let world = World::start(rules()).await;
    world.create(&r::JOBS, job(json!({}), json!({"run": "endless"}))).await;
    world.until("it runs", || async { world.job().await.int(&["status", "ready"]) == Some(1) }).await;
    let suspend = async |suspend: bool| {
        let patch = Patch::merge(json!({"spec": {"suspend": suspend}}));
        world.cluster.patch(&r::JOBS, &Key::new("default", "once"), &patch).await.unwrap();
    };
    suspend(true).await;
    world.until("its pod is gone", || async { world.all(&r::PODS).await.is_empty() }).await;
    let job = world.until_condition("Suspended").await;
    assert_eq!((job.int(&["status", "failed"]), job.get(&["status", "startTime"])), (None, None));
    suspend(false).await;
    world.until("it runs again", || async { world.job().await.int(&["status", "ready"]) == Some(1) }).await;
    assert!(world.reasons("Job").await.contains(&"Resumed".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_somebody_deletes_is_counted_and_replaced() {
    let world = World::start(rules()).await;
    world.create(&r::JOBS, job(json!({}), json!({"run": "endless"}))).await;
    world.until("it runs", || async { world.job().await.int(&["status", "ready"]) == Some(1) }).await;
    let first = world.all(&r::PODS).await.remove(0);
    world.delete(&r::PODS, first.name(), Propagation::Background).await;
    world
        .until("another one runs", || async {
            let job = world.job().await;
            job.int(&["status", "failed"]) == Some(1) && job.int(&["status", "ready"]) == Some(1)
        })
        .await;
    assert!(world.get(&r::PODS, first.name()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn pods_go_with_their_job_though_nobody_counts_them() {
    let world = World::start(rules()).await;
    for propagation in [Propagation::Background, Propagation::Foreground] {
        let spec = json!({"parallelism": 2, "completions": 2});
        world.create(&r::JOBS, job(spec, json!({"run": "endless"}))).await;
        world.until("it runs", || async { world.job().await.int(&["status", "ready"]) == Some(2) }).await;
        world.delete(&r::JOBS, "once", propagation).await;
        world
            .until("job and pods are gone", || async {
                world.get(&r::JOBS, "once").await.is_none() && world.all(&r::PODS).await.is_empty()
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn pods_left_behind_are_let_go() {
    let world = World::start(rules()).await;
    world.create(&r::JOBS, job(json!({}), json!({"run": "endless"}))).await;
    world.until("it runs", || async { world.job().await.int(&["status", "ready"]) == Some(1) }).await;
    world.delete(&r::JOBS, "once", Propagation::Orphan).await;
    world
        .until("the pod is free", || async {
            world.get(&r::JOBS, "once").await.is_none() && world.is_free().await
        })
        .await;
    let pods = world.all(&r::PODS).await;
    assert_eq!((pods.len(), pods[0].owners().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_while_a_job_runs_or_rests() {
    let world = World::start(rules()).await;
    world.create(&r::JOBS, job(json!({}), json!({"run": "endless"}))).await;
    world.until("it runs", || async { world.job().await.int(&["status", "ready"]) == Some(1) }).await;
    world.cluster.clock().sleep(Duration::from_secs(10)).await;
    let before = world.store.revision();
    world.cluster.clock().sleep(Duration::from_secs(600)).await;
    assert_eq!(world.store.revision(), before);
}

#[tokio::test(start_paused = true)]
async fn the_scheduler_tells_where_a_pod_goes_or_why_it_does_not() {
    let world = World::start(rules()).await;
    let pod = |name: &str, spec: Value| {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "default"}, "spec": spec});
        pod["spec"]["containers"] = json!([{"name": "a", "image": "x"}]);
        pod
    };
    world
        .until("the node is ready", || async {
            world.get(&r::NODES, "sim").await.is_some_and(|node| node.condition("Ready").is_some())
        })
        .await;
    world.create(&r::PODS, pod("one", json!({}))).await;
    world.create(&r::PODS, pod("other", json!({"nodeSelector": {"disk": "ssd"}}))).await;
    let told = async |name: &str| {
        let events = world.all(&r::EVENTS).await;
        let about: Vec<&Object> =
            events.iter().filter(|event| event.str(&["involvedObject", "name"]) == name).collect();
        let line = |event: &&Object| {
            let text = |field: &str| event.str(&[field]).to_owned();
            format!("{} {} {}", text("reportingComponent"), text("reason"), text("message"))
        };
        about.iter().map(line).collect::<Vec<String>>()
    };
    world
        .until("both are told", || async { !told("one").await.is_empty() && !told("other").await.is_empty() })
        .await;
    assert_eq!(told("one").await, ["default-scheduler Scheduled Successfully assigned default/one to sim"]);
    let why = "default-scheduler FailedScheduling 0/1 nodes are available: 1 node(s) didn't match Pod's node \
               affinity/selector.";
    assert_eq!(told("other").await, [why]);
}

#[tokio::test(start_paused = true)]
async fn what_a_job_asks_for_in_vain_is_told_and_jobs_of_others_are_left_alone() {
    let world = World::start(rules()).await;
    let spec = json!({"completions": 1, "completionMode": "Indexed", "backoffLimitPerIndex": 1});
    world.create(&r::JOBS, job(spec, json!({}))).await;
    world.until_condition("Complete").await;
    world
        .until("it is told", || async {
            let events = world.all(&r::EVENTS).await;
            events.iter().any(|event| {
                event.str(&["reason"]) == "UnsupportedField"
                    && event.str(&["message"]) == "not acted on: spec.backoffLimitPerIndex"
                    && event.int(&["count"]) == Some(1)
            })
        })
        .await;
    world.delete(&r::JOBS, "once", Propagation::Background).await;
    world.until("it is gone", || async { world.get(&r::JOBS, "once").await.is_none() }).await;
    world.create(&r::JOBS, job(json!({"managedBy": "example.com/mine"}), json!({}))).await;
    world.cluster.clock().sleep(Duration::from_secs(60)).await;
    assert_eq!(world.job().await.get(&["status", "startTime"]), None);
}

#[tokio::test(start_paused = true)]
async fn events_go_an_hour_after_they_last_happened() {
    let world = World::start(rules()).await;
    workload::expire_events(&world.cluster, &world.tasks);
    world.create(&r::JOBS, job(json!({}), json!({"run": "endless"}))).await;
    world.until("it runs", || async { world.job().await.int(&["status", "ready"]) == Some(1) }).await;
    assert!(!world.all(&r::EVENTS).await.is_empty());
    world.cluster.clock().sleep(Duration::from_secs(3000)).await;
    assert!(!world.all(&r::EVENTS).await.is_empty());
    world.cluster.clock().sleep(Duration::from_secs(1200)).await;
    assert!(world.all(&r::EVENTS).await.is_empty());
}
