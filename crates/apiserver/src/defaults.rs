//! The defaults of built-in kinds.
//!
//! **Source:** `pkg/apis/*/v1/defaults.go` and `zz_generated.defaults.go`.

mod pods;

use serde_json::{Value, json};

use crate::kinds::Kind;

/// Sets `key` where it is missing.
pub(super) fn set(value: &mut Value, key: &str, default: impl Into<Value>) {
    if value.is_null() || value.is_object() && value[key].is_null() {
        value[key] = default.into();
    }
}

/// Calls `change` for each element of a list.
pub(super) fn each(list: &mut Value, mut change: impl FnMut(&mut Value)) {
    if let Some(items) = list.as_array_mut() {
        items.iter_mut().for_each(&mut change);
    }
}

/// Fills in the defaults of an object of a built-in kind.
pub(crate) fn fill(kind: &Kind, object: &mut Value) {
    if kind.custom.is_some() {
        return;
    }
    match kind.id().as_str() {
        "/pods" => pods::pod(object),
        "/podtemplates" => pods::spec(&mut object["template"]["spec"]),
        "/replicationcontrollers" | "apps/replicasets" => replica_set(object),
        "apps/deployments" => deployment(object),
        "apps/statefulsets" => stateful_set(object),
        "apps/daemonsets" => daemon_set(object),
        "batch/jobs" => job(object),
        "batch/cronjobs" => cron_job(object),
        "/services" => service(object),
        "/endpoints" => each(&mut object["subsets"], |subset| {
            each(&mut subset["ports"], |port| set(port, "protocol", "TCP"));
        }),
        "discovery.k8s.io/endpointslices" => each(&mut object["ports"], |port| {
            set(port, "name", "");
            set(port, "protocol", "TCP");
        }),
        "/secrets" => secret(object),
        "/namespaces" => namespace(object),
        "/persistentvolumeclaims" => set(&mut object["spec"], "volumeMode", "Filesystem"),
        "rbac.authorization.k8s.io/rolebindings" | "rbac.authorization.k8s.io/clusterrolebindings" => {
            binding(object);
        }
        "networking.k8s.io/networkpolicies" => network_policy(object),
        "apiextensions.k8s.io/customresourcedefinitions" => definition(object),
        "autoscaling/horizontalpodautoscalers" => autoscaler(&mut object["spec"]),
        "scheduling.k8s.io/priorityclasses" => set(object, "preemptionPolicy", "PreemptLowerPriority"),
        "storage.k8s.io/storageclasses" => {
            set(object, "reclaimPolicy", "Delete");
            set(object, "volumeBindingMode", "Immediate");
        }
        _ => {}
    }
}

/// Drops what indexing made.
pub(super) fn tidy(value: &mut Value) {
    if let Some(map) = value.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
}

fn autoscaler(spec: &mut Value) {
    set(spec, "minReplicas", 1);
    let cpu = json!({"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}});
    if spec["metrics"].as_array().is_none_or(Vec::is_empty) {
        spec["metrics"] = json!([{ "type": "Resource", "resource": cpu }]);
    }
}

fn replica_set(object: &mut Value) {
    set(&mut object["spec"], "replicas", 1);
    pods::template(&mut object["spec"]["template"]);
}

fn deployment(object: &mut Value) {
    let spec = &mut object["spec"];
    set(spec, "replicas", 1);
    set(spec, "strategy", json!({}));
    set(&mut spec["strategy"], "type", "RollingUpdate");
    if spec["strategy"]["type"] == "RollingUpdate" {
        set(&mut spec["strategy"], "rollingUpdate", json!({}));
        set(&mut spec["strategy"]["rollingUpdate"], "maxUnavailable", "25%");
        set(&mut spec["strategy"]["rollingUpdate"], "maxSurge", "25%");
    }
    set(spec, "revisionHistoryLimit", 10);
    set(spec, "progressDeadlineSeconds", 600);
    pods::template(&mut spec["template"]);
}

fn stateful_set(object: &mut Value) {
    let spec = &mut object["spec"];
    set(spec, "podManagementPolicy", "OrderedReady");
    set(spec, "updateStrategy", json!({}));
    set(&mut spec["updateStrategy"], "type", "RollingUpdate");
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        set(&mut spec["updateStrategy"], "rollingUpdate", json!({}));
        set(&mut spec["updateStrategy"]["rollingUpdate"], "partition", 0);
    }
    set(spec, "persistentVolumeClaimRetentionPolicy", json!({}));
    set(&mut spec["persistentVolumeClaimRetentionPolicy"], "whenDeleted", "Retain");
    set(&mut spec["persistentVolumeClaimRetentionPolicy"], "whenScaled", "Retain");
    set(spec, "replicas", 1);
    set(spec, "revisionHistoryLimit", 10);
    pods::template(&mut spec["template"]);
    each(&mut spec["volumeClaimTemplates"], |claim| {
        claim["apiVersion"] = "v1".into();
        claim["kind"] = "PersistentVolumeClaim".into();
        set(&mut claim["spec"], "volumeMode", "Filesystem");
        set(&mut claim["status"], "phase", "Pending");
    });
    tidy(spec);
}

fn daemon_set(object: &mut Value) {
    set(&mut object["metadata"]["annotations"], "deprecated.daemonset.template.generation", "1");
    let spec = &mut object["spec"];
    set(spec, "updateStrategy", json!({}));
    set(&mut spec["updateStrategy"], "type", "RollingUpdate");
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        set(&mut spec["updateStrategy"], "rollingUpdate", json!({}));
        set(&mut spec["updateStrategy"]["rollingUpdate"], "maxUnavailable", 1);
        set(&mut spec["updateStrategy"]["rollingUpdate"], "maxSurge", 0);
    }
    set(spec, "revisionHistoryLimit", 10);
    pods::template(&mut spec["template"]);
}

