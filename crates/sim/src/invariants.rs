//! What must hold after every change, whatever fails.
//!
//! - **availability floor:** once a Rollout was healthy, its ready pods never fall below `replicas − maxUnavailable`, where
//!   `replicas` is the smallest number asked for since.
//! - **surge ceiling:** the ReplicaSets of a canary without router never ask for more than `replicas + maxSurge` pods, where
//!   `replicas` is the largest number asked for since then.
//! - **weight not ahead of its step:** the new ReplicaSet of such a canary never asks for more pods than its current step
//!   gives it.
//! - **status follows steps:** the step index never goes past the number of steps.
//! - **one change in flight:** a running sync operation is never replaced by another, and a Rollout has at most one
//!   background analysis and one step analysis that run.
//! - **no lost write:** every write that a controller was told is done was shown by the store, an Application's history
//!   grows entry by entry, and no controller changes an Application's spec, which is its user's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use object::{LabelSelector, Object, Value};
use runtime::{Cache, Tasks, Watches, resources};

use crate::Acknowledged;
use crate::answers::is_ready;

mod applications;

/// Looks at every change and keeps what did not hold. Cheap to clone.
#[derive(Clone)]
pub struct Invariants {
    rollouts: Cache,
    sets: Cache,
    pods: Cache,
    runs: Cache,
    acknowledged: Acknowledged,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    broken: Vec<String>,
    /// Rollouts that were healthy at least once, by uid, with the fewest and the most pods asked for since.
    healthy: BTreeMap<String, (i64, i64)>,
    looks: u64,
    /// Changes of Applications' specs, by revision.
    specs: BTreeSet<u64>,
}

impl Invariants {
    /// Starts to look; ends with `tasks`.
    pub fn watch(watches: &Watches, acknowledged: &Acknowledged, tasks: &Tasks) -> Self {
        let invariants = Self {
            rollouts: watches.cache(&resources::ROLLOUTS),
            sets: watches.cache(&resources::REPLICA_SETS),
            pods: watches.cache(&resources::PODS),
            runs: watches.cache(&resources::ANALYSIS_RUNS),
            acknowledged: acknowledged.clone(),
            seen: Arc::default(),
        };
        invariants.follow(&watches.cache(&resources::APPLICATIONS), tasks);
        for cache in [&invariants.rollouts, &invariants.sets, &invariants.pods, &invariants.runs] {
            let (mut changes, invariants) = (cache.subscribe(), invariants.clone());
            tasks.spawn("invariants", async move {
                while changes.next().await.is_some() {
                    invariants.look();
                }
            });
        }
        invariants
    }

    fn follow(&self, applications: &Cache, tasks: &Tasks) {
        let (mut changes, invariants) = (applications.subscribe(), self.clone());
        tasks.spawn("invariants", async move {
            while let Some(change) = changes.next().await {
                let mut seen = invariants.lock();
                seen.looks += 1;
                seen.specs.extend(applications::spec_change(&change));
                let problems = applications::problems(&change).into_iter();
                seen.broken.extend(problems.map(|problem| format!("{}: {problem}", change.key)));
            }
        });
    }

    /// Returns what did not hold.
    pub fn broken(&self) -> Vec<String> {
        let seen = self.lock();
        let mut broken = seen.broken.clone();
        let lost = self.acknowledged.lost().into_iter();
        broken.extend(lost.map(|revision| format!("no lost write: revision {revision} was never shown")));
        let changed = seen.specs.iter().filter(|revision| self.acknowledged.was_told(**revision));
        broken.extend(changed.map(|revision| {
            format!("no lost write: revision {revision} by a controller changed the spec of an Application")
        }));
        broken
    }

    /// Returns how often was looked: a run that never looked proves nothing.
    pub fn looks(&self) -> u64 {
        self.lock().looks
    }

    fn look(&self) {
        for rollout in self.rollouts.list() {
            let problems = self.problems(&rollout);
            let mut seen = self.lock();
            seen.looks += 1;
            let replicas = rollout.int(&["spec", "replicas"]).unwrap_or(1);
            if let Some((fewest, most)) = seen.healthy.get_mut(rollout.uid()) {
                (*fewest, *most) = (replicas.min(*fewest), replicas.max(*most));
            }
            let observed = rollout.str(&["status", "observedGeneration"]) == rollout.generation().to_string();
            if observed && rollout.str(&["status", "phase"]) == "Healthy" {
                seen.healthy.insert(rollout.uid().to_owned(), (replicas, replicas));
            }
            for problem in problems {
                let text = format!("{}: {problem}", rollout.key());
                if seen.broken.last() != Some(&text) {
                    seen.broken.push(text);
                }
            }
        }
    }

