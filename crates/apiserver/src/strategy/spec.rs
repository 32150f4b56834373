//! Checks of the specs of the main kinds.
//!
//! **Source:** `pkg/apis/*/validation`.

mod pod;

use object::LabelSelector;
use serde_json::{Value, json};

use super::names;
use crate::field::FieldError;
use crate::kinds::Kind;

/// Adds what is wrong with an object of a built-in kind.
pub(super) fn check(kind: &Kind, object: &Value, before: Option<&Value>, errors: &mut Vec<FieldError>) {
    let spec = &object["spec"];
    match kind.id().as_str() {
        "/pods" if before.is_none() => pod::spec(spec, "spec", errors),
        "apps/deployments" | "apps/replicasets" | "apps/statefulsets" | "apps/daemonsets" => {
            workload(spec, errors);
        }
        "batch/jobs" => {
            for field in ["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds"] {
                not_negative(&spec[field], &format!("spec.{field}"), errors);
            }
            if before.is_none() {
                job_template(spec, "spec", errors);
            }
        }
        "batch/cronjobs" => cron_job(spec, errors),
        "/services" => service(spec, errors),
        "/configmaps" | "/secrets" => {
            keys(object, errors);
            contents(kind, object, errors);
        }
        "policy/poddisruptionbudgets" => budget(spec, errors),
        "networking.k8s.io/ingresses" => ingress(spec, errors),
        "coordination.k8s.io/leases" => lease(spec, errors),
        "/events" | "events.k8s.io/events" => event(object, errors),
        "rbac.authorization.k8s.io/roles" | "rbac.authorization.k8s.io/clusterroles" => rules(object, errors),
        "autoscaling/horizontalpodautoscalers" => autoscaler(spec, errors),
        _ => {}
    }
}

/// Adds what is wrong with a status.
pub(super) fn status(kind: &Kind, object: &Value, errors: &mut Vec<FieldError>) {
    if kind.id() != "apps/deployments" {
        return;
    }
    let status = &object["status"];
    for field in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"]
    {
        not_negative(&status[field], &format!("status.{field}"), errors);
    }
    let count = |field: &str| status[field].as_i64().unwrap_or_default();
    for (field, limit) in [
        ("updatedReplicas", "replicas"),
        ("readyReplicas", "replicas"),
        ("availableReplicas", "replicas"),
        ("availableReplicas", "readyReplicas"),
    ] {
        if count(field) > count(limit) {
            let why =
                format!("cannot be greater than {}{limit}", if limit == "replicas" { "status." } else { "" });
            errors.push(FieldError::invalid(format!("status.{field}"), &status[field], why));
        }
    }
}

fn rules(object: &Value, errors: &mut Vec<FieldError>) {
    for (index, rule) in object["rules"].as_array().into_iter().flatten().enumerate() {
        if is_empty(&rule["verbs"]) {
            errors.push(FieldError::required(
                format!("rules[{index}].verbs"),
                "verbs must contain at least one value",
            ));
        }
        if is_empty(&rule["nonResourceURLs"]) && is_empty(&rule["apiGroups"]) {
            let why = "resource rules must supply at least one api group";
            errors.push(FieldError::required(format!("rules[{index}].apiGroups"), why));
        }
        if is_empty(&rule["nonResourceURLs"]) && is_empty(&rule["resources"]) {
            let why = "resource rules must supply at least one resource";
            errors.push(FieldError::required(format!("rules[{index}].resources"), why));
        }
    }
}

fn autoscaler(spec: &Value, errors: &mut Vec<FieldError>) {
    let (least, most) =
        (spec["minReplicas"].as_i64().unwrap_or(1), spec["maxReplicas"].as_i64().unwrap_or_default());
    if most < 1 {
        errors.push(FieldError::invalid("spec.maxReplicas", &spec["maxReplicas"], "must be greater than 0"));
    }
    if most < least {
        let why = "must be greater than or equal to `minReplicas`";
        errors.push(FieldError::invalid("spec.maxReplicas", &spec["maxReplicas"], why));
    }
}

fn event(object: &Value, errors: &mut Vec<FieldError>) {
    if object["regarding"].is_object() && object["eventTime"].is_null() {
        errors.push(FieldError::required("eventTime", ""));
    }
    for field in ["involvedObject", "regarding"] {
        let namespace = &object[field]["namespace"];
        if namespace.is_string() && *namespace != object["metadata"]["namespace"] {
            let path = format!("{field}.namespace");
            errors.push(FieldError::invalid(path, namespace, "does not match event.namespace"));
        }
    }
}