fn job(object: &mut Value) {
    let spec = &mut object["spec"];
    if spec["completions"].is_null() && spec["parallelism"].is_null() {
        set(spec, "completions", 1);
    }
    set(spec, "parallelism", 1);
    if spec["backoffLimitPerIndex"].is_null() {
        set(spec, "backoffLimit", 6);
    } else {
        set(spec, "backoffLimit", i32::MAX);
    }
    set(spec, "completionMode", "NonIndexed");
    set(spec, "suspend", false);
    let replacement = if spec["podFailurePolicy"].is_null() { "TerminatingOrFailed" } else { "Failed" };
    set(spec, "podReplacementPolicy", replacement);
    set(spec, "manualSelector", false);
    pods::template(&mut spec["template"]);
    if let Some(map) = spec.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    let labels = object["spec"]["template"]["metadata"]["labels"].clone();
    if labels.is_object() && object["metadata"]["labels"].is_null() {
        object["metadata"]["labels"] = labels;
    }
}

fn cron_job(object: &mut Value) {
    let spec = &mut object["spec"];
    set(spec, "concurrencyPolicy", "Allow");
    set(spec, "suspend", false);
    set(spec, "successfulJobsHistoryLimit", 3);
    set(spec, "failedJobsHistoryLimit", 1);
    pods::template(&mut spec["jobTemplate"]["spec"]["template"]);
}

fn service(object: &mut Value) {
    let spec = &mut object["spec"];
    set(spec, "sessionAffinity", "None");
    if spec["sessionAffinity"] == "ClientIP" {
        set(&mut spec["sessionAffinityConfig"]["clientIP"], "timeoutSeconds", 10_800);
    }
    set(spec, "type", "ClusterIP");
    each(&mut spec["ports"], |port| {
        set(port, "protocol", "TCP");
        if port["targetPort"].is_null() || port["targetPort"] == 0 || port["targetPort"] == "" {
            port["targetPort"] = port["port"].clone();
        }
    });
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        set(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer" | "ClusterIP") {
        set(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", true);
    }
}

fn secret(object: &mut Value) {
    use base64::Engine;
    set(object, "type", "Opaque");
    let Some(map) = object.as_object_mut() else { return };
    let Some(Value::Object(texts)) = map.remove("stringData") else { return };
    let data = map.entry("data").or_insert(json!({}));
    for (key, text) in texts {
        let text = text.as_str().unwrap_or_default();
        data[&key] = base64::engine::general_purpose::STANDARD.encode(text).into();
    }
}

fn namespace(object: &mut Value) {
    set(&mut object["metadata"], "labels", json!({}));
    let name = object["metadata"]["name"].clone();
    if name.is_string() {
        object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    }
    set(&mut object["status"], "phase", "Active");
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn binding(object: &mut Value) {
    if object["roleRef"]["apiGroup"].as_str().is_none_or(str::is_empty) {
        object["roleRef"]["apiGroup"] = RBAC.into();
    }
    each(&mut object["subjects"], |subject| {
        if matches!(subject["kind"].as_str(), Some("User" | "Group")) {
            set(subject, "apiGroup", RBAC);
        }
    });
}

fn network_policy(object: &mut Value) {
    let spec = &mut object["spec"];
    let types = if spec["egress"].is_array() { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    set(spec, "policyTypes", types);
    for direction in ["ingress", "egress"] {
        each(&mut spec[direction], |rule| each(&mut rule["ports"], |port| set(port, "protocol", "TCP")));
    }
    if let Some(map) = spec.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
}

fn definition(object: &mut Value) {
    let spec = &mut object["spec"];
    let kind = spec["names"]["kind"].as_str().unwrap_or_default().to_owned();
    if !kind.is_empty() {
        set(&mut spec["names"], "singular", kind.to_lowercase());
        set(&mut spec["names"], "listKind", format!("{kind}List"));
    }
    set(spec, "conversion", json!({ "strategy": "None" }));
}
