//! ReplicaSets and their pods.

use object::time::human_duration;
use object::{ConditionStatus, Object, Time};

use super::images::Tag;
use super::{Icon, PodInfo, Related, Row, is_owned, pod, revision};

const HASH: &str = "rollouts-pod-template-hash";
const DEADLINE: &str = "scale-down-deadline";
const TEMPLATE: &str = "experiment.argoproj.io/template-name";

/// What a ReplicaSet is for its Rollout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Traffic falls back to it.
    pub stable: bool,
    /// What it serves otherwise.
    pub role: Option<Role>,
    /// Which of the two services of a ping-pong canary points to it.
    pub side: Option<Side>,
}

/// What a ReplicaSet serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// New version of a canary.
    Canary,
    /// Behind the active service.
    Active,
    /// Behind the preview service.
    Preview,
}

/// Service of a ping-pong canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The ping service.
    Ping,
    /// The pong service.
    Pong,
}

/// What is shown of a ReplicaSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaSetInfo {
    /// Name, age and state.
    pub row: Row,
    /// Revision of the Rollout.
    pub revision: i64,
    /// What it is for the Rollout.
    pub place: Place,
    /// Template of the experiment that it runs.
    pub template: Option<String>,
    /// When it is scaled down: RFC 3339, or whatever stands there.
    pub scale_down: Option<String>,
    /// Pods that exist.
    pub replicas: i64,
    /// Pods that are available.
    pub available: i64,
    /// Images of its containers, then of its init containers.
    pub images: Vec<String>,
    /// Its pods by age.
    pub pods: Vec<PodInfo>,
}

impl ReplicaSetInfo {
    /// Returns true for the new version of a canary.
    pub fn is_canary(&self) -> bool {
        self.place.role == Some(Role::Canary)
    }

    /// Returns what it is for the Rollout in the order shown.
    pub fn tags(&self) -> Vec<Tag> {
        let role = self.place.role.map(|role| match role {
            Role::Canary => Tag::Canary,
            Role::Active => Tag::Active,
            Role::Preview => Tag::Preview,
        });
        let side = self.place.side.map(|side| match side {
            Side::Ping => Tag::Ping,
            Side::Pong => Tag::Pong,
        });
        self.place.stable.then_some(Tag::Stable).into_iter().chain(role).chain(side).collect()
    }

    /// Returns how long it stays, e.g. `9m51s` or `passed`; empty when the deadline is no time.
    pub fn delay(&self, now: Time) -> Option<String> {
        let deadline = self.scale_down.as_deref().filter(|text| !text.is_empty())?;
        Some(match Time::parse(deadline) {
            Ok(deadline) if deadline < now => "passed".into(),
            Ok(deadline) => human_duration(deadline.since(now)),
            Err(_) => String::new(),
        })
    }
}

/// Returns the ReplicaSets that `owner` owns, newest revision first; `rollout` tells what they are for.
pub(super) fn of_owner(owner: &str, rollout: Option<&Object>, related: &Related) -> Vec<ReplicaSetInfo> {
    let mut sets: Vec<ReplicaSetInfo> = related
        .replica_sets
        .iter()
        .filter(|set| is_owned(set, owner))
        .map(|set| info(set, rollout, related))
        .collect();
    sets.sort_by(|a, b| b.revision.cmp(&a.revision).then_with(|| a.row.name.cmp(&b.row.name)));
    sets
}

fn info(set: &Object, rollout: Option<&Object>, related: &Related) -> ReplicaSetInfo {
    let (status, icon) = health(set);
    let mut pods: Vec<PodInfo> =
        related.pods.iter().filter(|pod| is_owned(pod, set.uid())).map(|pod| pod::pod_info(pod)).collect();
    pods.sort_by(|a, b| (a.row.created, &a.row.name).cmp(&(b.row.created, &b.row.name)));
    ReplicaSetInfo {
        row: Row::of(set, status, icon),
        revision: revision(set),
        place: rollout.map(|rollout| place(set, rollout)).unwrap_or_default(),
        template: set.annotation(TEMPLATE).map(str::to_owned),
        scale_down: set.annotation(DEADLINE).map(str::to_owned),
        replicas: set.int(&["status", "replicas"]).unwrap_or_default(),
        available: set.int(&["status", "availableReplicas"]).unwrap_or_default(),
        images: images(set),
        pods,
    }
}

fn images(set: &Object) -> Vec<String> {
    ["containers", "initContainers"]
        .iter()
        .flat_map(|list| set.items(&["spec", "template", "spec", list]))
        .filter_map(|container| container["image"].as_str().map(str::to_owned))
        .collect()
}

/// Returns the state of a ReplicaSet. Source: `info.getReplicaSetHealth`.
fn health(set: &Object) -> (&'static str, Icon) {
    let wanted = set.int(&["spec", "replicas"]);
    if set.generation() > set.int(&["status", "observedGeneration"]).unwrap_or_default() {
        return ("Progressing", Icon::Progressing);
    }
    if set.condition("ReplicaFailure").is_some_and(|condition| condition.status == ConditionStatus::True) {
        return ("ReplicaFailure", Icon::Bad);
    }
    let available = set.int(&["status", "availableReplicas"]).unwrap_or_default();
    match wanted {
        Some(wanted) if available < wanted => ("Progressing", Icon::Progressing),
        Some(0) => ("ScaledDown", Icon::Neutral),
        _ => ("Healthy", Icon::Ok),
    }
}

fn place(set: &Object, rollout: &Object) -> Place {
    let hash = set.label(HASH).unwrap_or_default();
    let is = |path: &[&str]| !hash.is_empty() && rollout.str(path) == hash;
    let stable = is(&["status", "stableRS"]);
    if rollout.get(&["spec", "strategy", "blueGreen"]).is_some() {
        let role = match () {
            () if is(&["status", "blueGreen", "activeSelector"]) => Some(Role::Active),
            () if is(&["status", "blueGreen", "previewSelector"]) => Some(Role::Preview),
            () => None,
        };
        return Place { stable, role, side: None };
    }
    let canary = !stable && is(&["status", "currentPodHash"]);
    let side = if stable || canary { side(rollout, stable) } else { None };
    Place { stable, role: canary.then_some(Role::Canary), side }
}

/// Returns which service of a ping-pong canary points to the stable (or else to the new) version.
fn side(rollout: &Object, stable: bool) -> Option<Side> {
    rollout.get(&["spec", "strategy", "canary", "pingPong"])?;
    let stable_is_ping = rollout.str(&["status", "canary", "stablePingPong"]) == "ping";
    Some(if stable == stable_is_ping { Side::Ping } else { Side::Pong })
}