pub(super) fn not_negative(value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    if value.as_i64().is_some_and(|number| number < 0) {
        errors.push(FieldError::invalid(path, value, "must be greater than or equal to 0"));
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn workload(spec: &Value, errors: &mut Vec<FieldError>) {
    for field in ["replicas", "minReadySeconds", "revisionHistoryLimit"] {
        not_negative(&spec[field], &format!("spec.{field}"), errors);
    }
    let selector = &spec["selector"];
    let labels = &spec["template"]["metadata"]["labels"];
    if selector.is_null() {
        errors.push(FieldError::required("spec.selector", ""));
    } else if is_empty(&selector["matchLabels"]) && is_empty(&selector["matchExpressions"]) {
        let detail = "empty selector is invalid for deployment";
        errors.push(FieldError::invalid("spec.selector", selector, detail));
    }
    let found: std::collections::BTreeMap<String, String> =
        serde_json::from_value(labels.clone()).unwrap_or_default();
    let fits = LabelSelector::from_json(selector).is_ok_and(|selector| selector.matches(&found));
    if selector.is_null() || !fits {
        let shown = if labels.is_null() { json!(null) } else { labels.clone() };
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid("spec.template.metadata.labels", &shown, detail));
    }
    template(&spec["template"], "spec.template", errors);
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if policy.is_string() && policy != "Always" {
        errors.push(FieldError::not_supported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
    if let (Some(deadline), Some(ready)) =
        (spec["progressDeadlineSeconds"].as_i64(), Some(spec["minReadySeconds"].as_i64().unwrap_or_default()))
        && deadline <= ready
    {
        let detail = "must be greater than minReadySeconds";
        errors.push(FieldError::invalid("spec.progressDeadlineSeconds", &json!(deadline), detail));
    }
    rolling(spec, errors);
}

const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

fn rolling(spec: &Value, errors: &mut Vec<FieldError>) {
    let update = &spec["strategy"]["rollingUpdate"];
    if spec["strategy"]["type"] == "Recreate" && update.is_object() {
        let detail = "may not be specified when strategy `type` is 'Recreate'";
        errors.push(FieldError::forbidden("spec.strategy.rollingUpdate", detail));
        return;
    }
    let none = |value: &Value| matches!(value.to_string().as_str(), "0" | "\"0%\"");
    for field in ["maxUnavailable", "maxSurge"] {
        if let Some(text) = update[field].as_str() {
            let digits = text.strip_suffix('%').unwrap_or_default();
            if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
                let path = format!("spec.strategy.rollingUpdate.{field}");
                errors.push(FieldError::invalid(path, &update[field], PERCENT));
            }
        }
    }
    if update.is_object() && none(&update["maxUnavailable"]) && none(&update["maxSurge"]) {
        let path = "spec.strategy.rollingUpdate.maxUnavailable";
        let detail = "may not be 0 when `maxSurge` is 0";
        errors.push(FieldError::invalid(path, &update["maxUnavailable"], detail));
    }
}

fn template(template: &Value, path: &str, errors: &mut Vec<FieldError>) {
    names::labels(&template["metadata"]["labels"], &format!("{path}.labels"), errors);
    pod::spec(&template["spec"], &format!("{path}.spec"), errors);
}

fn job_template(spec: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let at = format!("{path}.template");
    template(&spec["template"], &at, errors);
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if policy == "Always" {
        let path = format!("{at}.spec.restartPolicy");
        errors.push(FieldError::required(path, "valid values: \"OnFailure\", \"Never\""));
    }
}

fn cron_job(spec: &Value, errors: &mut Vec<FieldError>) {
    if is_empty(&spec["schedule"]) {
        errors.push(FieldError::required("spec.schedule", ""));
    } else if let Some(text) = spec["schedule"].as_str().filter(|text| !text.starts_with('@')) {
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != 5 {
            let why = format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" "));
            errors.push(FieldError::invalid("spec.schedule", &spec["schedule"], why));
        }
    }
    job_template(&spec["jobTemplate"]["spec"], "spec.jobTemplate.spec", errors);
}

