//! The ReplicaSets of a Rollout and their roles.

use std::sync::Arc;

use object::{Key, Object, Time};

use crate::maths::Size;
use crate::{Settings, keys, template};

/// A ReplicaSet, with what decides read out of it.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    /// The object.
    pub object: Arc<Object>,
    /// Value of the hash label.
    pub hash: String,
    /// Value of the revision annotation, 0 when there is none.
    pub revision: i64,
    /// When it was created.
    pub created: Option<Time>,
    /// Wanted and available pods.
    pub size: Size,
    /// `status.replicas`.
    pub replicas: i32,
    /// `status.readyReplicas`.
    pub ready: i32,
    /// Whether the status is about the current size.
    pub observed: bool,
    /// When it is to be scaled to 0, if it carries a time that can be read.
    pub deadline: Option<Time>,
}

impl Set {
    fn new(object: &Arc<Object>) -> Self {
        let count = |path: &[&str]| object.int(path).and_then(|count| i32::try_from(count).ok());
        Self {
            object: object.clone(),
            hash: object.label(keys::HASH).unwrap_or_default().to_owned(),
            revision: object.annotation(keys::REVISION).and_then(|text| text.parse().ok()).unwrap_or(0),
            created: object.creation_time(),
            size: Size {
                spec: count(&["spec", "replicas"]).unwrap_or(1),
                available: count(&["status", "availableReplicas"]).unwrap_or(0),
            },
            replicas: count(&["status", "replicas"]).unwrap_or(0),
            ready: count(&["status", "readyReplicas"]).unwrap_or(0),
            observed: object.int(&["status", "observedGeneration"]).unwrap_or(0) >= object.generation(),
            deadline: object.annotation(keys::SCALE_DOWN_DEADLINE).and_then(|text| Time::parse(text).ok()),
        }
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        self.object.name()
    }

    /// Returns namespace and name.
    pub fn key(&self) -> Key {
        self.object.key()
    }

    /// Returns true when all wanted pods are available, and there is one.
    pub fn fully_available(&self) -> bool {
        self.size.spec != 0 && self.size.available == self.size.spec
    }

    /// Returns true when it carries a time at which it is scaled to 0, even one that cannot be read.
    pub fn has_deadline(&self) -> bool {
        self.object.annotation(keys::SCALE_DOWN_DEADLINE).is_some_and(|text| !text.is_empty())
    }

    /// Returns true when it has all the pods of a Rollout of `replicas`, and was last scaled for that many.
    ///
    /// Source: `annotations.IsSaturated`.
    pub fn saturated(&self, replicas: i32) -> bool {
        self.size == Size { spec: replicas, available: replicas } && self.desired() == Some(replicas)
    }

    /// Returns the Rollout's `replicas` when it was last scaled.
    pub fn desired(&self) -> Option<i32> {
        self.object.annotation(keys::DESIRED_REPLICAS)?.parse().ok()
    }
}

/// All ReplicaSets of a Rollout, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Sets {
    /// All.
    pub all: Vec<Set>,
    new: Option<usize>,
    stable: Option<usize>,
}

impl Sets {
    /// Returns the ReplicaSets with their roles: `hash` is that of the current template, `stable` that of the stable one.
    pub fn new(objects: &[Arc<Object>], settings: &Settings, hash: &str, stable: &str) -> Self {
        let mut all: Vec<Set> = objects.iter().map(Set::new).collect();
        all.sort_by(|a, b| (a.created, a.name()).cmp(&(b.created, b.name())));
        let of_hash = |hash: &str| all.iter().position(|set| !hash.is_empty() && set.hash == hash);
        let new = of_hash(hash).or_else(|| {
            all.iter().position(|set| template::same(&template::of_set(&set.object), &settings.template))
        });
        let stable = of_hash(stable);
        Self { all, new, stable }
    }

    /// Returns the ReplicaSet of the current template.
    pub fn new_set(&self) -> Option<&Set> {
        self.new.map(|index| &self.all[index])
    }

    /// Returns the stable ReplicaSet, which may be the new one.
    pub fn stable(&self) -> Option<&Set> {
        self.stable.map(|index| &self.all[index])
    }

    /// Returns the stable ReplicaSet when it is not the new one.
    pub fn stable_apart(&self) -> Option<&Set> {
        if self.stable == self.new { None } else { self.stable() }
    }

    /// Returns the ReplicaSet of `hash`; none for an empty one.
    pub fn of_hash(&self, hash: &str) -> Option<&Set> {
        self.all.iter().find(|set| !hash.is_empty() && set.hash == hash)
    }

    /// Returns those that are neither new nor stable, oldest first.
    pub fn others(&self) -> impl Iterator<Item = &Set> {
        let roles = [self.new, self.stable];
        self.all
            .iter()
            .enumerate()
            .filter(move |(index, _)| !roles.contains(&Some(*index)))
            .map(|(_, set)| set)
    }

    /// Returns the sum over all of what `count` reads.
    pub fn sum(&self, count: impl Fn(&Set) -> i32) -> i32 {
        self.all.iter().map(count).sum()
    }

    /// Returns the highest revision of all but the new one.
    pub fn highest_old_revision(&self) -> i64 {
        let old = self.all.iter().enumerate().filter(|(index, _)| Some(*index) != self.new);
        old.map(|(_, set)| set.revision).max().unwrap_or(0)
    }
}
