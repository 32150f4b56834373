//! The ReplicaSet of the current template: made, adopted, numbered.

use std::collections::BTreeMap;

use object::{Gvk, Map, Object, Value, json};

use super::pass::{Pass, annotations};
use crate::sets::Set;
use crate::{Action, Event, affinity, keys, metadata};

/// Annotations of a Rollout that its ReplicaSets do not get.
const NOT_COPIED: [&str; 5] =
    [keys::LAST_APPLIED, keys::REVISION, keys::REVISION_HISTORY, keys::DESIRED_REPLICAS, keys::NOTIFIED];

/// Takes over ReplicaSets that match and have no controller.
pub(super) fn adopt(pass: &mut Pass) {
    let owner = json!(pass.rollout().object.controller_reference());
    let orphans = pass.sets.all.iter().filter(|set| set.object.controller_uid().is_none());
    let actions: Vec<Action> = orphans
        .filter(|set| !set.object.is_deleting())
        .map(|set| {
            let mut owners = set.object.items(&["metadata", "ownerReferences"]).to_vec();
            owners.push(owner.clone());
            let patch = json!({"metadata": {"uid": set.object.uid(), "ownerReferences": owners}});
            Action::AdoptReplicaSet { key: set.key(), patch }
        })
        .collect();
    pass.actions.extend(actions);
}

/// Makes the ReplicaSet of the current template, without pods.
pub(super) fn create(pass: &mut Pass) {
    let revision = pass.revision();
    let set = replica_set(pass, revision);
    let name = set.name().to_owned();
    pass.actions.push(Action::CreateReplicaSet(set));
    number_rollout(pass, revision);
    let message = format!("Created ReplicaSet {name} (revision {revision})");
    pass.events.push(Event::normal("NewReplicaSetCreated", message));
}

fn replica_set(pass: &Pass, revision: i64) -> Object {
    let (rollout, settings) = (pass.rollout(), pass.settings());
    let key = object::Key::new(rollout.namespace(), &format!("{}-{}", rollout.name(), pass.hash));
    let mut set = Object::new(&Gvk::new("apps", "v1", "ReplicaSet"), &key);
    let mut template = settings.template.clone();
    affinity::inject(&mut template, rollout, &pass.hash);
    let hash = Value::String(pass.hash.clone());
    object::pointer::set(map(&mut template), &["metadata", "labels", keys::HASH], hash.clone());
    let mut selector = settings.selector_json.clone();
    object::pointer::set(map(&mut selector), &["matchLabels", keys::HASH], hash);
    set.set(&["metadata", "labels"], template["metadata"]["labels"].clone());
    if let Some(instance) = rollout.object.label(keys::INSTANCE_ID) {
        set.set_label(keys::INSTANCE_ID, instance);
    }
    let mut notes = copied_annotations(pass);
    notes.insert(keys::REVISION.into(), revision.to_string());
    notes.insert(keys::DESIRED_REPLICAS.into(), settings.replicas.to_string());
    set.set(&["metadata", "annotations"], json!(notes));
    set.set(&["metadata", "ownerReferences"], json!([rollout.object.controller_reference()]));
    let mut spec = json!({"replicas": 0, "selector": selector, "template": template});
    if settings.min_ready_seconds > 0 {
        spec["minReadySeconds"] = json!(settings.min_ready_seconds);
    }
    set.set(&["spec"], spec);
    metadata::give(&mut set, &super::metadata::of_first_pods(pass));
    set
}

/// Returns the map in `value`, made when it is none.
fn map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made a map above"),
    }
}

fn copied_annotations(pass: &Pass) -> BTreeMap<String, String> {
    let mut all = pass.rollout().object.annotations();
    all.retain(|key, _| !NOT_COPIED.contains(&key.as_str()));
    all
}

/// Brings annotations and `minReadySeconds` of the new ReplicaSet up to date, and the revision of the Rollout.
pub(super) fn sync(pass: &mut Pass) {
    let Some(set) = pass.sets.new_set().cloned() else { return };
    let revision = pass.revision();
    let patch = sync_patch(pass, &set, revision);
    if !patch.is_empty() {
        pass.actions.push(Action::AnnotateReplicaSet { key: set.key(), patch: Value::Object(patch) });
    }
    number_rollout(pass, revision);
}

fn sync_patch(pass: &Pass, set: &Set, revision: i64) -> Map<String, Value> {
    let mut notes: Map<String, Value> = Map::new();
    for (key, value) in copied_annotations(pass) {
        if set.object.annotation(&key) != Some(value.as_str()) {
            notes.insert(key, json!(value));
        }
    }
    if set.revision != revision {
        notes.insert(keys::REVISION.into(), json!(revision.to_string()));
        if set.revision > 0 {
            let history = set.object.annotation(keys::REVISION_HISTORY).filter(|history| !history.is_empty());
            let history = history.map_or(String::new(), |history| format!("{history},"));
            notes.insert(keys::REVISION_HISTORY.into(), json!(format!("{history}{}", set.revision)));
        }
    }
    let mut patch = Map::new();
    if !notes.is_empty() {
        patch.insert("metadata".into(), json!({"annotations": notes}));
    }
    let held = set.object.get(&["spec", "template"]).cloned().unwrap_or_default();
    if let Some(affinity) = affinity::renewed(&held, &pass.settings().template, pass.rollout(), &set.hash) {
        patch.insert("spec".into(), json!({"template": {"spec": {"affinity": affinity}}}));
    }
    let ready = pass.settings().min_ready_seconds;
    if set.object.int(&["spec", "minReadySeconds"]).unwrap_or(0) != i64::from(ready) {
        let spec = patch.entry("spec").or_insert_with(|| json!({}));
        spec["minReadySeconds"] = json!(ready);
    }
    patch
}

fn number_rollout(pass: &mut Pass, revision: i64) {
    let revision = revision.to_string();
    if pass.rollout().object.annotation(keys::REVISION) != Some(revision.as_str()) {
        pass.actions.push(Action::PatchRollout { patch: annotations(&json!({keys::REVISION: revision})) });
        pass.events.push(Event::normal("RolloutUpdated", format!("Rollout updated to revision {revision}")));
    }
}
