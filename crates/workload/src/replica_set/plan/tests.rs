use super::*;

fn at(second: i64) -> Time {
    Time::from_unix(1_000 + second)
}

fn set(replicas: i64, min_ready: i64) -> Object {
    Object::from_value(json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "web", "namespace": "ns", "uid": "u", "generation": 3},
        "spec": {"replicas": replicas, "minReadySeconds": min_ready, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web", "v": "1"}}}}
    }))
}

/// A pod created at second `created`, ready since `ready` if given.
fn pod(name: &str, created: i64, ready: Option<i64>) -> Arc<Object> {
    let condition = match ready {
        Some(since) => json!({"type": "Ready", "status": "True", "lastTransitionTime": at(since)}),
        None => json!({"type": "Ready", "status": "False"}),
    };
    Arc::new(Object::from_value(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web"}, "creationTimestamp": at(created)},
        "spec": {"nodeName": "n"}, "status": {"phase": "Running", "conditions": [condition]}
    })))
}

fn names(pods: &[Arc<Object>]) -> Vec<&str> {
    pods.iter().map(|pod| pod.name()).collect()
}

#[test]
fn counts() {
    for (wanted, have, create, delete) in [(3, 0, 3, 0), (3, 3, 0, 0), (1, 3, 0, 2), (0, 2, 0, 2)] {
        let pods: Vec<_> = (0..have).map(|index| pod(&format!("p{index}"), index, Some(index))).collect();
        let plan = plan(&set(wanted, 0), &pods, None, at(100));
        assert_eq!((plan.create, plan.delete.len()), (create, delete), "{wanted} wanted, {have} there");
    }
}

#[test]
fn a_set_that_goes_makes_nothing() {
    let mut set = set(3, 0);
    set.set(&["metadata", "deletionTimestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(plan(&set, &[], None, at(0)).create, 0);
}

#[test]
fn not_ready_goes_first_then_the_newest_ready() {
    let pods = [pod("old", 0, Some(1)), pod("young", 5, Some(6)), pod("sick", 0, None)];
    assert_eq!(names(&plan(&set(0, 0), &pods, None, at(100)).delete), ["sick", "young", "old"]);
}

#[test]
fn a_pending_pod_goes_before_a_running_one_and_an_unassigned_before_both() {
    let mut pending = (*pod("pending", 0, None)).clone();
    pending.set(&["status", "phase"], "Pending");
    let mut unassigned = pending.clone();
    unassigned.set(&["metadata", "name"], "unassigned");
    unassigned.remove(&["spec", "nodeName"]);
    let pods = [pod("sick", 0, None), Arc::new(pending), Arc::new(unassigned)];
    assert_eq!(names(&plan(&set(0, 0), &pods, None, at(1)).delete), ["unassigned", "pending", "sick"]);
}

#[test]
fn deletion_cost_beats_age() {
    let mut dear = (*pod("dear", 9, Some(9))).clone();
    dear.set_annotation("controller.kubernetes.io/pod-deletion-cost", "10");
    let pods = [Arc::new(dear), pod("cheap", 0, Some(0))];
    assert_eq!(names(&plan(&set(1, 0), &pods, None, at(10)).delete), ["cheap"]);
}

#[test]
fn available_only_after_min_ready_seconds() {
    let pods = [pod("a", 0, Some(10)), pod("b", 0, Some(20)), pod("c", 0, None)];
    let plan = plan(&set(3, 15), &pods, None, at(26));
    assert_eq!(
        plan.status,
        json!({"replicas": 3, "observedGeneration": 3, "readyReplicas": 2, "availableReplicas": 1})
    );
    assert_eq!(plan.wake, Some(at(35)));
}

#[test]
fn labels_of_the_template_count_as_fully_labeled() {
    let mut full = (*pod("a", 0, None)).clone();
    full.set_label("v", "1");
    let plan = plan(&set(1, 0), &[Arc::new(full)], None, at(0));
    assert_eq!(plan.status["fullyLabeledReplicas"], 1);
}

#[test]
fn a_refused_create_shows_until_one_succeeds() {
    let error =
        ApiError { code: 403, reason: "Forbidden".into(), message: "quota".into(), details: Value::Null };
    let failed = Failed { reason: "FailedCreate", error };
    let mut set = set(1, 0);
    let first = plan(&set, &[], Some(&failed), at(1)).status;
    assert_eq!(first["conditions"][0]["message"], "quota");
    set.set(&["status"], first.clone());
    assert_eq!(plan(&set, &[], Some(&failed), at(9)).status, first, "the time of the first failure stays");
    assert!(plan(&set, &[], None, at(10)).status["conditions"].is_null());
}
