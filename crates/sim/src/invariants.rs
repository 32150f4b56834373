//! What must hold after every write, whatever fails. `docs/simulation.md` says each in words.
//!
//! - **availability floor:** once a Rollout was healthy, its ready pods never fall below `replicas − maxUnavailable`, where
//!   `replicas` is the smallest number asked for since; pods that the user deleted are excused.
//! - **surge ceiling:** the ReplicaSets of a canary without router never ask for more than `replicas + maxSurge` pods, where
//!   `replicas` is the largest number asked for since then.
//! - **weight not ahead of its step / of its pods:** the new ReplicaSet of such a canary never asks for more pods than its
//!   current step gives it; the weight in a route never goes up beyond the current step, nor without ready pods.
//! - **traffic only to ready pods:** a Service that has a share of the traffic selects ready pods for that share.
//! - **stable not scaled down before the new version carries the traffic:** no ReplicaSet is made smaller than what the
//!   Services and routes of that moment send to it.
//! - **status follows steps:** the step index never goes past the number of steps.
//! - **one change in flight:** a running sync operation is never replaced by another, and a Rollout has at most one
//!   background analysis, one step analysis and one Experiment that run.
//! - **no lost write:** every write that a controller was told is done was shown by the store, an Application's history
//!   grows entry by entry, and no controller changes the spec of an Application or a Rollout, which is its user's.
//! - **nothing created twice:** a Rollout never has two ReplicaSets of the same template, nor, without an act of its user,
//!   two AnalysisRuns or Experiments for the same revision and step.
//! - **events not doubled:** switches, sizes, new ReplicaSets and completions are never told more often than they happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use object::{Key, Object};
use runtime::{Change, Tasks};
use store::Store;

use crate::Acknowledged;
use once::{Made, Told};
use scene::{Kind, Scene, replicas};

mod applications;
mod canary;
mod explain;
mod once;
mod scene;
mod traffic;

/// Looks at every write and keeps what did not hold. Cheap to clone.
#[derive(Clone)]
pub struct Invariants {
    acknowledged: Acknowledged,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    scene: Scene,
    broken: Vec<String>,
    /// Rollouts by uid.
    memories: BTreeMap<String, Memory>,
    looks: u64,
    /// Changes of specs that are their users', by revision, with whose.
    specs: BTreeMap<u64, String>,
    /// Uids of pods that the user deletes.
    excused: BTreeSet<String>,
    /// How often the user has acted.
    acts: u64,
    made: Made,
    told: Told,
    /// What is known of the user's acts.
    user: User,
}

/// What is known of the user's acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum User {
    /// Nothing: a scenario may edit routes and ask for anything again.
    #[default]
    Unknown,
    /// Every act is told by [`Invariants::acting`] and [`Invariants::excuse`].
    Told,
    /// The same, and an Application is who asks for it: its controller writes the specs of Rollouts.
    Commits,
}

impl User {
    /// Returns whether all that was done for somebody is known to be.
    fn tells(self) -> bool {
        self != Self::Unknown
    }
}

/// What is remembered of a Rollout.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    /// It was healthy once.
    healthy: bool,
    /// Fewest pods asked for since it was healthy last.
    fewest: i64,
    /// Most pods asked for since then.
    most: i64,
    /// Ready pods that the user deleted and that have not been made up for yet.
    excused: i64,
}

impl Invariants {
    /// Starts to look; ends with `tasks`. What only holds between the acts of the user (traffic, nothing created twice for a
    /// step, Events) is looked at where these are told.
    pub(crate) fn watch(
        store: &Store,
        acknowledged: &Acknowledged,
        user: User,
        tasks: &Tasks,
    ) -> Result<Self, store::StoreError> {
        let mut watch = store.watch("", store.oldest())?;
        let seen = Arc::new(Mutex::new(Seen { user, ..Seen::default() }));
        let invariants = Self { acknowledged: acknowledged.clone(), seen };
        let looking = invariants.clone();
        tasks.spawn("invariants", async move {
            while let Some(Ok(change)) = watch.next().await {
                looking.lock().look(&change);
            }
        });
        Ok(invariants)
    }

    /// Returns what did not hold.
    pub fn broken(&self) -> Vec<String> {
        let seen = self.lock();
        let mut broken = seen.broken.clone();
        let lost = self.acknowledged.lost().into_iter();
        broken.extend(lost.map(|revision| format!("no lost write: revision {revision} was never shown")));
        let changed = seen.specs.iter().filter(|(revision, _)| self.acknowledged.was_told(**revision));
        broken.extend(changed.map(|(revision, whose)| {
            format!("no lost write: revision {revision} by a controller changed the spec of {whose}")
        }));
        if seen.user.tells() {
            broken.extend(seen.told.doubled());
        }
        broken
    }

    /// Returns how often was looked: a run that never looked proves nothing.
    pub fn looks(&self) -> u64 {
        self.lock().looks
    }

    /// Tells that the user is about to delete the pod of this uid: that it is missing then is nobody's fault.
    pub fn excuse(&self, pod: &str) {
        self.lock().excused.insert(pod.to_owned());
    }

    /// Tells that the user is about to ask for something: what was done for a step may be done again.
    pub fn acting(&self) {
        self.lock().acts += 1;
    }

