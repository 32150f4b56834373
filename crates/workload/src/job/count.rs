//! How the ended pods of a Job are counted, each once, however often the controller is interrupted. Pure.
//!
//! A pod carries a finalizer until it is counted. Its uid is first noted in `status.uncountedTerminatedPods`; then the
//! finalizer is taken off; only then the counter goes up and the uid out of the status. Source: KEP-2307. The successes
//! of an indexed Job are counted by `status.completedIndexes` alone: an index in it twice is there once.

use std::collections::BTreeSet;
use std::sync::Arc;

use object::{Object, Value, json};

use super::indexes::{Indexes, index_of, is_indexed};
use crate::pod;

/// The finalizer of pods that have not been counted.
pub(super) const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
/// Pods that wait in the status at most. Source: `MaxUncountedPods`.
const MOST_UNCOUNTED: usize = 500;

/// Returns true while `pod` has not been counted.
pub(super) fn is_tracked(pod: &Object) -> bool {
    pod.finalizers().contains(&FINALIZER)
}

/// What a Job has counted, and what it counts next.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Count {
    succeeded: i64,
    failed: i64,
    uncounted_succeeded: Vec<String>,
    uncounted_failed: Vec<String>,
    /// Indexes that have succeeded, where pods have indexes.
    pub completed: Option<Indexes>,
    /// Pods whose uid is in the status once it is written; they can be let go then.
    pub release: Vec<Arc<Object>>,
}

impl Count {
    /// Counts the pods that have been let go and notes those that have ended since.
    pub(super) fn of(job: &Object, pods: &[Arc<Object>]) -> Self {
        let tracked: BTreeSet<&str> =
            pods.iter().filter(|pod| is_tracked(pod)).map(|pod| pod.uid()).collect();
        let mut count = Self::default();
        (count.succeeded, count.uncounted_succeeded) = counted(job, "succeeded", &tracked);
        (count.failed, count.uncounted_failed) = counted(job, "failed", &tracked);
        count.completed = is_indexed(job).then(|| Indexes::completed(job));
        let only_failed = Self::only_failed(job);
        for pod in pods.iter().filter(|pod| is_tracked(pod)) {
            if count.by_index(pod, job) {
                continue;
            }
            let phase = pod::phase(pod);
            let uncounted = match phase {
                "Succeeded" => &mut count.uncounted_succeeded,
                "Failed" => &mut count.uncounted_failed,
                _ if pod.is_deleting() && !only_failed => &mut count.uncounted_failed,
                _ => continue,
            };
            if uncounted.iter().any(|uid| uid == pod.uid()) {
                count.release.push(pod.clone());
            } else if count.release.len() < MOST_UNCOUNTED {
                uncounted.push(pod.uid().to_owned());
                count.release.push(pod.clone());
            }
        }
        count
    }

    /// Counts a pod by its index; false when it must be counted otherwise, or not yet.
    fn by_index(&mut self, pod: &Arc<Object>, job: &Object) -> bool {
        let Some(completed) = &mut self.completed else { return false };
        let index = index_of(pod, job);
        let ended = pod::is_finished(pod);
        if let Some(index) = index.filter(|_| pod::phase(pod) == "Succeeded") {
            completed.insert(index);
        } else if index.is_some() || !ended {
            return false;
        }
        self.release.push(pod.clone());
        true
    }

    /// Returns true when a pod that is being deleted counts only once it has failed. Source: `onlyReplaceFailedPods`.
    pub(super) fn only_failed(job: &Object) -> bool {
        job.str(&["spec", "podReplacementPolicy"]) == "Failed"
            || job.get(&["spec", "podFailurePolicy"]).is_some_and(|policy| !policy.is_null())
    }

    /// Returns how many pods have succeeded.
    pub(super) fn succeeded(&self) -> i64 {
        match &self.completed {
            Some(completed) => completed.count(),
            None => self.succeeded + length(&self.uncounted_succeeded),
        }
    }

