//! Fields that an update may not change.

use serde_json::Value;

use crate::field::FieldError;
use crate::kinds::Kind;

/// Fields that stay, by `group/plural`, with the words of the refusal.
const FIELDS: &[(&str, &str, &str)] = &[
    ("apps/deployments", "spec.selector", "field is immutable"),
    ("apps/replicasets", "spec.selector", "field is immutable"),
    ("apps/daemonsets", "spec.selector", "field is immutable"),
    ("batch/jobs", "spec.selector", "field is immutable"),
    ("batch/jobs", "spec.template", "field is immutable"),
    ("batch/jobs", "spec.completionMode", "field is immutable"),
    ("batch/jobs", "spec.completions", "field is immutable"),
    ("/secrets", "type", "field is immutable"),
    ("discovery.k8s.io/endpointslices", "addressType", "field is immutable"),
    ("rbac.authorization.k8s.io/rolebindings", "roleRef", "cannot change roleRef"),
    ("rbac.authorization.k8s.io/clusterrolebindings", "roleRef", "cannot change roleRef"),
    ("storage.k8s.io/storageclasses", "provisioner", "field is immutable"),
    ("scheduling.k8s.io/priorityclasses", "value", "may not be changed in an update."),
];

fn at<'a>(object: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(object, |value, key| &value[key])
}

/// Adds an error for each field that changed and may not.
pub(super) fn check(kind: &Kind, before: &Value, after: &Value, errors: &mut Vec<FieldError>) {
    let id = kind.id();
    for (_, path, words) in FIELDS.iter().filter(|(known, ..)| *known == id) {
        if at(before, path) != at(after, path) {
            let mut error = FieldError::invalid(*path, at(after, path), *words);
            if *path == "roleRef" {
                let role = &after["roleRef"];
                error.value = Some(format!(
                    "{{\"APIGroup\":{},\"Kind\":{},\"Name\":{}}}",
                    role["apiGroup"], role["kind"], role["name"]
                ));
            }
            errors.push(error);
        }
    }
    match id.as_str() {
        "/secrets" | "/configmaps" if before["immutable"] == true => frozen(before, after, errors),
        "/services" => service(before, after, errors),
        "/pods" => pod(before, after, errors),
        "apps/statefulsets" => stateful_set(before, after, errors),
        _ => {}
    }
}

/// **Source:** `ValidateSecretUpdate`, `ValidateConfigMapUpdate`.
fn frozen(before: &Value, after: &Value, errors: &mut Vec<FieldError>) {
    let detail = "field is immutable when `immutable` is set";
    if after["immutable"] != true {
        errors.push(FieldError::forbidden("immutable", detail));
    }
    for field in ["data", "binaryData"] {
        if before[field] != after[field] {
            errors.push(FieldError::forbidden(field, detail));
        }
    }
}

fn service(before: &Value, after: &Value, errors: &mut Vec<FieldError>) {
    let (old, new) = (&before["spec"], &after["spec"]);
    if old["type"] == "ExternalName" || new["type"] == "ExternalName" {
        return;
    }
    let had = old["clusterIPs"].as_array().is_some_and(|list| !list.is_empty());
    if had && old["clusterIPs"][0] != new["clusterIPs"][0] {
        let path = "spec.clusterIPs[0]";
        errors.push(FieldError::invalid(path, &new["clusterIPs"], "may not change once set"));
    }
}

fn pod(before: &Value, after: &Value, errors: &mut Vec<FieldError>) {
    let mut masked = after["spec"].clone();
    let old = &before["spec"];
    for list in ["containers", "initContainers"] {
        let olds = old[list].as_array().cloned().unwrap_or_default();
        if let Some(news) = masked.get_mut(list).and_then(Value::as_array_mut) {
            for (new, old) in news.iter_mut().zip(&olds) {
                new["image"] = old["image"].clone();
            }
        }
    }
    for field in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"] {
        if let (Some(map), Some(value)) = (masked.as_object_mut(), old.get(field)) {
            map.insert(field.into(), value.clone());
        } else if let Some(map) = masked.as_object_mut() {
            map.remove(field);
        }
    }
    if masked != *old {
        errors.push(FieldError::forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
             `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
             `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        ));
    }
}

fn stateful_set(before: &Value, after: &Value, errors: &mut Vec<FieldError>) {
    let free = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let rest = |object: &Value| {
        let mut spec = object["spec"].clone();
        if let Some(map) = spec.as_object_mut() {
            map.retain(|key, _| !free.contains(&key.as_str()));
        }
        spec
    };
    if rest(before) != rest(after) {
        errors.push(FieldError::forbidden(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
             'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ));
    }
}

/// An object that is being deleted takes no new finalizers.
pub(super) fn finalizers(before: &Value, after: &Value, errors: &mut Vec<FieldError>) {
    let list = |object: &Value| object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let old = list(before);
    let added: Vec<String> = list(after)
        .iter()
        .filter(|name| !old.contains(name))
        .map(|name| name.as_str().unwrap_or_default().to_owned())
        .collect();
    if !added.is_empty() {
        let quoted: Vec<String> = added.iter().map(|name| format!("{name:?}")).collect();
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            quoted.join(", ")
        );
        // Upstream checks twice and says so twice.
        let error = FieldError::forbidden("metadata.finalizers", detail);
        errors.extend([error.clone(), error]);
    }
}