    /// Returns the status of a Rollout and the reasons of the plan that a controller would make of what is now.
    pub fn explain(&self, rollout: &Key, now: object::Time) -> String {
        explain::explain(&self.lock().scene, rollout, now)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn look(&mut self, change: &store::Change) {
        let Some((kind, change)) = self.scene.take(change) else { return };
        self.looks += 1;
        self.told.happened(kind, &change);
        let found = match kind {
            Kind::Application => applications::problems(&change),
            Kind::Rollout | Kind::Service | Kind::HttpRoute | Kind::Pod | Kind::ReplicaSet => {
                self.around(kind, &change)
            }
            Kind::AnalysisRun | Kind::Experiment => self.made(kind, &change),
            Kind::Event => {
                change.new.iter().for_each(|event| self.told.event(event));
                Vec::new()
            }
            Kind::AnalysisTemplate | Kind::ClusterAnalysisTemplate | Kind::ConfigMap => Vec::new(),
        };
        // Where an Application is the user, its controller writes the specs of Rollouts.
        let is_users = kind == Kind::Application || (kind == Kind::Rollout && self.user == User::Told);
        if is_users && let Some(revision) = applications::spec_change(&change) {
            self.specs.insert(revision, change.key.to_string());
        }
        self.note(&change.key, found);
    }

    fn note(&mut self, key: &Key, problems: Vec<String>) {
        for problem in problems {
            let text = format!("{key}: {problem}");
            if !self.broken.contains(&text) {
                self.broken.push(text);
            }
        }
    }

    /// Looks at the Rollouts of the namespace after a change of something around them.
    fn around(&mut self, kind: Kind, change: &Change) -> Vec<String> {
        let namespace = change.key.namespace.as_str();
        let rollouts = self.scene.all(Kind::Rollout).filter(|rollout| rollout.namespace() == namespace);
        let rollouts: Vec<Arc<Object>> = rollouts.cloned().collect();
        let mut found = Vec::new();
        if let (Kind::Rollout, Some(new)) = (kind, &change.new) {
            self.made.name(new);
        }
        if let (Kind::ReplicaSet, None, Some(new)) = (kind, &change.old, &change.new) {
            found.extend(once::twin(&self.scene, new));
        }
        for rollout in rollouts {
            let excused = kind == Kind::Pod && self.is_excused(change);
            let memory = self.remember(&rollout, excused);
            found.extend(canary::problems(&self.scene, &rollout, &memory));
            if self.user.tells() {
                found.extend(traffic::problems(&self.scene, &rollout, &memory));
            }
            let Some(new) = &change.new else { continue };
            let is_own = kind == Kind::ReplicaSet && new.controller_uid() == Some(rollout.uid());
            if is_own {
                found.extend(canary::ahead((change.old.as_deref(), new), (&rollout, &memory)));
            }
            let Some(old) = &change.old else { continue };
            if is_own {
                let share = new.label(scene::HASH);
                let share = share.and_then(|hash| traffic::share(&self.scene, &rollout, hash));
                found.extend(canary::shrunk(share, (old, new), (&rollout, &memory)));
            }
            if kind == Kind::HttpRoute && self.user.tells() {
                found.extend(traffic::raised(&self.scene, (old, new), &rollout, &memory));
            }
        }
        found
    }

    /// Returns whether this change takes a ready pod away that the user deleted.
    fn is_excused(&self, change: &Change) -> bool {
        let served = |pod: &Object| !pod.is_deleting() && crate::answers::is_ready(pod);
        let was = change.old.as_ref().filter(|old| served(old) && self.excused.contains(old.uid()));
        was.is_some() && !change.new.as_deref().is_some_and(served)
    }

    /// Updates what is remembered of a Rollout and returns it.
    fn remember(&mut self, rollout: &Object, excused: bool) -> Memory {
        let (replicas, ready) = (replicas(rollout), self.scene.ready(rollout, None));
        // The phase of a routed canary counts old pods too, as upstream's: it is healthy before its own pods are ready.
        let current = self.scene.ready(rollout, Some(rollout.str(&["status", "currentPodHash"])));
        let whole = ready >= replicas && self.scene.is_whole(rollout);
        let memory = self.memories.entry(rollout.uid().to_owned()).or_default();
        if !memory.healthy {
            (memory.fewest, memory.most) = (replicas, replicas.max(memory.most));
        }
        (memory.fewest, memory.most) = (memory.fewest.min(replicas), memory.most.max(replicas));
        memory.excused += i64::from(excused);
        if whole {
            memory.excused = 0;
        }
        let observed = rollout.str(&["status", "observedGeneration"]) == rollout.generation().to_string();
        if observed && rollout.str(&["status", "phase"]) == "Healthy" && current >= replicas {
            *memory = Memory { healthy: true, fewest: replicas, most: replicas, excused: memory.excused };
        }
        *memory
    }

    fn made(&mut self, kind: Kind, change: &Change) -> Vec<String> {
        let Some(new) = &change.new else { return Vec::new() };
        let looks = change.old.is_none() && self.user.tells();
        let twice = if looks { self.made.take(kind, new, self.acts) } else { None };
        let owner = new.controller_uid().unwrap_or_default();
        let open: Vec<&Object> = self.scene.owned(kind, owner).map(AsRef::as_ref).collect();
        let is_rollouts = new.controller().is_some_and(|owner| owner.kind == "Rollout");
        let many = if is_rollouts { applications::open(kind, &open) } else { None };
        twice.into_iter().chain(many).collect()
    }
}
