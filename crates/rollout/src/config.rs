//! ConfigMaps and Secrets as part of a version.
//!
//! With the annotation `slipway.dev/track-config: "true"` on a Rollout, each ConfigMap and Secret that its pod template
//! names is copied under a name that holds a hash of its content, and the template of a ReplicaSet names the copy. So a
//! changed content is another template: a new revision, which goes through the steps; the pods of the stable version keep
//! the old content, also those that start meanwhile; and going back to an old ReplicaSet's template (`undo`) goes back to
//! its content. Copies are immutable, owned by the Rollout, and deleted when no ReplicaSet names them any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::rollout::Rollout;
use object::{Gvk, Key, Object, Value, json};

use crate::{hash, keys};

/// Kind and name of what a template names.
type Name = (&'static str, String);

const CONFIG_MAP: &str = "ConfigMap";
const SECRET: &str = "Secret";
/// Secrets that are bound to something else.
const BOUND: &str = "kubernetes.io/service-account-token";

/// Returns true when the Rollout asks for it.
pub fn tracks_config(rollout: &Object) -> bool {
    rollout.annotation(keys::TRACK_CONFIG) == Some("true")
}

/// Returns `template` naming copies instead of what is in `config`, and the copies. What is not there, or is a copy
/// itself, is named as it was.
pub(crate) fn pin(rollout: &Rollout, template: &Value, config: &[Arc<Object>]) -> (Value, Vec<Object>) {
    let mut pinned = template.clone();
    let mut copies: BTreeMap<Name, Object> = BTreeMap::new();
    visit(&mut pinned, &mut |kind, name| {
        let original = config.iter().find(|object| object.kind() == kind && object.name() == name.as_str());
        let Some(original) = original.filter(|original| can_be_copied(original)) else { return };
        let copy = copy(rollout, original);
        copy.name().clone_into(name);
        copies.insert((kind, copy.name().to_owned()), copy);
    });
    (pinned, copies.into_values().collect())
}

fn can_be_copied(object: &Object) -> bool {
    object.annotation(keys::COPY_OF).is_none() && object.str(&["type"]) != BOUND && !object.is_deleting()
}

/// Returns the copy of `original`: the same content under a name that says which.
fn copy(rollout: &Rollout, original: &Object) -> Object {
    const CONTENT: [&str; 4] = ["data", "binaryData", "stringData", "type"];
    let mut content = json!({});
    for field in CONTENT {
        if let Some(value) = original.get(&[field]) {
            content[field] = value.clone();
        }
    }
    // Names of objects have at most 253 characters.
    let stem: String = original.name().chars().take(230).collect();
    let name = format!("{stem}-{}", hash::text(&content.to_string()));
    let mut copy = Object::new(&Gvk::new("", "v1", original.kind()), &Key::new(original.namespace(), &name));
    copy.set_annotation(keys::COPY_OF, original.name());
    copy.set_label(keys::COPY_FOR, rollout.name());
    copy.set(&["metadata", "ownerReferences"], json!([rollout.object.controller_reference()]));
    for field in CONTENT {
        if let Some(value) = content.get(field) {
            copy.set(&[field], value.clone());
        }
    }
    copy.set(&["immutable"], true);
    copy
}

/// Returns kind and name of what a pod template names and `known` lacks.
pub fn missing_config(template: &Value, known: &[Arc<Object>]) -> Vec<(&'static str, String)> {
    let is_known = |(kind, name): &Name| {
        known.iter().any(|object| object.kind() == *kind && object.name() == name.as_str())
    };
    named(template).into_iter().filter(|name| !is_known(name)).collect()
}

/// Returns what a template names.
pub(crate) fn named(template: &Value) -> Vec<Name> {
    let mut names = Vec::new();
    visit(&mut template.clone(), &mut |kind, name| names.push((kind, name.clone())));
    names
}

/// Calls `change` with each name of a ConfigMap or Secret in a template.
fn visit(template: &mut Value, change: &mut dyn FnMut(&'static str, &mut String)) {
    let Some(spec) = template.get_mut("spec") else { return };
    for volume in items(spec, "volumes") {
        source(volume.get_mut("configMap"), "name", CONFIG_MAP, change);
        source(volume.get_mut("secret"), "secretName", SECRET, change);
        let Some(projected) = volume.get_mut("projected") else { continue };
        for part in items(projected, "sources") {
            source(part.get_mut("configMap"), "name", CONFIG_MAP, change);
            source(part.get_mut("secret"), "name", SECRET, change);
        }
    }
    for list in ["initContainers", "containers"] {
        for container in items(spec, list) {
            for env in items(container, "env") {
                let Some(from) = env.get_mut("valueFrom") else { continue };
                source(from.get_mut("configMapKeyRef"), "name", CONFIG_MAP, change);
                source(from.get_mut("secretKeyRef"), "name", SECRET, change);
            }
            for from in items(container, "envFrom") {
                source(from.get_mut("configMapRef"), "name", CONFIG_MAP, change);
                source(from.get_mut("secretRef"), "name", SECRET, change);
            }
        }
    }
}

fn items<'a>(value: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

fn source(
    value: Option<&mut Value>,
    field: &str,
    kind: &'static str,
    change: &mut dyn FnMut(&'static str, &mut String),
) {
    if let Some(Value::String(name)) = value.and_then(|value| value.get_mut(field)) {
        change(kind, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_that_names_one() {
        let key = |name: &str| json!({"name": name, "key": "k"});
        let template = json!({"spec": {
            "volumes": [{"configMap": {"name": "a"}}, {"secret": {"secretName": "b"}}, {"emptyDir": {}},
                {"projected": {"sources": [{"configMap": {"name": "c"}}, {"secret": {"name": "d"}}]}}],
            "initContainers": [{"env": [{"valueFrom": {"configMapKeyRef": key("e")}}]}],
            "containers": [{"env": [{"valueFrom": {"secretKeyRef": key("f")}}, {"value": "x"}],
                "envFrom": [{"configMapRef": {"name": "g"}}, {"secretRef": {"name": "h"}}]}],
        }});
        let named: Vec<String> =
            named(&template).into_iter().map(|(kind, name)| format!("{kind} {name}")).collect();
        assert_eq!(
            named,
            [
                "ConfigMap a",
                "Secret b",
                "ConfigMap c",
                "Secret d",
                "ConfigMap e",
                "Secret f",
                "ConfigMap g",
                "Secret h"
            ]
        );
    }

    #[test]
    fn copies_are_named_by_content_and_not_copied_again() {
        let rollout = Rollout::from_object(&Object::from_value(json!({"metadata": {"name": "r"}}))).unwrap();
        let original = |text: &str| {
            Arc::new(Object::from_value(
                json!({"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n",
                "labels": {"x": text}}, "data": {"k": text}}),
            ))
        };
        let template = json!({"spec": {"containers": [{"envFrom": [{"configMapRef": {"name": "a"}}]}]}});
        let (first, copies) = pin(&rollout, &template, &[original("1")]);
        assert_eq!(copies.len(), 1);
        assert_eq!(
            (copies[0].get(&["data"]), copies[0].flag(&["immutable"])),
            (Some(&json!({"k": "1"})), true)
        );
        let (second, _) = pin(&rollout, &template, &[original("2")]);
        assert_ne!(first, second);
        assert_eq!(pin(&rollout, &template, &[original("1")]).0, first);
        let copy = Arc::new(copies[0].clone());
        assert_eq!(pin(&rollout, &first, &[original("2"), copy]), (first.clone(), Vec::new()));
        assert_eq!(missing_config(&template, &[]), [("ConfigMap", "a".to_owned())]);
        assert_eq!(missing_config(&template, &[original("1")]), []);
        assert_eq!(pin(&rollout, &template, &[]), (template, Vec::new()));
    }
}