    /// Returns how many pods have failed.
    pub(super) fn failed(&self) -> i64 {
        self.failed + length(&self.uncounted_failed)
    }

    /// Returns true when nothing waits to be counted.
    pub(super) fn is_settled(&self) -> bool {
        self.uncounted_succeeded.is_empty() && self.uncounted_failed.is_empty()
    }

    /// Returns the counters as the status shows them.
    pub(super) fn status(&self) -> Value {
        let mut status = json!({"uncountedTerminatedPods": {}});
        let completed = self.completed.as_ref();
        if let Some(completed) = completed.filter(|completed| completed.count() > 0) {
            status["completedIndexes"] = completed.to_string().into();
        }
        let succeeded = completed.map_or(self.succeeded, Indexes::count);
        for (field, count, uncounted) in [
            ("succeeded", succeeded, &self.uncounted_succeeded),
            ("failed", self.failed, &self.uncounted_failed),
        ] {
            if count > 0 {
                status[field] = count.into();
            }
            if !uncounted.is_empty() {
                status["uncountedTerminatedPods"][field] = json!(uncounted);
            }
        }
        status
    }
}

/// Returns the counter with those that have been let go, and the uids of the others. Source:
/// `cleanUncountedPodsWithoutFinalizers`.
fn counted(job: &Object, field: &str, tracked: &BTreeSet<&str>) -> (i64, Vec<String>) {
    let shown = job.int(&["status", field]).unwrap_or_default();
    let uids = job.items(&["status", "uncountedTerminatedPods", field]).iter().filter_map(Value::as_str);
    let (waiting, gone): (Vec<&str>, Vec<&str>) = uids.partition(|uid| tracked.contains(uid));
    (shown + length(&gone), waiting.into_iter().map(str::to_owned).collect())
}

fn length<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(uid: &str, phase: &str) -> Arc<Object> {
        Arc::new(Object::from_value(json!({
            "metadata": {"name": uid, "uid": uid, "finalizers": [FINALIZER]}, "status": {"phase": phase}
        })))
    }

    fn job(status: Value) -> Object {
        let mut job = Object::from_value(json!({"metadata": {"name": "j"}}));
        job.set(&["status"], status);
        job
    }

    #[test]
    fn noted_then_let_go_then_counted() {
        let pods = [pod("a", "Succeeded"), pod("b", "Failed"), pod("c", "Running")];
        let noted = Count::of(&job(json!({"succeeded": 4})), &pods);
        let expected =
            json!({"succeeded": 4, "uncountedTerminatedPods": {"succeeded": ["a"], "failed": ["b"]}});
        assert_eq!(noted.status(), expected);
        assert_eq!((noted.succeeded(), noted.failed(), noted.release.len()), (5, 1, 2));
        assert_eq!(Count::of(&job(noted.status()), &pods), noted, "nothing is noted twice");
        let mut free = (*pods[0]).clone();
        free.remove(&["metadata", "finalizers"]);
        let counted = Count::of(&job(noted.status()), &[Arc::new(free), pods[2].clone()]);
        assert_eq!(
            counted.status(),
            json!({"succeeded": 5, "failed": 1, "uncountedTerminatedPods": {}}),
            "one let go, one gone"
        );
        assert!(counted.is_settled() && !noted.is_settled());
    }

    #[test]
    fn a_pod_that_is_deleted_has_failed_unless_it_is_waited_for() {
        let mut going = (*pod("a", "Running")).clone();
        going.set(&["metadata", "deletionTimestamp"], "2026-01-01T00:00:00Z");
        let pods = [Arc::new(going)];
        let mut job = job(json!({}));
        assert_eq!(Count::of(&job, &pods).failed(), 1);
        job.set(&["spec", "podReplacementPolicy"], "Failed");
        assert_eq!(Count::of(&job, &pods).failed(), 0);
    }
}