fn service(spec: &Value, errors: &mut Vec<FieldError>) {
    let kinds = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    let kind = spec["type"].as_str().unwrap_or_default();
    let ports = spec["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    let headless = spec["clusterIP"] == "None";
    if ports.is_empty() && !headless && kind != "ExternalName" {
        errors.push(FieldError::required("spec.ports", ""));
    }
    if kind == "ExternalName" && is_empty(&spec["externalName"]) {
        errors.push(FieldError::required("spec.externalName", ""));
    }
    for (index, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        if ports.len() > 1 && is_empty(&port["name"]) {
            errors.push(FieldError::required(format!("{path}.name"), ""));
        } else if let Some(name) = port["name"].as_str().filter(|name| !name.is_empty()) {
            for why in names::dns_label(name) {
                errors.push(FieldError::invalid(format!("{path}.name"), &port["name"], why));
            }
            if ports[..index].iter().any(|other| other["name"] == name) {
                errors.push(FieldError::duplicate(format!("{path}.name"), &port["name"]));
            }
        }
        pod::port_number(&port["port"], &format!("{path}.port"), errors);
        let same = |other: &&Value| other["port"] == port["port"] && other["protocol"] == port["protocol"];
        if ports[..index].iter().any(|other| same(&other)) {
            let mut error = FieldError::duplicate(path.clone(), port);
            error.value = Some(format!(
                "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
                port["protocol"], port["port"]
            ));
            errors.push(error);
        }
        let protocols = ["SCTP", "TCP", "UDP"];
        if !protocols.contains(&port["protocol"].as_str().unwrap_or_default()) {
            errors.push(FieldError::not_supported(format!("{path}.protocol"), &port["protocol"], &protocols));
        }
    }
    names::labels(&spec["selector"], "spec.selector", errors);
    if !kinds.contains(&kind) {
        errors.push(FieldError::not_supported("spec.type", &spec["type"], &kinds));
    }
}

fn keys(object: &Value, errors: &mut Vec<FieldError>) {
    let detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    for field in ["data", "binaryData"] {
        for key in object[field].as_object().into_iter().flat_map(serde_json::Map::keys) {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if key.is_empty() || !key.chars().all(fits) {
                errors.push(FieldError::invalid(format!("{field}[{key}]"), &json!(key), detail));
            }
            if field == "data" && object["binaryData"].get(key).is_some() {
                let why = "duplicate of key present in binaryData";
                errors.push(FieldError::invalid(format!("data[{key}]"), &json!(key), why));
            }
        }
    }
}

/// The most bytes that a ConfigMap or Secret may hold.
const MAX_DATA: usize = 1024 * 1024;

fn contents(kind: &Kind, object: &Value, errors: &mut Vec<FieldError>) {
    let length = |field: &str, encoded: bool| {
        let texts = object[field].as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
        texts.map(|text| if encoded { text.len() / 4 * 3 } else { text.len() }).sum::<usize>()
    };
    let secret = kind.plural == "secrets";
    if length("data", secret) + length("binaryData", true) > MAX_DATA {
        errors.push(FieldError::too_long(if secret { "data" } else { "[]" }, MAX_DATA));
    }
    let needed: &[&str] = match object["type"].as_str() {
        Some("kubernetes.io/tls") => &["tls.crt", "tls.key"],
        Some("kubernetes.io/dockerconfigjson") => &[".dockerconfigjson"],
        Some("kubernetes.io/ssh-auth") => &["ssh-privatekey"],
        _ => &[],
    };
    for key in needed.iter().filter(|key| secret && object["data"].get(**key).is_none()) {
        errors.push(FieldError::required(format!("data[{key}]"), ""));
    }
}

fn budget(spec: &Value, errors: &mut Vec<FieldError>) {
    if !spec["minAvailable"].is_null() && !spec["maxUnavailable"].is_null() {
        let mut error =
            FieldError::invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set");
        error.value = Some(format!(
            "{{\"MinAvailable\":{},\"Selector\":{},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{}}}",
            spec["minAvailable"],
            spec["selector"],
            spec["maxUnavailable"],
            spec["unhealthyPodEvictionPolicy"]
        ));
        errors.push(error);
    }
}

fn ingress(spec: &Value, errors: &mut Vec<FieldError>) {
    if is_empty(&spec["rules"]) && spec["defaultBackend"].is_null() {
        let detail = "either `defaultBackend` or `rules` must be specified";
        errors.push(FieldError::invalid("spec", spec, detail));
    }
    for (index, rule) in spec["rules"].as_array().into_iter().flatten().enumerate() {
        for (at, path) in rule["http"]["paths"].as_array().into_iter().flatten().enumerate() {
            let place = format!("spec.rules[{index}].http.paths[{at}]");
            let kinds = ["Exact", "ImplementationSpecific", "Prefix"];
            match path["pathType"].as_str() {
                None => errors
                    .push(FieldError::required(format!("{place}.pathType"), "pathType must be specified")),
                Some(kind) if !kinds.contains(&kind) => {
                    errors.push(FieldError::not_supported(
                        format!("{place}.pathType"),
                        &path["pathType"],
                        &kinds,
                    ));
                }
                Some("Exact" | "Prefix") if !path["path"].as_str().unwrap_or_default().starts_with('/') => {
                    errors.push(FieldError::invalid(
                        format!("{place}.path"),
                        &path["path"],
                        "must be an absolute path",
                    ));
                }
                Some(_) => {}
            }
        }
    }
}

fn lease(spec: &Value, errors: &mut Vec<FieldError>) {
    if spec["leaseDurationSeconds"].as_i64().is_some_and(|seconds| seconds <= 0) {
        let path = "spec.leaseDurationSeconds";
        errors.push(FieldError::invalid(path, &spec["leaseDurationSeconds"], "must be greater than 0"));
    }
    not_negative(&spec["leaseTransitions"], "spec.leaseTransitions", errors);
}
