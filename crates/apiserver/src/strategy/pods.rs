//! What the API server and its admission plugins say of a Pod.

use object::quantity;
use serde_json::{Value, json};

/// Completes a new Pod: phase, QoS class, priority, tolerations.
pub(super) fn before_create(object: &mut Value) {
    object["status"] = json!({ "phase": "Pending", "qosClass": qos(&object["spec"]) });
    let spec = &mut object["spec"];
    if !spec.is_object() {
        return;
    }
    if spec["priority"].is_null() {
        spec["priority"] = json!(0);
    }
    if spec["preemptionPolicy"].is_null() {
        spec["preemptionPolicy"] = json!("PreemptLowerPriority");
    }
    tolerations(spec);
}

/// **Source:** the admission plugin DefaultTolerationSeconds.
fn tolerations(spec: &mut Value) {
    let mut list = spec["tolerations"].as_array().cloned().unwrap_or_default();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerates = |toleration: &Value| {
            let (own, effect) = (&toleration["key"], &toleration["effect"]);
            let any_key = own.is_null() || own == "";
            (own == key || any_key) && (effect == "NoExecute" || effect.is_null() || effect == "")
        };
        if !list.iter().any(tolerates) {
            list.push(
                json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}),
            );
        }
    }
    spec["tolerations"] = list.into();
}

/// Keeps what an update of a Pod does not speak of.
pub(super) fn before_update(before: &Value, after: &mut Value) {
    for field in ["priority", "preemptionPolicy", "tolerations"] {
        if after["spec"].is_object() && after["spec"][field].is_null() {
            match before["spec"].get(field) {
                Some(value) => after["spec"][field] = value.clone(),
                None => drop(after["spec"].as_object_mut().map(|map| map.remove(field))),
            }
        }
    }
    if after["status"].is_object() {
        after["status"]["qosClass"] = before["status"]["qosClass"].clone();
    }
}

/// **Source:** `pkg/apis/core/v1/helper/qos`.
fn qos(spec: &Value) -> &'static str {
    let lists = ["containers", "initContainers"];
    let containers: Vec<&Value> =
        lists.iter().flat_map(|list| spec[*list].as_array().into_iter().flatten()).collect();
    let amount = |container: &Value, side: &str, name: &str| {
        let text = container["resources"][side][name].as_str().unwrap_or("0").to_owned();
        quantity::milli(&text).unwrap_or_default()
    };
    let names = ["cpu", "memory"];
    let asks = |container: &&Value| {
        names
            .iter()
            .any(|name| amount(container, "limits", name) > 0 || amount(container, "requests", name) > 0)
    };
    let equal = |container: &&Value| {
        names.iter().all(|name| {
            let limit = amount(container, "limits", name);
            limit > 0 && limit == amount(container, "requests", name)
        })
    };
    match () {
        () if !containers.iter().any(asks) => "BestEffort",
        () if containers.iter().all(equal) => "Guaranteed",
        () => "Burstable",
    }
}
