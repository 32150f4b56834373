//! When two pod templates mean the same.
//!
//! A ReplicaSet's template carries the API server's defaults and the hash label; a Rollout's may not. Source: Argo
//! Rollouts `utils/replicaset.PodTemplateEqualIgnoreHash`.

use object::{Map, Object, Value, json};

use crate::{affinity, hash, keys, metadata};

/// Returns the template of a ReplicaSet without what it was given besides the Rollout's: labels and annotations of its
/// role, and anti-affinity.
pub(crate) fn of_set(set: &Object) -> Value {
    let mut template = set.get(&["spec", "template"]).cloned().unwrap_or_default();
    metadata::strip(&mut template, set);
    affinity::strip(&mut template);
    template
}

/// Returns true when both templates make the same pods: equal after defaults, without the hash label.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    let canonical = |template: &Value| hash::canonical(&defaulted(template)).ok();
    match (canonical(left), canonical(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

fn defaulted(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(keys::HASH);
    }
    if let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) {
        pod(spec);
    }
    template
}

/// Sets fields that are absent or null.
fn fill(map: &mut Map<String, Value>, defaults: &[(&str, Value)]) {
    for (key, value) in defaults {
        if map.get(*key).is_none_or(Value::is_null) {
            map.insert((*key).to_owned(), value.clone());
        }
    }
}

fn pod(spec: &mut Map<String, Value>) {
    fill(
        spec,
        &[
            ("restartPolicy", json!("Always")),
            ("dnsPolicy", json!("ClusterFirst")),
            ("schedulerName", json!("default-scheduler")),
            ("securityContext", json!({})),
            ("terminationGracePeriodSeconds", json!(30)),
        ],
    );
    // The deprecated alias says nothing of its own.
    if let Some(account) = spec.remove("serviceAccount") {
        fill(spec, &[("serviceAccountName", account)]);
    }
    for list in ["initContainers", "containers"] {
        each(spec.get_mut(list), container);
    }
    each(spec.get_mut("volumes"), volume);
}

fn each(list: Option<&mut Value>, change: fn(&mut Map<String, Value>)) {
    let items = list.and_then(Value::as_array_mut).into_iter().flatten();
    items.filter_map(Value::as_object_mut).for_each(change);
}

fn container(container: &mut Map<String, Value>) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest = !image.contains('@') && (name.ends_with(":latest") || !name.contains(':'));
    let policy = if latest { "Always" } else { "IfNotPresent" };
    fill(
        container,
        &[
            ("imagePullPolicy", json!(policy)),
            ("terminationMessagePath", json!("/dev/termination-log")),
            ("terminationMessagePolicy", json!("File")),
        ],
    );
    each(container.get_mut("ports"), |port| fill(port, &[("protocol", json!("TCP"))]));
    each(container.get_mut("env"), |env| {
        if let Some(field) = env.get_mut("valueFrom").and_then(|from| from.get_mut("fieldRef")) {
            field.as_object_mut().into_iter().for_each(|field| fill(field, &[("apiVersion", json!("v1"))]));
        }
    });
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        container.get_mut(name).and_then(Value::as_object_mut).into_iter().for_each(probe);
    }
    container.get_mut("resources").and_then(Value::as_object_mut).into_iter().for_each(requests);
}

fn probe(probe: &mut Map<String, Value>) {
    let numbers =
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)];
    fill(probe, &numbers.map(|(key, number)| (key, json!(number))));
    if let Some(get) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
        fill(get, &[("path", json!("/")), ("scheme", json!("HTTP"))]);
    }
}

/// Requests default to limits.
fn requests(resources: &mut Map<String, Value>) {
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else { return };
    let requests = resources.entry("requests").or_insert_with(|| json!({}));
    if let Some(requests) = requests.as_object_mut() {
        limits.into_iter().for_each(|(name, limit)| {
            requests.entry(name).or_insert(limit);
        });
    }
}

fn volume(volume: &mut Map<String, Value>) {
    for kind in ["configMap", "secret", "projected", "downwardAPI"] {
        if let Some(source) = volume.get_mut(kind).and_then(Value::as_object_mut) {
            fill(source, &[("defaultMode", json!(420))]);
        }
    }
    if let Some(path) = volume.get_mut("hostPath").and_then(Value::as_object_mut) {
        fill(path, &[("type", json!(""))]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_and_the_hash_label_say_nothing() {
        let plain = json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i:1",
            "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "500m"}},
            "livenessProbe": {"httpGet": {"port": 80}}}]}});
        let full = json!({"metadata": {"creationTimestamp": null, "labels": {"app": "a", keys::HASH: "x"}},
            "spec": {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
            "securityContext": {}, "terminationGracePeriodSeconds": 30, "containers": [{"name": "c", "image": "i:1",
            "imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File", "ports": [{"containerPort": 80, "protocol": "TCP"}],
            "resources": {"limits": {"cpu": "0.5"}, "requests": {"cpu": "500m"}},
            "livenessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
            "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}}]}});
        assert!(same(&plain, &full));
        let mut other = full.clone();
        other["spec"]["containers"][0]["image"] = json!("i:2");
        assert!(!same(&plain, &other));
    }
}
