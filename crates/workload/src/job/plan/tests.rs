#![expect(clippy::needless_pass_by_value, reason = "json!() at the call reads better so")]

use super::*;

fn at(second: i64) -> Time {
    Time::from_unix(1_000 + second)
}

fn job(spec: Value) -> Object {
    Object::from_value(json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "ns", "uid": "j"}, "spec": spec
    }))
}

fn pod(name: &str, phase: &str, ended: i64) -> Arc<Object> {
    Arc::new(Object::from_value(json!({
        "metadata": {"name": name, "uid": name, "creationTimestamp": at(0), "finalizers": [FINALIZER]},
        "status": {"phase": phase, "containerStatuses": [{"state": {"terminated": {"finishedAt": at(ended)}}}]}
    })))
}

/// The pods once they have been let go.
fn free(pods: &[Arc<Object>]) -> Vec<Arc<Object>> {
    let free = |pod: &Arc<Object>| {
        let mut pod = (**pod).clone();
        pod.remove(&["metadata", "finalizers"]);
        Arc::new(pod)
    };
    pods.iter().map(free).collect()
}

/// The pods as they are deleted.
fn deleted(pods: &[Arc<Object>]) -> Vec<Arc<Object>> {
    let delete = |pod: &Arc<Object>| {
        let mut pod = (**pod).clone();
        pod.set(&["metadata", "deletionTimestamp"], json!(at(0)));
        Arc::new(pod)
    };
    pods.iter().map(delete).collect()
}

fn conditions(status: &Value) -> Vec<String> {
    let conditions = status["conditions"].as_array().into_iter().flatten();
    conditions
        .map(|one| format!("{} {}", one["type"].as_str().unwrap(), one["reason"].as_str().unwrap()))
        .collect()
}

#[test]
fn as_many_pods_as_parallelism_and_completions_allow() {
    let running = |count: usize| (0..count).map(|index| pod(&format!("r{index}"), "Running", 0));
    let done = |count: usize| (0..count).map(|index| pod(&format!("d{index}"), "Succeeded", 1));
    for (parallelism, completions, active, succeeded, create, shed) in [
        (2, Some(5), 0, 0, 2, 0),
        (2, Some(5), 1, 0, 1, 0),
        (2, Some(5), 1, 4, 0, 0),
        (1, Some(5), 3, 0, 0, 2),
        (3, None, 0, 0, 3, 0),
        (3, None, 2, 1, 0, 0),
    ] {
        let job = job(json!({"parallelism": parallelism, "completions": completions}));
        let pods: Vec<_> = running(active).chain(done(succeeded)).collect();
        let plan = plan(&job, &pods, at(5));
        let told = format!("{parallelism} {completions:?} {active} {succeeded}");
        assert_eq!((plan.create.len(), plan.shed.len()), (create, shed), "{told}");
        let shown = plan.status["active"].as_u64().unwrap_or_default();
        assert_eq!(shown, u64::try_from(active + create - shed).unwrap(), "{told}");
    }
}

#[test]
fn complete_once_every_pod_is_counted() {
    let mut job = job(json!({"parallelism": 1, "completions": 1, "ttlSecondsAfterFinished": 30}));
    let pods = [pod("a", "Succeeded", 3)];
    let noted = plan(&job, &pods, at(5));
    assert_eq!(conditions(&noted.status), ["SuccessCriteriaMet CompletionsReached"]);
    assert_eq!(noted.status["uncountedTerminatedPods"], json!({"succeeded": ["a"]}));
    assert_eq!((&noted.status["succeeded"], noted.release.len(), noted.event), (&Value::Null, 1, None));
    job.set(&["status"], noted.status);
    let done = plan(&job, &free(&pods), at(6));
    assert_eq!(
        conditions(&done.status),
        ["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"]
    );
    assert_eq!((&done.status["succeeded"], &done.status["completionTime"]), (&json!(1), &json!(at(6))));
    assert_eq!(done.status["uncountedTerminatedPods"], json!({}));
    assert_eq!(done.event.unwrap().1, "Completed");
    job.set(&["status"], done.status.clone());
    let rest = plan(&job, &[], at(20));
    assert_eq!((rest.status, rest.wake, rest.expired), (done.status, Some(at(36)), false));
    assert!(plan(&job, &[], at(36)).expired);
    assert_eq!(plan(&job, &pods, at(20)).release.len(), 1, "a late one is not kept");
}

