//! What a pass does to a Job. Pure.
//!
//! Pods are counted by [`Count`]. Success policies, failure policies and limits of one index are not acted on.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use object::{Object, Time, Value, json};
use runtime::EventType;

use super::count::{Count, FINALIZER, is_tracked};
use super::indexes::{self, Indexes};
use crate::pod;

mod conditions;

use conditions::{begin_end, finished_at, push, resume};

/// First wait before a failed pod is replaced; doubles with each failure. Source: `DefaultJobPodFailureBackOff`.
const BACKOFF: Duration = Duration::from_secs(10);
/// Longest such wait. Source: `MaxJobPodFailureBackOff`.
const BACKOFF_MAX: Duration = Duration::from_secs(600);

/// What a pass does.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Pods to create, each with its index where they have indexes.
    pub create: Vec<Option<u32>>,
    /// Pods to delete; each counts as failed.
    pub delete: Vec<Arc<Object>>,
    /// Pods to let go and delete, because they are too many; they do not count.
    pub shed: Vec<Arc<Object>>,
    /// Pods to let go once the status is written: it counts them, or they need no counting.
    pub release: Vec<Arc<Object>>,
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

/// Returns the plan for `job`, whose pods are `pods`. Source: `pkg/controller/job`: `syncJob`, `manageJob`,
/// `trackJobStatusAndRemoveFinalizers`.
pub(super) fn plan(job: &Object, pods: &[Arc<Object>], now: Time) -> Plan {
    if let Some(finished) = finished_at(job) {
        return over(job, pods, finished, now);
    }
    let seen = Seen::new(job, pods, now);
    if is_suspended(job) && seen.end.is_none() {
        return suspended(job, &seen, now);
    }
    let mut conditions = job.items(&["status", "conditions"]).to_vec();
    let mut plan = Plan::default();
    let mut start = seen.start;
    let mut completed = None;
    if let Some(end) = seen.end {
        plan.delete.clone_from(&seen.active);
        begin_end(&mut conditions, &end, now);
        if seen.active.is_empty() && seen.going.is_empty() && seen.count.is_settled() {
            push(&mut conditions, end.last, "True", (end.reason, end.message), now);
            let is_complete = end.last == "Complete";
            completed = is_complete.then_some(now);
            plan.event = Some(if is_complete {
                (EventType::Normal, "Completed", "Job completed")
            } else {
                (EventType::Warning, end.reason, end.message)
            });
        }
    } else {
        if resume(&mut conditions, now) {
            plan.event = Some((EventType::Normal, "Resumed", "Job resumed"));
            start = now.whole_seconds();
        }
        manage(job, &seen, &mut plan, now);
        let deadline = seconds(job, "activeDeadlineSeconds").map(|deadline| start.after(deadline));
        plan.wake = plan.wake.into_iter().chain(deadline).min();
    }
    let mut status = seen.status(&plan);
    status["startTime"] = json!(start);
    if let Some(time) = completed {
        status["completionTime"] = json!(time);
    }
    finish(plan, &seen, status, conditions)
}

fn is_suspended(job: &Object) -> bool {
    job.flag(&["spec", "suspend"])
}

struct Seen {
    active: Vec<Arc<Object>>,
    /// Being deleted and not ended yet.
    going: Vec<Arc<Object>>,
    count: Count,
    /// Failures since the last success, and when the last one was.
    failures: (usize, Option<Time>),
    start: Time,
    end: Option<End>,
}

impl Seen {
    fn new(job: &Object, pods: &[Arc<Object>], now: Time) -> Self {
        let start = job.time(&["status", "startTime"]).unwrap_or(now.whole_seconds());
        let mut seen = Self {
            active: pods.iter().filter(|pod| pod::is_active(pod)).cloned().collect(),
            going: pods.iter().filter(|pod| pod.is_deleting() && !pod::is_finished(pod)).cloned().collect(),
            count: Count::of(job, pods),
            failures: failures(pods),
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
        let deadline = seconds(job, "activeDeadlineSeconds").map(|deadline| self.start.after(deadline));
        let late = !is_suspended(job) && deadline.is_some_and(|deadline| deadline <= now);
        let enough = match job.int(&["spec", "completions"]) {
            Some(completions) => self.count.succeeded() >= completions,
            None => self.count.succeeded() > 0,
        };
        match () {
            () if self.count.failed() > limit || restarted_too_often(job, pods, limit) => Some(BACKOFF_LIMIT),
            () if late => Some(DEADLINE),
            () if enough && self.active.is_empty() => Some(COMPLETE),
            () => None,
        }
    }

    /// Returns the counts as they are once the plan is carried out.
    fn status(&self, plan: &Plan) -> Value {
        let gone =
            |pod: &Arc<Object>| plan.delete.iter().chain(&plan.shed).any(|other| other.uid() == pod.uid());
        let ready = self.active.iter().filter(|pod| !gone(pod) && pod::is_ready(pod)).count();
        let deleted = plan.delete.len() + plan.shed.len();
        let active = self.active.len() + plan.create.len() - deleted;
        let mut status = self.count.status();
        if active > 0 {
            status["active"] = active.into();
        }
        status["ready"] = ready.into();
        status["terminating"] = (self.going.len() + deleted).into();
        status
    }
}

/// Source: `pastBackoffLimitOnFailure`.
fn restarted_too_often(job: &Object, pods: &[Arc<Object>], limit: i64) -> bool {
    if job.str(&["spec", "template", "spec", "restartPolicy"]) != "OnFailure" {
        return false;
    }
    let restarts: i64 =
        pods.iter().filter(|pod| !pod::is_finished(pod)).map(|pod| pod::all_restarts(pod)).sum();
    restarts > 0 && restarts >= limit
}

/// Returns how many pods failed since the last success, and when the last one did. Source: `newBackoffRecord`.
fn failures(pods: &[Arc<Object>]) -> (usize, Option<Time>) {
    let ends = |phase: &'static str| {
        pods.iter().filter(move |pod| pod::phase(pod) == phase).filter_map(|pod| ended_at(pod))
    };
    let success = ends("Succeeded").max();
    let later: Vec<Time> =
        ends("Failed").filter(|end| success.is_none_or(|success| *end > success)).collect();
    (later.len(), later.into_iter().max())
}

