//! What a pass does to a Job. Pure.
//!
//! Pods are counted as they are; one that succeeded stays counted when it is deleted later. Indexed completion, success
//! and failure policies are not acted on.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use object::{Object, Time, Value, json};
use runtime::EventType;

use crate::pod;

/// First wait before a failed pod is replaced; doubles with each failure. Source: `DefaultJobPodFailureBackOff`.
const BACKOFF: Duration = Duration::from_secs(10);
/// Longest such wait. Source: `MaxJobPodFailureBackOff`.
const BACKOFF_MAX: Duration = Duration::from_secs(600);

/// What a pass does.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Number of pods to create.
    pub create: usize,
    /// Pods to delete.
    pub delete: Vec<Arc<Object>>,
    pub status: Value,
    /// When to look again.
    pub wake: Option<Time>,
    /// What to record when the status changes.
    pub event: Option<(EventType, &'static str, &'static str)>,
    /// The job has been over for its time to live.
    pub expired: bool,
}

/// How a job ends.
#[derive(Clone, Copy)]
struct End {
    first: &'static str,
    last: &'static str,
    reason: &'static str,
    message: &'static str,
}

const COMPLETE: End = End {
    first: "SuccessCriteriaMet",
    last: "Complete",
    reason: "CompletionsReached",
    message: "Reached expected number of succeeded pods",
};
const BACKOFF_LIMIT: End = End {
    first: "FailureTarget",
    last: "Failed",
    reason: "BackoffLimitExceeded",
    message: "Job has reached the specified backoff limit",
};
const DEADLINE: End = End {
    first: "FailureTarget",
    last: "Failed",
    reason: "DeadlineExceeded",
    message: "Job was active longer than specified deadline",
};

/// Returns the plan for `job`, whose pods are `pods`. Source: `pkg/controller/job`: `syncJob`, `manageJob`.
pub(super) fn plan(job: &Object, pods: &[Arc<Object>], now: Time) -> Plan {
    if let Some(finished) = finished_at(job) {
        return over(job, finished, now);
    }
    let seen = Seen::new(job, pods, now);
    if job.flag(&["spec", "suspend"]) && seen.end.is_none() {
        return suspended(job, &seen, now);
    }
    let mut status = seen.status(job);
    let start = seen.start;
    let mut conditions = job.items(&["status", "conditions"]).to_vec();
    resume(&mut conditions, now);
    let mut plan = Plan::default();
    if let Some(end) = seen.end {
        plan.delete.clone_from(&seen.active);
        begin_end(&mut conditions, &end, now);
        if seen.active.is_empty() && seen.terminating == 0 {
            push(&mut conditions, end.last, "True", (end.reason, end.message), now);
            let is_complete = end.last == "Complete";
            if is_complete {
                status["completionTime"] = json!(now);
            }
            plan.event = Some(if is_complete {
                (EventType::Normal, "Completed", "Job completed")
            } else {
                (EventType::Warning, end.reason, end.message)
            });
        }
    } else {
        manage(job, &seen, &mut plan, now);
        let deadline = seconds(job, "activeDeadlineSeconds").map(|deadline| start.after(deadline));
        plan.wake = plan.wake.into_iter().chain(deadline).min();
    }
    status["startTime"] = json!(start);
    finish(&mut plan, status, conditions);
    plan
}

struct Seen {
    active: Vec<Arc<Object>>,
    terminating: usize,
    ready: usize,
    succeeded: i64,
    failed: i64,
    last_failure: Option<Time>,
    start: Time,
    end: Option<End>,
}

