//! What concerns the pod as a whole.

use object::{Object, Value, json};

use super::{Check, at, container, items, names, text, volumes};

/// Source: `ValidatePodSpec`, then what a ReplicaSet asks for.
pub(super) fn check(check: &mut Check, spec: &Value, path: &str) {
    let usable = volumes::volumes(check, items(spec, "volumes"), &format!("{path}.volumes"));
    container::check(check, spec, path, &usable);
    let restarts = ["Always", "OnFailure", "Never"];
    check.one_of(&format!("{path}.restartPolicy"), &spec["restartPolicy"], &restarts);
    dns(check, spec, path);
    let selector = Object::from_value(json!({"metadata": {"labels": spec["nodeSelector"]}})).labels();
    names::labels(check, &format!("{path}.nodeSelector"), &selector);
    let user = &spec["securityContext"]["runAsUser"];
    check.within(&format!("{path}.securityContext.runAsUser"), user, (0, i64::from(i32::MAX)));
    for field in ["serviceAccountName", "nodeName"] {
        named(check, spec, (path, field), names::subdomain);
    }
    for field in ["hostname", "subdomain"] {
        named(check, spec, (path, field), names::label);
    }
    tolerations(check, items(spec, "tolerations"), &format!("{path}.tolerations"));
    for field in ["priorityClassName", "runtimeClassName"] {
        named(check, spec, (path, field), names::subdomain);
    }
    let policies = ["PreemptLowerPriority", "Never"];
    check.one_of(&format!("{path}.preemptionPolicy"), &spec["preemptionPolicy"], &policies);
    if !items(spec, "ephemeralContainers").is_empty() {
        let message = "ephemeral containers not allowed in pod template";
        check.forbidden(&format!("{path}.ephemeralContainers"), message);
    }
    check.one_of(&format!("{path}.restartPolicy"), &spec["restartPolicy"], &["Always"]);
    if !spec["activeDeadlineSeconds"].is_null() {
        let message = "activeDeadlineSeconds in ReplicaSet is not Supported";
        check.forbidden(&format!("{path}.activeDeadlineSeconds"), message);
    }
}

fn named(check: &mut Check, spec: &Value, (path, field): (&str, &str), rule: fn(&mut Check, &str, &str)) {
    let name = text(spec, field);
    if !name.is_empty() {
        rule(check, &format!("{path}.{field}"), name);
    }
}

fn dns(check: &mut Check, spec: &Value, path: &str) {
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    check.one_of(&format!("{path}.dnsPolicy"), &spec["dnsPolicy"], &policies);
    if text(spec, "dnsPolicy") == "None" && spec["dnsConfig"].is_null() {
        check.required(&format!("{path}.dnsConfig"), "must provide `dnsConfig` when `dnsPolicy` is None");
    }
}

/// Source: `ValidateTolerations`.
fn tolerations(check: &mut Check, tolerations: &[Value], path: &str) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let path = at(path, index);
        let (key, operator, value) =
            (text(toleration, "key"), text(toleration, "operator"), text(toleration, "value"));
        let place = format!("{path}.operator");
        if !key.is_empty() {
            names::key(check, &format!("{path}.key"), key);
        } else if operator != "Exists" {
            let message =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            check.invalid(&place, &json!(operator), message);
        }
        let effect = text(toleration, "effect");
        if !toleration["tolerationSeconds"].is_null() && effect != "NoExecute" {
            let message = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            check.invalid(&format!("{path}.effect"), &json!(effect), message);
        }
        match operator {
            "Exists" if !value.is_empty() => {
                let message = "value must be empty when `operator` is 'Exists'";
                check.invalid(&place, &json!(value), message);
            }
            // Comparisons are of clusters that allow them.
            "Lt" | "Gt" => {}
            _ => check.one_of(&place, &toleration["operator"], &["Equal", "Exists"]),
        }
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        check.one_of(&format!("{path}.effect"), &toleration["effect"], &effects);
    }
}