/// Decides how many pods there must be. Source: `manageJob`.
fn manage(job: &Object, seen: &Seen, plan: &mut Plan, now: Time) {
    let parallelism = job.int(&["spec", "parallelism"]).unwrap_or(1).max(0);
    let active = i64::try_from(seen.active.len()).unwrap_or(i64::MAX);
    let wanted = match job.int(&["spec", "completions"]) {
        Some(completions) => parallelism.min((completions - seen.count.succeeded()).max(0)),
        // A work queue: once one has succeeded no more are started.
        None if seen.count.succeeded() > 0 => active,
        None => parallelism,
    };
    plan.shed = too_many(job, seen, usize::try_from(active - wanted).unwrap_or_default());
    if !plan.shed.is_empty() {
        return;
    }
    // Where only failed pods are replaced, one that is still going is waited for.
    let going = if Count::only_failed(job) { seen.going.len() } else { 0 };
    let missing = usize::try_from(wanted - active).unwrap_or_default().saturating_sub(going);
    if missing == 0 {
        return;
    }
    let (failures, last) = seen.failures;
    let due = last.map(|last| last.after(backoff(failures)));
    match due.filter(|due| *due > now) {
        Some(due) => plan.wake = Some(due),
        None => plan.create = new_pods(job, seen, missing),
    }
}

/// Returns at least `excess` active pods to give up. Source: `activePodsForRemoval`.
fn too_many(job: &Object, seen: &Seen, excess: usize) -> Vec<Arc<Object>> {
    let mut victims = match seen.count.completed {
        Some(_) => indexes::superfluous(&seen.active, job),
        None => Vec::new(),
    };
    let is_victim = |pod: &Arc<Object>| victims.iter().any(|other| other.uid() == pod.uid());
    let mut others: Vec<Arc<Object>> = seen.active.iter().filter(|pod| !is_victim(pod)).cloned().collect();
    others.sort_by_key(|pod| (pod::is_ready(pod), Reverse(pod.creation_time())));
    others.truncate(excess.saturating_sub(victims.len()));
    victims.extend(others);
    victims
}

/// Returns what distinguishes `count` new pods. Source: `firstPendingIndexes`.
fn new_pods(job: &Object, seen: &Seen, count: usize) -> Vec<Option<u32>> {
    let Some(completed) = &seen.count.completed else { return vec![None; count] };
    let waited_for = seen.going.iter().filter(|_| Count::only_failed(job));
    let taken = Indexes::of(seen.active.iter().chain(waited_for), job);
    completed.pending(&taken, job, count).into_iter().map(Some).collect()
}

/// Example: 10 s after the first failure, 20 s after the second, at most 10 min.
fn backoff(failures: usize) -> Duration {
    let doubled = u32::try_from(failures.saturating_sub(1)).unwrap_or_default().min(16);
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
    let mut plan = Plan { shed: seen.active.clone(), ..Plan::default() };
    let is_set = conditions.iter().any(|one| one["type"] == "Suspended" && one["status"] == "True");
    if !is_set {
        conditions.retain(|one| one["type"] != "Suspended");
        push(&mut conditions, "Suspended", "True", ("JobSuspended", "Job suspended"), now);
        plan.event = Some((EventType::Normal, "Suspended", "Job suspended"));
    }
    let status = seen.status(&plan);
    finish(plan, seen, status, conditions)
}

fn finish(mut plan: Plan, seen: &Seen, mut status: Value, conditions: Vec<Value>) -> Plan {
    if !conditions.is_empty() {
        status["conditions"] = conditions.into();
    }
    plan.release = seen.count.release.clone();
    plan.status = status;
    plan
}

/// A job that has ended changes no more; after its time to live it goes.
fn over(job: &Object, pods: &[Arc<Object>], finished: Time, now: Time) -> Plan {
    let status = job.get(&["status"]).cloned().unwrap_or_default();
    let due = seconds(job, "ttlSecondsAfterFinished").map(|ttl| finished.after(ttl));
    let expired = due.is_some_and(|due| due <= now);
    let release = pods.iter().filter(|pod| is_tracked(pod)).cloned().collect();
    Plan { status, expired, release, wake: due.filter(|due| *due > now), ..Plan::default() }
}

fn seconds(job: &Object, field: &str) -> Option<Duration> {
    let seconds = job.int(&["spec", field])?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// Returns a pod of the job, which stays until it has been counted.
pub(super) fn pod_of(job: &Object, index: Option<u32>) -> Object {
    let mut pod = pod::from_template(job);
    if let Some(index) = index {
        indexes::give(&mut pod, job, index);
    }
    if !is_tracked(&pod) {
        let mut finalizers = pod.items(&["metadata", "finalizers"]).to_vec();
        finalizers.push(FINALIZER.into());
        pod.set(&["metadata", "finalizers"], finalizers);
    }
    pod
}

#[cfg(test)]
mod tests;