#[test]
fn failures_back_off_and_end_the_job_beyond_the_limit() {
    let mut job = job(json!({"parallelism": 1, "completions": 1, "backoffLimit": 2}));
    let failed =
        |count: i64| (0..count).map(|index| pod(&format!("f{index}"), "Failed", 10)).collect::<Vec<_>>();
    let waiting = plan(&job, &failed(2), at(15));
    assert_eq!((waiting.create.len(), waiting.wake), (0, Some(at(30))));
    assert_eq!(plan(&job, &failed(2), at(30)).create.len(), 1);
    let over = plan(&job, &failed(3), at(31));
    assert_eq!((over.create.len(), over.release.len()), (0, 3));
    assert_eq!(conditions(&over.status), ["FailureTarget BackoffLimitExceeded"]);
    job.set(&["status"], over.status);
    let over = plan(&job, &free(&failed(3)), at(32));
    assert_eq!(
        conditions(&over.status),
        ["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]
    );
    assert_eq!(over.status["failed"], 3);
    assert!(over.status["completionTime"].is_null());
}

#[test]
fn a_success_starts_the_waits_over() {
    let job = job(json!({"parallelism": 1, "completions": 9}));
    let pods = [pod("f1", "Failed", 10), pod("f2", "Failed", 20), pod("s", "Succeeded", 25)];
    assert_eq!(plan(&job, &pods, at(26)).create.len(), 1);
    let again = [&pods[..], &[pod("f3", "Failed", 30)]].concat();
    assert_eq!(plan(&job, &again, at(31)).wake, Some(at(40)));
}

#[test]
fn restarts_in_place_count_as_failures() {
    let restarting = |count: u64| {
        let mut pod = (*pod("a", "Running", 0)).clone();
        pod.set(&["status", "containerStatuses"], json!([{"restartCount": count}, {"restartCount": 1}]));
        [Arc::new(pod)]
    };
    let mut job = job(json!({"completions": 1, "backoffLimit": 3}));
    job.set(&["spec", "template"], json!({"spec": {"restartPolicy": "OnFailure"}}));
    assert!(plan(&job, &restarting(1), at(5)).delete.is_empty());
    assert_eq!(plan(&job, &restarting(2), at(5)).delete.len(), 1);
}

#[test]
fn a_job_past_its_deadline_stops_its_pods_before_it_has_failed() {
    let mut job = job(json!({"parallelism": 1, "completions": 1, "activeDeadlineSeconds": 60}));
    job.set(&["status", "startTime"], json!(at(0)));
    let running = [pod("a", "Running", 0)];
    assert_eq!(plan(&job, &running, at(10)).wake, Some(at(60)));
    let late = plan(&job, &running, at(60));
    assert_eq!((late.delete.len(), &late.status["terminating"]), (1, &json!(1)));
    assert_eq!(conditions(&late.status), ["FailureTarget DeadlineExceeded"]);
    job.set(&["status"], late.status);
    let stopping = deleted(&running);
    let noted = plan(&job, &stopping, at(61));
    assert_eq!(noted.status["uncountedTerminatedPods"], json!({"failed": ["a"]}));
    job.set(&["status"], noted.status);
    let counted = plan(&job, &free(&stopping), at(62));
    assert_eq!(conditions(&counted.status), ["FailureTarget DeadlineExceeded"], "one pod is still there");
    job.set(&["status"], counted.status);
    let over = plan(&job, &[], at(63)).status;
    assert_eq!(conditions(&over), ["FailureTarget DeadlineExceeded", "Failed DeadlineExceeded"]);
    assert_eq!((&over["failed"], &over["terminating"]), (&json!(1), &json!(0)));
}

#[test]
fn suspend_and_resume() {
    let mut job = job(json!({"parallelism": 1, "completions": 1, "suspend": true}));
    let first = plan(&job, &[pod("a", "Running", 0)], at(5));
    assert_eq!((first.shed.len(), conditions(&first.status)), (1, vec!["Suspended JobSuspended".to_owned()]));
    assert!(first.status["startTime"].is_null());
    assert_eq!(first.event.unwrap().1, "Suspended");
    job.set(&["status"], first.status);
    job.set(&["spec", "suspend"], false);
    let again = plan(&job, &[], at(9));
    assert_eq!((again.create.len(), conditions(&again.status)), (1, vec!["Suspended JobResumed".to_owned()]));
    assert_eq!(again.status["startTime"], json!(at(9)));
    assert_eq!(again.event.unwrap().1, "Resumed");
}

#[test]
fn a_pod_that_goes_on_is_waited_for_where_only_failed_ones_are_replaced() {
    let mut job = job(json!({"parallelism": 1, "completions": 1}));
    let going = deleted(&[pod("a", "Running", 0)]);
    assert_eq!(plan(&job, &going, at(600)).create.len(), 1);
    job.set(&["spec", "podReplacementPolicy"], "Failed");
    assert_eq!(plan(&job, &going, at(600)).create.len(), 0);
}

#[test]
fn each_index_succeeds_once() {
    let mut job = job(json!({"parallelism": 2, "completions": 3, "completionMode": "Indexed"}));
    let indexed = |name: &str, phase: &str, index: u32| {
        let mut pod = (*pod(name, phase, 3)).clone();
        pod.set_annotation(super::super::indexes::INDEX, &index.to_string());
        Arc::new(pod)
    };
    assert_eq!(plan(&job, &[], at(1)).create, [Some(0), Some(1)]);
    let pods = [indexed("a", "Succeeded", 0), indexed("b", "Failed", 1), indexed("c", "Succeeded", 0)];
    let next = plan(&job, &pods, at(30));
    assert_eq!((next.create, next.release.len()), (vec![Some(1), Some(2)], 3));
    assert_eq!((&next.status["completedIndexes"], &next.status["succeeded"]), (&json!("0"), &json!(1)));
    job.set(&["status"], next.status);
    let pods = [indexed("d", "Succeeded", 1), indexed("e", "Succeeded", 2), indexed("f", "Succeeded", 7)];
    let done = plan(&job, &pods, at(31)).status;
    assert_eq!((&done["completedIndexes"], &done["succeeded"]), (&json!("0-2"), &json!(3)));
    assert_eq!(done["failed"], 1);
    let twins = [indexed("g", "Running", 2), indexed("h", "Running", 2)];
    assert_eq!(plan(&job, &twins, at(32)).shed.len(), 1);
}

#[test]
fn a_pod_of_the_job_stays_until_it_is_counted() {
    let mut job = job(json!({}));
    job.set(&["spec", "template"], json!({"metadata": {"finalizers": ["mine/x"]}}));
    assert_eq!(pod_of(&job, None).finalizers(), ["mine/x", FINALIZER]);
}

#[test]
fn a_pod_that_succeeded_stays_counted_when_it_is_gone() {
    let mut job = job(json!({"parallelism": 1, "completions": 2}));
    job.set(&["status"], json!({"succeeded": 1, "startTime": at(0)}));
    assert_eq!(plan(&job, &[], at(5)).status["succeeded"], 1);
}
