//! What a pass does to a Deployment. Pure.

use std::sync::Arc;

use object::{Object, Time, Value, json};

use super::model::{DESIRED, Deployment, HISTORY, MAX, REVISION, Set};
use super::{rolling, scale, status, template};

/// A write.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// Set the revision annotation of the Deployment.
    Revision(String),
    /// Create the new ReplicaSet.
    Create(Object),
    /// Replace a ReplicaSet; with the message of the event when it is scaled.
    Update { set: Object, event: Option<String> },
    /// Delete an old ReplicaSet.
    Delete(Arc<Object>),
}

/// What a pass does.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub actions: Vec<Action>,
    pub status: Value,
    /// When the progress deadline is over.
    pub wake: Option<Time>,
}

/// Returns the plan: one kind of change, and the status of what is there now. `old_pods` are the uids of ReplicaSets
/// with pods that still run.
///
/// Source: `pkg/controller/deployment`: `syncDeployment`, `rolloutRolling`, `rolloutRecreate`, `sync`.
pub(super) fn plan(deployment: &Deployment<'_>, old_pods: &[String], now: Time) -> Plan {
    let status = status::status(deployment, now);
    let actions = if deployment.object.is_deleting() { Vec::new() } else { actions(deployment, old_pods) };
    let wake = status::wake(deployment, &status, now);
    Plan { actions, status, wake }
}

fn actions(deployment: &Deployment<'_>, old_pods: &[String]) -> Vec<Action> {
    let revision = revise(deployment);
    if deployment.paused || scale::is_due(deployment) {
        let mut actions = scale::actions(deployment);
        if deployment.paused && actions.is_empty() {
            actions = cleanup(deployment);
        }
        return if revision.is_empty() || deployment.new.is_none() { actions } else { revision };
    }
    if !revision.is_empty() {
        return revision;
    }
    if deployment.recreate { recreate(deployment, old_pods) } else { roll(deployment) }
}

fn roll(deployment: &Deployment<'_>) -> Vec<Action> {
    let Some(new) = &deployment.new else {
        return vec![create(deployment, rolling::new_replicas(deployment))];
    };
    let wanted = rolling::new_replicas(deployment);
    if wanted != new.replicas {
        return vec![scaled(deployment, new, wanted)];
    }
    let down = rolling::scale_down(deployment, new);
    if down.is_empty() { finish(deployment) } else { down }
}

fn recreate(deployment: &Deployment<'_>, old_pods: &[String]) -> Vec<Action> {
    let active: Vec<&Set> = deployment.old.iter().filter(|set| set.replicas > 0).collect();
    if !active.is_empty() {
        return active.into_iter().map(|set| scaled(deployment, set, 0)).collect();
    }
    if deployment.old.iter().any(|set| old_pods.iter().any(|uid| uid == set.object.uid())) {
        return Vec::new();
    }
    match &deployment.new {
        None => vec![create(deployment, deployment.replicas)],
        Some(new) if new.replicas != deployment.replicas => {
            vec![scaled(deployment, new, deployment.replicas)]
        }
        Some(_) => finish(deployment),
    }
}

fn finish(deployment: &Deployment<'_>) -> Vec<Action> {
    if status::is_complete(deployment) { cleanup(deployment) } else { Vec::new() }
}

/// Brings the revision of the new ReplicaSet above all others, its minReadySeconds up to date, and both to the
/// Deployment. Source: `SetNewReplicaSetAnnotations`, `getNewReplicaSet`.
fn revise(deployment: &Deployment<'_>) -> Vec<Action> {
    let Some(new) = &deployment.new else { return Vec::new() };
    let mut set = (*new.object).clone();
    let next = next_revision(deployment);
    if new.revision() < next {
        if new.revision() > 0 {
            let history: Vec<&str> =
                new.object.annotation(HISTORY).into_iter().filter(|text| !text.is_empty()).collect();
            let history =
                [history, vec![new.object.annotation(REVISION).unwrap_or_default()]].concat().join(",");
            set.set_annotation(HISTORY, &history);
        }
        set.set_annotation(REVISION, &next.to_string());
    }
    for (key, value) in copied_annotations(deployment.object) {
        set.set_annotation(&key, &value);
    }
    let min_ready = deployment.object.int(&["spec", "minReadySeconds"]).unwrap_or_default();
    if set.int(&["spec", "minReadySeconds"]).unwrap_or_default() != min_ready {
        set.set(&["spec", "minReadySeconds"], min_ready);
    }
    if set != *new.object {
        return vec![Action::Update { set, event: None }];
    }
    let shown = new.object.annotation(REVISION).unwrap_or_default();
    if deployment.object.annotation(REVISION) == Some(shown) {
        Vec::new()
    } else {
        vec![Action::Revision(shown.to_owned())]
    }
}