impl Seen {
    fn new(job: &Object, pods: &[Arc<Object>], now: Time) -> Self {
        let count = |phase: &str| pods.iter().filter(|pod| pod::phase(pod) == phase).count();
        let shown = |field: &str| job.int(&["status", field]).unwrap_or_default();
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let start = job.time(&["status", "startTime"]).unwrap_or(now.whole_seconds());
        let mut seen = Self {
            active: pods.iter().filter(|pod| pod::is_active(pod)).cloned().collect(),
            terminating: pods.iter().filter(|pod| pod.is_deleting() && !pod::is_finished(pod)).count(),
            ready: pods.iter().filter(|pod| pod::is_active(pod) && pod::is_ready(pod)).count(),
            succeeded: number(count("Succeeded")).max(shown("succeeded")),
            failed: number(count("Failed")).max(shown("failed")),
            last_failure: pods
                .iter()
                .filter(|pod| pod::phase(pod) == "Failed")
                .filter_map(|pod| ended_at(pod))
                .max(),
            start,
            end: None,
        };
        seen.end = seen.ends(job, pods, now);
        seen
    }

    /// Returns how the job ends, if it does now; what was begun before is finished.
    fn ends(&self, job: &Object, pods: &[Arc<Object>], now: Time) -> Option<End> {
        let begun = |end: &End| {
            let conditions = job.items(&["status", "conditions"]).iter();
            conditions.into_iter().any(|one| one["type"] == end.first && one["reason"] == end.reason)
        };
        if let Some(end) = [COMPLETE, BACKOFF_LIMIT, DEADLINE].into_iter().find(begun) {
            return Some(end);
        }
        let limit = job.int(&["spec", "backoffLimit"]).unwrap_or(6);
        let on_failure = job.str(&["spec", "template", "spec", "restartPolicy"]) == "OnFailure";
        let restarts: i64 = if on_failure { pods.iter().map(|pod| pod::restarts(pod)).sum() } else { 0 };
        let deadline = seconds(job, "activeDeadlineSeconds").map(|deadline| self.start.after(deadline));
        let done = match job.int(&["spec", "completions"]) {
            Some(completions) => self.succeeded >= completions,
            None => self.succeeded > 0 && self.active.is_empty(),
        };
        let too_often = self.failed > limit || on_failure && restarts > 0 && restarts >= limit.max(1);
        match () {
            () if too_often => Some(BACKOFF_LIMIT),
            () if deadline.is_some_and(|deadline| deadline <= now) => Some(DEADLINE),
            () if done => Some(COMPLETE),
            () => None,
        }
    }

    fn status(&self, job: &Object) -> Value {
        let mut status = json!({"uncountedTerminatedPods": {}});
        let ending = self.end.is_some();
        let active = if ending { 0 } else { self.active.len() };
        let counts = [("active", active), ("terminating", self.terminating)];
        for (field, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            status[field] = count.into();
        }
        for (field, count) in [("succeeded", self.succeeded), ("failed", self.failed)] {
            if count > 0 {
                status[field] = count.into();
            }
        }
        status["ready"] = if ending { 0 } else { self.ready }.into();
        status["terminating"] = self.terminating.into();
        if let Some(indexes) = job.get(&["status", "completedIndexes"]) {
            status["completedIndexes"] = indexes.clone();
        }
        status
    }
}

/// Decides how many pods there must be. Source: `manageJob`.
fn manage(job: &Object, seen: &Seen, plan: &mut Plan, now: Time) {
    let parallelism = job.int(&["spec", "parallelism"]).unwrap_or(1).max(0);
    let active = i64::try_from(seen.active.len()).unwrap_or(i64::MAX);
    let wanted = match job.int(&["spec", "completions"]) {
        Some(completions) => parallelism.min((completions - seen.succeeded).max(0)),
        // A work queue: once one has succeeded no more are started.
        None if seen.succeeded > 0 => active.min(parallelism),
        None => parallelism,
    };
    if active > wanted {
        let mut victims = seen.active.clone();
        victims.sort_by_key(|pod| (pod::is_ready(pod), Reverse(pod.creation_time())));
        victims.truncate(usize::try_from(active - wanted).unwrap_or_default());
        plan.delete = victims;
        return;
    }
    let missing = usize::try_from(wanted - active).unwrap_or_default();
    if missing == 0 {
        return;
    }
    let due = seen.last_failure.map(|last| last.after(backoff(seen.failed)));
    match due.filter(|due| *due > now) {
        Some(due) => plan.wake = Some(due),
        None => plan.create = missing,
    }
}

