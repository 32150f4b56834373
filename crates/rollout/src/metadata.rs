//! Labels and annotations that pods carry while they have a role.
//!
//! What a ReplicaSet was given is remembered in an annotation, so that it can be taken away again. Source: Argo Rollouts
//! `utils/replicaset.SyncReplicaSetEphemeralPodMetadata`.

use std::collections::BTreeMap;

use api::rollout::PodTemplateMetadata;
use object::{Map, Object, Value, json};

use crate::keys;

/// Returns what a ReplicaSet's pods were given.
pub(crate) fn held(set: &Object) -> PodTemplateMetadata {
    let text = set.annotation(keys::EPHEMERAL_METADATA).unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

/// Returns the text under which `metadata` is remembered, as upstream writes it; `None` for nothing.
fn text(metadata: &PodTemplateMetadata) -> Option<String> {
    let nothing = *metadata == PodTemplateMetadata::default();
    serde_json::to_string(metadata).ok().filter(|_| !nothing)
}

/// Gives `wanted` to a new ReplicaSet.
pub(crate) fn give(set: &mut Object, wanted: &PodTemplateMetadata) {
    let Some(text) = text(wanted) else { return };
    for (field, entries) in [("labels", &wanted.labels), ("annotations", &wanted.annotations)] {
        for (key, value) in entries {
            set.set(&["spec", "template", "metadata", field, key], value.as_str());
        }
    }
    set.set_annotation(keys::EPHEMERAL_METADATA, &text);
}

/// Takes from a ReplicaSet's template what it was given.
pub(crate) fn strip(template: &mut Value, set: &Object) {
    let held = held(set);
    for (field, entries) in [("labels", &held.labels), ("annotations", &held.annotations)] {
        let Some(map) = template.pointer_mut(&format!("/metadata/{field}")).and_then(Value::as_object_mut)
        else {
            continue;
        };
        for key in entries.keys() {
            map.remove(key);
        }
        if map.is_empty()
            && let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.remove(field);
        }
    }
}

/// Returns the merge patch that gives a ReplicaSet `wanted` instead of what it was given; `None` when it has it.
pub(crate) fn patch(set: &Object, wanted: &PodTemplateMetadata) -> Option<Value> {
    let template = set.get(&["spec", "template", "metadata"]).cloned().unwrap_or_else(|| json!({}));
    let change = change(&template, &held(set), wanted)?;
    let note = text(wanted).map_or(Value::Null, Value::String);
    Some(json!({
        "metadata": {"annotations": {keys::EPHEMERAL_METADATA: note}},
        "spec": {"template": {"metadata": change}},
    }))
}

/// Returns the merge patch of a pod of a ReplicaSet that is to have `wanted`; `None` when it has it.
pub(crate) fn pod_patch(pod: &Object, set: &Object, wanted: &PodTemplateMetadata) -> Option<Value> {
    let metadata = pod.get(&["metadata"])?;
    change(metadata, &held(set), wanted).map(|change| json!({"metadata": change}))
}

fn change(metadata: &Value, held: &PodTemplateMetadata, wanted: &PodTemplateMetadata) -> Option<Value> {
    let mut patch = Map::new();
    for (field, held, wanted) in
        [("labels", &held.labels, &wanted.labels), ("annotations", &held.annotations, &wanted.annotations)]
    {
        let entries = entries(metadata.get(field), held, wanted);
        if !entries.is_empty() {
            patch.insert(field.to_owned(), Value::Object(entries));
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

fn entries(
    current: Option<&Value>,
    held: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> Map<String, Value> {
    let current = |key: &str| current.and_then(|current| current.get(key)).and_then(Value::as_str);
    let gone = held.keys().filter(|key| !wanted.contains_key(*key) && current(key).is_some());
    let mut entries: Map<String, Value> = gone.map(|key| (key.clone(), Value::Null)).collect();
    for (key, value) in wanted {
        if current(key) != Some(value) {
            entries.insert(key.clone(), json!(value));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(value: Value) -> PodTemplateMetadata {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn given_changed_and_taken_away() {
        let template = json!({"metadata": {"labels": {"app": "a"}}});
        let mut set = Object::from_value(json!({"spec": {"template": template}}));
        let canary = metadata(json!({"labels": {"role": "canary"}, "annotations": {"note": "x"}}));
        give(&mut set, &canary);
        let kept = r#"{"labels":{"role":"canary"},"annotations":{"note":"x"}}"#;
        assert_eq!(set.annotation(keys::EPHEMERAL_METADATA), Some(kept));
        assert_eq!(patch(&set, &canary), None);
        let stable = metadata(json!({"labels": {"role": "stable"}}));
        assert_eq!(
            patch(&set, &stable),
            Some(json!({
                "metadata": {"annotations": {keys::EPHEMERAL_METADATA: r#"{"labels":{"role":"stable"}}"#}},
                "spec": {"template": {"metadata": {"labels": {"role": "stable"}, "annotations": {"note": null}}}},
            }))
        );
        let none = PodTemplateMetadata::default();
        let pod = Object::from_value(json!({"metadata": {"labels": {"app": "a", "role": "canary"}}}));
        assert_eq!(pod_patch(&pod, &set, &none), Some(json!({"metadata": {"labels": {"role": null}}})));
        let mut stripped = set.get(&["spec", "template"]).unwrap().clone();
        strip(&mut stripped, &set);
        assert_eq!(stripped, template);
    }

    #[test]
    fn what_was_never_given_is_left_alone() {
        let set =
            Object::from_value(json!({"spec": {"template": {"metadata": {"labels": {"role": "own"}}}}}));
        assert_eq!(patch(&set, &PodTemplateMetadata::default()), None);
    }
}
