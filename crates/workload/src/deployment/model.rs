//! A Deployment and its ReplicaSets, read once.

use std::sync::Arc;
use std::time::Duration;

use object::{Object, Value};

use super::template;

/// Revision of a Deployment or of a ReplicaSet.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
/// Earlier revisions of a ReplicaSet that came back.
pub(super) const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// Replicas of the Deployment when the ReplicaSet was last scaled.
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// Replicas and surge at that time.
pub(super) const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// A ReplicaSet with the counts that decide.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub object: Arc<Object>,
    /// `spec.replicas`.
    pub replicas: i64,
    /// `status.availableReplicas`.
    pub available: i64,
}

impl Set {
    fn read(object: &Arc<Object>) -> Self {
        Self {
            replicas: object.int(&["spec", "replicas"]).unwrap_or(1),
            available: object.int(&["status", "availableReplicas"]).unwrap_or_default(),
            object: object.clone(),
        }
    }

    /// Returns a count of the status.
    pub(super) fn count(&self, field: &str) -> i64 {
        self.object.int(&["status", field]).unwrap_or_default()
    }

    /// Returns the annotation `key` as a number.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.object.annotation(key)?.parse().ok()
    }

    /// Returns the revision, 0 when there is none.
    pub(super) fn revision(&self) -> i64 {
        self.number(REVISION).unwrap_or_default()
    }
}

/// A Deployment, its numbers worked out, with its ReplicaSets.
#[derive(Clone, Debug)]
pub(super) struct Deployment<'a> {
    pub object: &'a Object,
    pub replicas: i64,
    pub recreate: bool,
    /// Pods above `replicas` during an update.
    pub surge: i64,
    /// Pods that may be missing during an update.
    pub unavailable: i64,
    pub paused: bool,
    pub progress_deadline: Option<Duration>,
    pub history: Option<i64>,
    /// The ReplicaSet of the present template.
    pub new: Option<Set>,
    /// The others, oldest first.
    pub old: Vec<Set>,
}

impl<'a> Deployment<'a> {
    /// Reads the object; `sets` are the ReplicaSets that it owns.
    pub(super) fn read(object: &'a Object, sets: &[Arc<Object>]) -> Self {
        let replicas = object.int(&["spec", "replicas"]).unwrap_or(1);
        let recreate = object.str(&["spec", "strategy", "type"]) == "Recreate";
        let (surge, unavailable) = if recreate { (0, 0) } else { bounds(object, replicas) };
        let mut sorted: Vec<Set> = sets.iter().map(Set::read).collect();
        sorted.sort_by_cached_key(|set| (set.object.creation_time(), set.object.name().to_owned()));
        // The oldest of several with the same template, as upstream.
        let at = sorted.iter().position(|set| template::same(object, &set.object));
        let new = at.map(|at| sorted.remove(at));
        let deadline =
            object.int(&["spec", "progressDeadlineSeconds"]).filter(|seconds| *seconds < i64::from(i32::MAX));
        let deadline = deadline.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        Self {
            object,
            replicas,
            recreate,
            surge,
            unavailable,
            paused: object.flag(&["spec", "paused"]),
            progress_deadline: deadline,
            history: object
                .int(&["spec", "revisionHistoryLimit"])
                .filter(|limit| *limit < i64::from(i32::MAX)),
            new,
            old: sorted,
        }
    }

    /// Returns all ReplicaSets, the new one last.
    pub(super) fn all(&self) -> impl Iterator<Item = &Set> {
        self.old.iter().chain(&self.new)
    }

    /// Returns the pods that all ReplicaSets ask for.
    pub(super) fn total(&self) -> i64 {
        self.all().map(|set| set.replicas).sum()
    }
}

/// Returns surge and unavailability in pods. Source: `deploymentutil.ResolveFenceposts`, `MaxUnavailable`.
///
/// Example: 25 % and 25 % of 5 replicas are a surge of 2 (rounded up) and 1 unavailable (rounded down).
fn bounds(object: &Object, replicas: i64) -> (i64, i64) {
    let rolling = ["spec", "strategy", "rollingUpdate"];
    let value = |field: &str| object.get(&rolling).map_or(Value::Null, |rolling| rolling[field].clone());
    let surge = resolve(&value("maxSurge"), replicas, &Rounding::Up);
    let mut unavailable = resolve(&value("maxUnavailable"), replicas, &Rounding::Down);
    if surge == 0 && unavailable == 0 {
        unavailable = 1;
    }
    (surge, unavailable.min(replicas))
}

enum Rounding {
    Up,
    Down,
}

fn resolve(value: &Value, replicas: i64, rounding: &Rounding) -> i64 {
    let percent = match value {
        Value::Number(number) => return number.as_i64().unwrap_or_default().max(0),
        Value::String(text) => text.trim_end_matches('%').parse().unwrap_or(0),
        _ => 25,
    };
    let product = replicas.saturating_mul(percent);
    match rounding {
        Rounding::Up => product.div_euclid(100) + i64::from(product.rem_euclid(100) != 0),
        Rounding::Down => product.div_euclid(100),
    }
}
