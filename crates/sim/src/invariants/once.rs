//! What must happen once: objects of one revision, and what Events tell.

use std::collections::{BTreeMap, BTreeSet};

use object::{Object, Value};
use runtime::Change;

use super::scene::{HASH, Kind, Scene};
use super::traffic;

/// Returns what the creation of an object breaks: a Rollout never has two ReplicaSets of the same template.
pub(super) fn twin(scene: &Scene, set: &Object) -> Option<String> {
    let owner = set.controller_uid()?;
    let mut sets = scene.owned(Kind::ReplicaSet, owner).filter(|other| other.name() != set.name());
    let same = sets.find(|other| template(other) == template(set))?;
    Some(format!(
        "nothing created twice: ReplicaSets {} and {} have the same template",
        same.name(),
        set.name()
    ))
}

/// Returns the template without the hash that the controller put into it.
fn template(set: &Object) -> Option<Value> {
    let mut template = set.get(&["spec", "template"])?.clone();
    template["metadata"]["labels"].as_object_mut()?.remove(HASH);
    Some(template)
}

/// Which AnalysisRuns and Experiments were made for what.
#[derive(Debug, Default)]
pub(super) struct Made {
    by_step: BTreeMap<(Kind, Vec<String>), (u64, String)>,
    /// Names that a Rollout's status has told of.
    named: BTreeSet<String>,
}

impl Made {
    /// Takes down the runs and the Experiment that a Rollout's status tells of.
    pub fn name(&mut self, rollout: &Object) {
        let run = |strategy: &'static str, field: &'static str| {
            rollout.str(&["status", strategy, field, "name"]).to_owned()
        };
        let names = [
            run("canary", "currentStepAnalysisRunStatus"),
            run("canary", "currentBackgroundAnalysisRunStatus"),
            run("blueGreen", "prePromotionAnalysisRunStatus"),
            run("blueGreen", "postPromotionAnalysisRunStatus"),
            rollout.str(&["status", "canary", "currentExperiment"]).to_owned(),
        ];
        self.named.extend(names.into_iter().filter(|name| !name.is_empty()));
    }

    /// Takes down that a run or an Experiment was made; `acts` is how often the user has acted so far.
    ///
    /// Returns what that breaks: once the status tells of one, none is made for the same revision and step again without an
    /// act of the user.
    pub fn take(&mut self, kind: Kind, made: &Object, acts: u64) -> Option<String> {
        let owner = made.controller().filter(|owner| owner.kind == "Rollout")?;
        let part = |label: &str| made.label(label).unwrap_or_default().to_owned();
        let step = match kind {
            // its name ends in the step, and in a number when the name was taken
            Kind::Experiment => made.name().split('-').nth(3).unwrap_or_default().to_owned(),
            _ => part("step-index"),
        };
        let revision = made.annotation("rollout.argoproj.io/revision").unwrap_or_default().to_owned();
        let what = vec![owner.uid.clone(), part(HASH), revision, part("rollout-type"), step];
        let name = made.name().to_owned();
        let (before, twin) = self.by_step.insert((kind, what), (acts, name.clone()))?;
        (before == acts && self.named.contains(&twin))
            .then(|| format!("nothing created twice: {twin} and {name} are for the same step"))
    }
}

/// How often things happened, and how often Events told them.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<String, (u64, BTreeMap<String, u64>)>);

impl Told {
    /// Takes down what a change did that an Event tells of.
    pub fn happened(&mut self, kind: Kind, change: &Change) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let text = match (kind, old, new) {
            (Kind::Service, Some(old), Some(new)) if traffic::hash(old) != traffic::hash(new) => {
                format!("Switched selector for service '{}' to '{}'", new.name(), traffic::hash(new))
            }
            (Kind::ReplicaSet, None, Some(new)) => {
                // One that is made at its size is told as one that is scaled.
                let size = new.int(&["spec", "replicas"]).unwrap_or(0);
                self.0.entry(format!("ReplicaSet {} from 0 to {size}", new.name())).or_default().0 += 1;
                format!("Created ReplicaSet {}", new.name())
            }
            (Kind::ReplicaSet, Some(old), Some(new)) => {
                let size = |set: &Object| set.int(&["spec", "replicas"]).unwrap_or(0);
                if size(old) == size(new) {
                    return;
                }
                format!("ReplicaSet {} from {} to {}", new.name(), size(old), size(new))
            }
            (Kind::Rollout, Some(old), Some(new)) => {
                let stable = |rollout: &Object| rollout.str(&["status", "stableRS"]).to_owned();
                if stable(old) == stable(new) {
                    return;
                }
                format!("Rollout completed update to {}", stable(new))
            }
            _ => return,
        };
        self.0.entry(text).or_default().0 += 1;
    }

    /// Takes down an Event as it is now.
    pub fn event(&mut self, event: &Object) {
        if event.str(&["involvedObject", "kind"]) != "Rollout" {
            return;
        }
        let message = event.str(&["message"]);
        let text = match event.str(&["reason"]) {
            "SwitchService" => switched(message),
            "NewReplicaSetCreated" => message.split_once(" (").map_or(message, |(start, _)| start).to_owned(),
            "ScalingReplicaSet" => scaled(message),
            "RolloutCompleted" => completed(message),
            _ => return,
        };
        let count = event.int(&["count"]).and_then(|count| u64::try_from(count).ok()).unwrap_or(1);
        self.0.entry(text).or_default().1.insert(event.name().to_owned(), count);
    }

    /// Returns what was told more often than it happened.
    pub fn doubled(&self) -> Vec<String> {
        let told = |events: &BTreeMap<String, u64>| events.values().sum::<u64>();
        let doubled = self.0.iter().filter(|(_, (happened, events))| told(events) > *happened);
        let text = |(what, (happened, events)): (&String, &(u64, BTreeMap<String, u64>))| {
            format!("events not doubled: \"{what}\" happened {happened} times, was told {}", told(events))
        };
        doubled.map(text).collect()
    }
}

/// `Switched selector for service 'live' from 'a' to 'b'` without what it was before: its user may have applied it again
/// since the controller looked.
fn switched(message: &str) -> String {
    let start = message.split_once(" from ").map_or(message, |(start, _)| start);
    let to = message.rsplit_once(" to ").map(|(_, to)| to).unwrap_or_default();
    format!("{start} to {to}")
}

/// `Scaled up ReplicaSet r-1 (revision 1) from 0 to 5` without direction and revision.
fn scaled(message: &str) -> String {
    let start = message.split_once("ReplicaSet ").map_or(message, |(_, rest)| rest);
    let name = start.split(' ').next().unwrap_or_default();
    let sizes = message.rsplit_once(" from ").map(|(_, sizes)| sizes).unwrap_or_default();
    format!("ReplicaSet {name} from {sizes}")
}

/// `Rollout completed update to revision 2 (abc): why` without revision and reason.
fn completed(message: &str) -> String {
    let hash = message.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(hash, _)| hash);
    format!("Rollout completed update to {}", hash.unwrap_or_default())
}