    fn problems(&self, rollout: &Object) -> Vec<String> {
        let sets = self.sets.owned_by(rollout.uid());
        let replicas = rollout.int(&["spec", "replicas"]).unwrap_or(1);
        let canary = |field| rollout.get(&["spec", "strategy", "canary", field]);
        let healthy = self.lock().healthy.get(rollout.uid()).copied();
        let fewest = healthy.map(|(fewest, _)| fewest.min(replicas));
        let most = healthy.map_or(replicas, |(_, most)| most.max(replicas));
        let surge = count(canary("maxSurge"), most, Round::Up);
        let unavailable = count(canary("maxUnavailable"), fewest.unwrap_or(replicas), Round::Down);
        // An eviction for a restart takes one pod at least.
        let restarts = rollout.get(&["spec", "restartAt"]).is_some();
        let unavailable = if unavailable == 0 && (surge == 0 || restarts) { 1 } else { unavailable };
        let plain = is_plain_canary(rollout);
        let found = [
            fewest.and_then(|fewest| self.floor(rollout, fewest - unavailable)),
            if plain { ceiling(&sets, most + surge) } else { None },
            if plain { ahead(rollout, &sets, most) } else { None },
            index(rollout),
            applications::analyses(&self.runs, rollout),
        ];
        found.into_iter().flatten().collect()
    }

    fn floor(&self, rollout: &Object, floor: i64) -> Option<String> {
        let selector = LabelSelector::from_json(rollout.get(&["spec", "selector"])?).ok()?;
        let pods = self.pods.in_namespace(rollout.namespace());
        let mine =
            pods.iter().filter(|pod| selector.matches(&pod.labels()) && is_ready(pod) && !pod.is_deleting());
        let ready = i64::try_from(mine.count()).unwrap_or(i64::MAX);
        (ready < floor).then(|| format!("availability floor: {ready} ready pods, at least {floor} must be"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns true when numbers of pods are the shares of the traffic.
fn is_plain_canary(rollout: &Object) -> bool {
    let strategy = |path: &[&'static str]| rollout.get(path).is_some();
    strategy(&["spec", "strategy", "canary"]) && !strategy(&["spec", "strategy", "canary", "trafficRouting"])
}

fn size(set: &Object) -> i64 {
    set.int(&["spec", "replicas"]).unwrap_or(0)
}

fn ceiling(sets: &[Arc<Object>], ceiling: i64) -> Option<String> {
    let total: i64 = sets.iter().map(|set| size(set)).sum();
    (total > ceiling).then(|| format!("surge ceiling: {total} pods asked for, at most {ceiling} may be"))
}

fn index(rollout: &Object) -> Option<String> {
    let steps = rollout.items(&["spec", "strategy", "canary", "steps"]).len();
    let index = rollout.int(&["status", "currentStepIndex"])?;
    (index < 0 || index > i64::try_from(steps).unwrap_or(i64::MAX))
        .then(|| format!("status follows steps: index {index} of {steps}"))
}

/// The new ReplicaSet may have, at step weight w, the pods nearest to w per cent, which is at most one more than the
/// exact share. Looked at only while the status is about the current spec.
fn ahead(rollout: &Object, sets: &[Arc<Object>], replicas: i64) -> Option<String> {
    let status = |field: &'static str| rollout.str(&["status", field]);
    let (current, stable) = (status("currentPodHash"), status("stableRS"));
    let observed = status("observedGeneration") == rollout.generation().to_string();
    if !observed || stable.is_empty() || current == stable || rollout.flag(&["status", "promoteFull"]) {
        return None;
    }
    let steps = rollout.items(&["spec", "strategy", "canary", "steps"]);
    let index = usize::try_from(rollout.int(&["status", "currentStepIndex"])?).ok()?;
    if index >= steps.len() {
        return None;
    }
    let weight = steps[..=index].iter().rev().find_map(|step| step["setWeight"].as_i64()).unwrap_or(0);
    let set = sets.iter().find(|set| set.label("rollouts-pod-template-hash") == Some(current))?;
    let most = if weight == 0 { 0 } else { (replicas * weight + 99) / 100 + 1 };
    (size(set) > most).then(|| {
        format!("weight not ahead of its step: {} asks for {} pods at weight {weight}", set.name(), size(set))
    })
}

#[derive(Clone, Copy)]
enum Round {
    Up,
    Down,
}

/// Resolves a number or a percentage of `replicas`; 25 % when absent.
fn count(value: Option<&Value>, replicas: i64, round: Round) -> i64 {
    let percent = |percent: i64| match round {
        Round::Up => (replicas * percent + 99) / 100,
        Round::Down => replicas * percent / 100,
    };
    match value {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        Some(Value::String(text)) => text
            .trim_end_matches('%')
            .parse()
            .map_or(0, |number| if text.ends_with('%') { percent(number) } else { number }),
        _ => percent(25),
    }
}
