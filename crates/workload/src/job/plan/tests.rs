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
        "metadata": {"name": name, "uid": name, "creationTimestamp": at(0)},
        "status": {"phase": phase, "containerStatuses": [{"state": {"terminated": {"finishedAt": at(ended)}}}]}
    })))
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
    for (parallelism, completions, active, succeeded, create, delete) in [
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
        assert_eq!((plan.create, plan.delete.len()), (create, delete), "{told}");
    }
}

#[test]
fn complete() {
    let mut job = job(json!({"parallelism": 1, "completions": 1, "ttlSecondsAfterFinished": 30}));
    let pods = [pod("a", "Succeeded", 3)];
    let done = plan(&job, &pods, at(5));
    assert_eq!(
        conditions(&done.status),
        ["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"]
    );
    assert_eq!((&done.status["succeeded"], &done.status["completionTime"]), (&json!(1), &json!(at(5))));
    job.set(&["status"], done.status.clone());
    let rest = plan(&job, &[], at(20));
    assert_eq!((rest.status, rest.wake, rest.expired), (done.status, Some(at(35)), false));
    assert!(plan(&job, &[], at(35)).expired);
}

#[test]
fn failures_back_off_and_end_the_job_beyond_the_limit() {
    let job = job(json!({"parallelism": 1, "completions": 1, "backoffLimit": 2}));
    let failed =
        |count: i64| (0..count).map(|index| pod(&format!("f{index}"), "Failed", 10)).collect::<Vec<_>>();
    let waiting = plan(&job, &failed(2), at(15));
    assert_eq!((waiting.create, waiting.wake), (0, Some(at(30))));
    assert_eq!(plan(&job, &failed(2), at(30)).create, 1);
    let over = plan(&job, &failed(3), at(31));
    assert_eq!(over.create, 0);
    assert_eq!(
        conditions(&over.status),
        ["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]
    );
}

#[test]
fn a_job_past_its_deadline_stops_its_pods_before_it_has_failed() {
    let mut job = job(json!({"parallelism": 1, "completions": 1, "activeDeadlineSeconds": 60}));
    job.set(&["status", "startTime"], json!(at(0)));
    let running = [pod("a", "Running", 0)];
    assert_eq!(plan(&job, &running, at(10)).wake, Some(at(60)));
    let late = plan(&job, &running, at(60));
    assert_eq!(late.delete.len(), 1);
    assert_eq!(conditions(&late.status), ["FailureTarget DeadlineExceeded"]);
    job.set(&["status"], late.status);
    assert_eq!(
        conditions(&plan(&job, &[], at(61)).status),
        ["FailureTarget DeadlineExceeded", "Failed DeadlineExceeded"]
    );
}

#[test]
fn suspend_and_resume() {
    let mut job = job(json!({"parallelism": 1, "completions": 1, "suspend": true}));
    let first = plan(&job, &[pod("a", "Running", 0)], at(5));
    assert_eq!(
        (first.delete.len(), conditions(&first.status)),
        (1, vec!["Suspended JobSuspended".to_owned()])
    );
    assert!(first.status["startTime"].is_null());
    job.set(&["status"], first.status);
    job.set(&["spec", "suspend"], false);
    let again = plan(&job, &[], at(9));
    assert_eq!((again.create, conditions(&again.status)), (1, vec!["Suspended JobResumed".to_owned()]));
    assert_eq!(again.status["startTime"], json!(at(9)));
}

#[test]
fn a_pod_that_succeeded_stays_counted_when_it_is_gone() {
    let mut job = job(json!({"parallelism": 1, "completions": 2}));
    job.set(&["status"], json!({"succeeded": 1, "startTime": at(0)}));
    assert_eq!(plan(&job, &[], at(5)).status["succeeded"], 1);
}
