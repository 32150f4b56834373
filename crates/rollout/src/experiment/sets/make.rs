//! The objects of a template.

use api::experiment::{Experiment, ExperimentTemplate, TemplateService};
use object::{Gvk, Key, Object, Value, json};

use super::TEMPLATE_NAME;
use crate::{hash, keys};

/// Returns the ReplicaSet of a template, without pods yet.
///
/// Errors: the template cannot be read as one of pods.
pub(super) fn replica_set(
    experiment: &Experiment,
    template: &ExperimentTemplate,
    collisions: Option<i32>,
) -> Result<Object, String> {
    let mut pods = template.template.clone().unwrap_or_else(|| json!({}));
    if let Some(labels) = pods.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(keys::HASH);
    }
    let hash = hash::pod_template(&pods, collisions).map_err(|error| error.to_string())?;
    let mut set =
        owned(experiment, template, (&Gvk::new("apps", "v1", "ReplicaSet"), &name(experiment, template)));
    if !pods["metadata"].is_object() {
        pods["metadata"] = json!({});
    }
    if !pods["metadata"]["labels"].is_object() {
        pods["metadata"]["labels"] = json!({});
    }
    pods["metadata"]["labels"][keys::HASH] = hash.as_str().into();
    let mut selector = template.selector.clone().unwrap_or_else(|| json!({}));
    if !selector["matchLabels"].is_object() {
        selector["matchLabels"] = json!({});
    }
    selector["matchLabels"][keys::HASH] = hash.as_str().into();
    set.set(&["metadata", "labels"], pods["metadata"]["labels"].clone());
    set.set(&["spec", "replicas"], 0);
    if let Some(seconds) = template.min_ready_seconds.filter(|seconds| *seconds != 0) {
        set.set(&["spec", "minReadySeconds"], seconds);
    }
    set.set(&["spec", "selector"], selector);
    set.set(&["spec", "template"], pods);
    Ok(set)
}

/// Returns the name of a template's ReplicaSet.
fn name(experiment: &Experiment, template: &ExperimentTemplate) -> String {
    format!("{}-{}", experiment.object.name(), template.name)
}

/// Returns the Service of a set: one port for each port of its containers; `None` when they have none.
pub(super) fn service(
    experiment: &Experiment,
    template: &ExperimentTemplate,
    asked: &TemplateService,
    set: &Object,
) -> Option<Object> {
    let containers = set.items(&["spec", "template", "spec", "containers"]).iter();
    let ports: Vec<Value> = containers
        .flat_map(|container| container["ports"].as_array().into_iter().flatten())
        .map(port)
        .collect();
    if ports.is_empty() {
        return None;
    }
    let name = if asked.name.is_empty() { set.name() } else { &asked.name };
    let mut service = owned(experiment, template, (&Gvk::new("", "v1", "Service"), name));
    service.set(&["spec", "selector"], json!(set.labels()));
    service.set(&["spec", "ports"], ports);
    Some(service)
}

fn port(port: &Value) -> Value {
    let number = &port["containerPort"];
    let protocol = port["protocol"].as_str().unwrap_or("TCP");
    let mut service = json!({"port": number, "targetPort": number, "protocol": protocol});
    if let Some(name) = port["name"].as_str().filter(|name| !name.is_empty()) {
        service["name"] = name.into();
    }
    service
}

/// Returns an object that belongs to the Experiment and says for which template it is.
fn owned(experiment: &Experiment, template: &ExperimentTemplate, (gvk, name): (&Gvk, &str)) -> Object {
    let owner = &experiment.object;
    let mut object = Object::new(gvk, &Key::new(owner.namespace(), name));
    object.set_annotation(keys::EXPERIMENT_NAME, owner.name());
    object.set_annotation(TEMPLATE_NAME, &template.name);
    object.set(&["metadata", "ownerReferences"], json!([owner.controller_reference()]));
    object
}
