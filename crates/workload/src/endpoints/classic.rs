//! The Endpoints object of a Service, for clients that still read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::{Object, Value, json};

use super::{Edit, slice};
use crate::pod;

/// Label of the objects this controller keeps, as upstream.
const MANAGED_BY: (&str, &str) = ("endpoints.kubernetes.io/managed-by", "endpoint-controller");

/// Returns true when this controller made the object.
pub(super) fn is_ours(endpoints: &Object) -> bool {
    endpoints.label(MANAGED_BY.0) == Some(MANAGED_BY.1)
}

/// Returns the writes that make `existing` (at most one) right.
pub(super) fn changes(service: &Object, pods: &[Arc<Object>], existing: &[Arc<Object>]) -> Vec<Edit> {
    let subsets = subsets(service, pods);
    let labels = labels(service);
    match existing.first() {
        Some(old) if old.items(&["subsets"]) == subsets && old.labels() == labels => Vec::new(),
        Some(old) => vec![Edit::Replace(filled((**old).clone(), &labels, &subsets))],
        None => {
            let fresh = Object::new(&object::Gvk::new("", "v1", "Endpoints"), &service.key());
            vec![Edit::Create(filled(fresh, &labels, &subsets))]
        }
    }
}

fn labels(service: &Object) -> BTreeMap<String, String> {
    let mut labels = service.labels();
    labels.insert(MANAGED_BY.0.into(), MANAGED_BY.1.into());
    labels
}

fn filled(mut endpoints: Object, labels: &BTreeMap<String, String>, subsets: &[Value]) -> Object {
    endpoints.set(&["metadata", "labels"], json!(labels));
    if subsets.is_empty() {
        endpoints.remove(&["subsets"]);
    } else {
        endpoints.set(&["subsets"], json!(subsets));
    }
    endpoints
}

/// Returns one subset for each set of ports, with ready and not ready addresses. Source: `endpoints.RepackSubsets`.
fn subsets(service: &Object, pods: &[Arc<Object>]) -> Vec<Value> {
    let mut groups: BTreeMap<String, (Vec<Value>, [Vec<Value>; 2])> = BTreeMap::new();
    let counted = |pod: &&Arc<Object>| {
        !pod.str(&["status", "podIP"]).is_empty() && !pod::is_finished(pod) && !pod.is_deleting()
    };
    for pod in pods.iter().filter(counted) {
        let mut ports = slice::ports(service, pod);
        for port in &mut ports {
            if port["name"] == "" {
                port.as_object_mut().map(|port| port.remove("name"));
            }
        }
        if ports.is_empty() {
            continue;
        }
        let ready = pod::is_ready(pod) || service.flag(&["spec", "publishNotReadyAddresses"]);
        let group = groups.entry(json!(ports).to_string()).or_insert_with(|| (ports, Default::default()));
        group.1[usize::from(!ready)].push(address(pod));
    }
    groups.into_values().map(subset).collect()
}

fn subset((ports, [ready, unready]): (Vec<Value>, [Vec<Value>; 2])) -> Value {
    let mut subset = json!({"ports": ports});
    if !ready.is_empty() {
        subset["addresses"] = ready.into();
    }
    if !unready.is_empty() {
        subset["notReadyAddresses"] = unready.into();
    }
    subset
}

fn address(pod: &Object) -> Value {
    json!({
        "ip": pod.str(&["status", "podIP"]), "nodeName": pod.str(&["spec", "nodeName"]),
        "targetRef": {"kind": "Pod", "namespace": pod.namespace(), "name": pod.name(), "uid": pod.uid()}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_and_unready_addresses_and_rest() {
        let service = Object::from_value(json!({
            "metadata": {"name": "web", "namespace": "ns"}, "spec": {"ports": [{"port": 80, "targetPort": 5000}]}
        }));
        let pod = |name: &str, ready: &str| {
            Arc::new(Object::from_value(json!({
                "metadata": {"name": name, "namespace": "ns", "uid": name}, "spec": {"nodeName": "n"},
                "status": {"podIP": "127.64.0.1", "conditions": [{"type": "Ready", "status": ready}]}
            })))
        };
        let pods = [pod("a", "True"), pod("b", "False")];
        let [Edit::Create(made)] = &changes(&service, &pods, &[])[..] else { panic!("made once") };
        let subset = &made.items(&["subsets"])[0];
        assert_eq!(subset["addresses"][0]["targetRef"]["name"], "a");
        assert_eq!(subset["notReadyAddresses"][0]["targetRef"]["name"], "b");
        assert_eq!(subset["ports"], json!([{"port": 5000, "protocol": "TCP"}]));
        assert_eq!(changes(&service, &pods, &[Arc::new(made.clone())]), []);
    }
}