/// Example: 10 s after the first failure, 20 s after the second, at most 10 min.
fn backoff(failed: i64) -> Duration {
    let doubled = u32::try_from(failed - 1).unwrap_or_default().min(16);
    BACKOFF.saturating_mul(2_u32.pow(doubled)).min(BACKOFF_MAX)
}

fn ended_at(pod: &Object) -> Option<Time> {
    let containers = pod.items(&["status", "containerStatuses"]).iter();
    let ends =
        containers.filter_map(|one| Time::parse(one["state"]["terminated"]["finishedAt"].as_str()?).ok());
    ends.max().or_else(|| pod.creation_time())
}

fn suspended(job: &Object, seen: &Seen, now: Time) -> Plan {
    let mut conditions = job.items(&["status", "conditions"]).to_vec();
    let mut plan = Plan { delete: seen.active.clone(), ..Plan::default() };
    let is_set = conditions.iter().any(|one| one["type"] == "Suspended" && one["status"] == "True");
    if !is_set {
        conditions.retain(|one| one["type"] != "Suspended");
        push(&mut conditions, "Suspended", "True", ("JobSuspended", "Job suspended"), now);
        plan.event = Some((EventType::Normal, "Suspended", "Job suspended"));
    }
    let mut status = seen.status(job);
    if let Some(map) = status.as_object_mut() {
        map.remove("active");
    }
    status["ready"] = 0.into();
    finish(&mut plan, status, conditions);
    plan
}

fn resume(conditions: &mut Vec<Value>, now: Time) {
    let is_set = conditions.iter().any(|one| one["type"] == "Suspended" && one["status"] == "True");
    if is_set {
        conditions.retain(|one| one["type"] != "Suspended");
        push(conditions, "Suspended", "False", ("JobResumed", "Job resumed"), now);
    }
}

fn begin_end(conditions: &mut Vec<Value>, end: &End, now: Time) {
    if !conditions.iter().any(|one| one["type"] == end.first) {
        push(conditions, end.first, "True", (end.reason, end.message), now);
    }
}

fn push(conditions: &mut Vec<Value>, kind: &str, status: &str, (reason, message): (&str, &str), now: Time) {
    conditions.push(json!({
        "type": kind, "status": status, "lastProbeTime": now, "lastTransitionTime": now,
        "reason": reason, "message": message
    }));
}

fn finish(plan: &mut Plan, mut status: Value, conditions: Vec<Value>) {
    if !conditions.is_empty() {
        status["conditions"] = conditions.into();
    }
    plan.status = status;
}

/// Returns when the job ended, if it has.
fn finished_at(job: &Object) -> Option<Time> {
    let conditions = job.items(&["status", "conditions"]).iter();
    let mut last = conditions.filter(|one| one["type"] == "Complete" || one["type"] == "Failed");
    let end = last.find(|one| one["status"] == "True")?;
    end["lastTransitionTime"].as_str().and_then(|text| Time::parse(text).ok())
}

/// A job that has ended changes no more; after its time to live it goes.
fn over(job: &Object, finished: Time, now: Time) -> Plan {
    let status = job.get(&["status"]).cloned().unwrap_or_default();
    let due = seconds(job, "ttlSecondsAfterFinished").map(|ttl| finished.after(ttl));
    let expired = due.is_some_and(|due| due <= now);
    Plan { status, expired, wake: due.filter(|due| *due > now), ..Plan::default() }
}

fn seconds(job: &Object, field: &str) -> Option<Duration> {
    let seconds = job.int(&["spec", field])?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// Returns a pod of the job.
pub(super) fn pod_of(job: &Object) -> Object {
    pod::from_template(job)
}

#[cfg(test)]
mod tests;
