//! The EndpointSlices of a Service.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::{Object, Value, json};

use super::{Edit, MANAGED_BY};
use crate::pod;

/// Endpoints in one slice, as upstream's default.
const MAX: usize = 100;

/// The part of a slice that follows from the Service and its pods.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content {
    pub ports: Vec<Value>,
    pub endpoints: Vec<Value>,
}

/// Returns the wanted slices: one for each set of port numbers that pods resolve to, of up to 100 endpoints.
///
/// Source: `endpointslice/utils.go`, `podToEndpoint`.
pub(super) fn wanted(service: &Object, pods: &[Arc<Object>]) -> Vec<Content> {
    let mut groups: BTreeMap<String, Content> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| !pod.str(&["status", "podIP"]).is_empty() && !pod::is_finished(pod)) {
        let ports = ports(service, pod);
        let group = groups
            .entry(json!(ports).to_string())
            .or_insert_with(|| Content { ports, endpoints: Vec::new() });
        group.endpoints.push(endpoint(service, pod));
    }
    let cut = |content: Content| {
        let chunks: Vec<Vec<Value>> = content.endpoints.chunks(MAX).map(<[Value]>::to_vec).collect();
        chunks.into_iter().map(move |endpoints| Content { ports: content.ports.clone(), endpoints })
    };
    let mut contents: Vec<Content> = groups.into_values().flat_map(cut).collect();
    if contents.is_empty() {
        contents.push(Content { ports: Vec::new(), endpoints: Vec::new() });
    }
    contents
}

fn endpoint(service: &Object, pod: &Object) -> Value {
    let (serving, terminating) = (pod::is_ready(pod), pod.is_deleting());
    let ready = service.flag(&["spec", "publishNotReadyAddresses"]) || serving && !terminating;
    let mut endpoint = json!({
        "addresses": [pod.str(&["status", "podIP"])],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": {"kind": "Pod", "namespace": pod.namespace(), "name": pod.name(), "uid": pod.uid()}
    });
    if !pod.str(&["spec", "nodeName"]).is_empty() {
        endpoint["nodeName"] = pod.str(&["spec", "nodeName"]).into();
    }
    endpoint
}

/// Returns the Service's ports as this pod resolves them; a named port that the pod lacks is left out.
pub(super) fn ports(service: &Object, pod: &Object) -> Vec<Value> {
    let ports = service.items(&["spec", "ports"]).iter();
    ports
        .filter_map(|port| {
            let number = target_port(port, pod)?;
            let mut resolved = json!({
                "name": port["name"].as_str().unwrap_or_default(),
                "port": number,
                "protocol": port["protocol"].as_str().unwrap_or("TCP")
            });
            if let Some(protocol) = port["appProtocol"].as_str() {
                resolved["appProtocol"] = protocol.into();
            }
            Some(resolved)
        })
        .collect()
}

/// Returns the number of the port behind a Service port. Source: `podutil.FindPort`.
fn target_port(port: &Value, pod: &Object) -> Option<i64> {
    match &port["targetPort"] {
        Value::Number(number) if number.as_i64() != Some(0) => number.as_i64(),
        Value::String(name) if !name.is_empty() => {
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            let containers = pod.items(&["spec", "containers"]).iter();
            let mut ports =
                containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
            ports
                .find(|port| {
                    port["name"] == name.as_str() && port["protocol"].as_str().unwrap_or("TCP") == protocol
                })
                .and_then(|port| port["containerPort"].as_i64())
        }
        _ => port["port"].as_i64(),
    }
}

/// Returns the writes that make `existing` the `wanted` slices; a slice that is right is left alone.
pub(super) fn changes(service: &Object, wanted: &[Content], existing: &[Arc<Object>]) -> Vec<Edit> {
    let existing: Vec<&Arc<Object>> = existing.iter().filter(|slice| !slice.is_deleting()).collect();
    let mut free: Vec<&Arc<Object>> = existing
        .iter()
        .copied()
        .filter(|slice| !wanted.iter().any(|content| same(service, slice, content)))
        .collect();
    let mut edits = Vec::new();
    for content in wanted.iter().filter(|content| !existing.iter().any(|slice| same(service, slice, content)))
    {
        edits.push(match free.pop() {
            Some(slice) => Edit::Replace(filled((**slice).clone(), service, content)),
            None => Edit::Create(filled(fresh(service), service, content)),
        });
    }
    edits.extend(free.into_iter().map(|slice| Edit::Delete(slice.clone())));
    edits
}

fn same(service: &Object, slice: &Object, content: &Content) -> bool {
    slice.items(&["endpoints"]) == content.endpoints
        && slice.items(&["ports"]) == content.ports
        && labels(service).iter().all(|(key, value)| slice.label(key) == Some(value))
}

fn fresh(service: &Object) -> Object {
    Object::from_value(json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "generateName": format!("{}-", service.name()), "namespace": service.namespace(),
            "ownerReferences": [service.controller_reference()]
        }
    }))
}

fn filled(mut slice: Object, service: &Object, content: &Content) -> Object {
    for (key, value) in labels(service) {
        slice.set_label(&key, &value);
    }
    slice.set(&["endpoints"], json!(content.endpoints));
    slice.set(&["ports"], json!(content.ports));
    slice
}

/// The Service's labels and those by which slices are found.
fn labels(service: &Object) -> BTreeMap<String, String> {
    let mut labels = service.labels();
    if service.str(&["spec", "clusterIP"]) == "None" {
        labels.insert("service.kubernetes.io/headless".into(), String::new());
    }
    labels.insert("kubernetes.io/service-name".into(), service.name().into());
    labels.insert("endpointslice.kubernetes.io/managed-by".into(), MANAGED_BY.into());
    labels
}

#[cfg(test)]
mod tests;