fn next_revision(deployment: &Deployment<'_>) -> i64 {
    deployment.old.iter().map(Set::revision).max().unwrap_or_default() + 1
}

/// Annotations that a ReplicaSet takes over from its Deployment. Source: `skipCopyAnnotation`.
fn copied_annotations(object: &Object) -> Vec<(String, String)> {
    let skipped = [
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        HISTORY,
        DESIRED,
        MAX,
        "deprecated.deployment.rollback.to",
    ];
    object.annotations().into_iter().filter(|(key, _)| !skipped.contains(&key.as_str())).collect()
}

fn create(deployment: &Deployment<'_>, replicas: i64) -> Action {
    let object = deployment.object;
    let hash = template::hash(object, object.int(&["status", "collisionCount"]).unwrap_or_default());
    let mut spec_template = object.get(&["spec", "template"]).cloned().unwrap_or_default();
    spec_template["metadata"]["labels"][template::HASH] = hash.as_str().into();
    let mut selector = object.get(&["spec", "selector"]).cloned().unwrap_or_default();
    selector["matchLabels"][template::HASH] = hash.as_str().into();
    let mut set = Object::from_value(json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{}-{hash}", object.name()), "namespace": object.namespace(),
            "labels": spec_template["metadata"]["labels"], "ownerReferences": [object.controller_reference()]
        },
        "spec": {"replicas": replicas, "selector": selector, "template": spec_template}
    }));
    if let Some(seconds) = object.int(&["spec", "minReadySeconds"]).filter(|seconds| *seconds > 0) {
        set.set(&["spec", "minReadySeconds"], seconds);
    }
    for (key, value) in copied_annotations(object) {
        set.set_annotation(&key, &value);
    }
    set.set_annotation(REVISION, &next_revision(deployment).to_string());
    annotate(deployment, &mut set);
    Action::Create(set)
}

fn annotate(deployment: &Deployment<'_>, set: &mut Object) {
    set.set_annotation(DESIRED, &deployment.replicas.to_string());
    set.set_annotation(MAX, &(deployment.replicas + deployment.surge).to_string());
}

/// Returns the scaling of a ReplicaSet, with its event.
pub(super) fn scaled(deployment: &Deployment<'_>, set: &Set, replicas: i64) -> Action {
    let mut object = (*set.object).clone();
    object.set(&["spec", "replicas"], replicas);
    annotate(deployment, &mut object);
    let direction = if replicas > set.replicas { "up" } else { "down" };
    let event = (replicas != set.replicas).then(|| {
        format!("Scaled {direction} replica set {} from {} to {replicas}", object.name(), set.replicas)
    });
    Action::Update { set: object, event }
}

/// Returns the deletion of old ReplicaSets beyond the history limit. Source: `cleanupDeployment`.
fn cleanup(deployment: &Deployment<'_>) -> Vec<Action> {
    let Some(limit) = deployment.history.and_then(|limit| usize::try_from(limit).ok()) else {
        return Vec::new();
    };
    let mut alive: Vec<&Set> = deployment.old.iter().filter(|set| !set.object.is_deleting()).collect();
    alive.sort_by_key(|set| set.revision());
    let surplus = alive.len().saturating_sub(limit);
    let idle = |set: &&&Set| {
        let observed = set.object.int(&["status", "observedGeneration"]).unwrap_or_default();
        set.replicas == 0 && set.count("replicas") == 0 && set.object.generation() <= observed
    };
    alive[..surplus].iter().filter(idle).map(|set| Action::Delete(set.object.clone())).collect()
}

#[cfg(test)]
mod tests;
