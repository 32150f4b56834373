//! The defaults of pods and pod templates.

use serde_json::{Value, json};

use super::{each, set, tidy};

/// The defaults of a Pod: those of its spec, and more.
pub(super) fn pod(object: &mut Value) {
    let pod_spec = &mut object["spec"];
    for list in ["containers", "initContainers"] {
        each(&mut pod_spec[list], requests_from_limits);
    }
    set(pod_spec, "enableServiceLinks", true);
    spec(pod_spec);
    if object["status"].is_null() {
        object["status"] = json!({});
    }
}

/// The defaults of a pod template.
pub(super) fn template(template: &mut Value) {
    set(template, "metadata", json!({}));
    spec(&mut template["spec"]);
}

/// The defaults of a PodSpec.
pub(super) fn spec(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    set(spec, "dnsPolicy", "ClusterFirst");
    set(spec, "restartPolicy", "Always");
    set(spec, "securityContext", json!({}));
    set(spec, "terminationGracePeriodSeconds", 30);
    set(spec, "schedulerName", "default-scheduler");
    match (spec["serviceAccountName"].clone(), spec["serviceAccount"].clone()) {
        (Value::Null, Value::Null) => {}
        (Value::Null, old) => spec["serviceAccountName"] = old,
        (name, _) => spec["serviceAccount"] = name,
    }
    let host = spec["hostNetwork"] == true;
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        each(&mut spec[list], container);
        each(&mut spec[list], |container| {
            each(&mut container["ports"], |port| {
                if host && port["hostPort"].is_null() {
                    port["hostPort"] = port["containerPort"].clone();
                }
            });
            tidy(container);
        });
    }
    each(&mut spec["volumes"], volume);
    tidy(spec);
}

fn requests_from_limits(container: &mut Value) {
    let Some(limits) = container["resources"]["limits"].as_object().cloned() else { return };
    for (name, limit) in limits {
        if container["resources"]["requests"][&name].is_null() {
            container["resources"]["requests"][&name] = limit;
        }
    }
}

fn container(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or_default().to_owned();
    set(container, "imagePullPolicy", pull_policy(&image));
    set(container, "terminationMessagePath", "/dev/termination-log");
    set(container, "terminationMessagePolicy", "File");
    set(container, "resources", json!({}));
    each(&mut container["ports"], |port| set(port, "protocol", "TCP"));
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container[name].is_object() {
            probe(&mut container[name]);
        }
    }
    for hook in ["postStart", "preStop"] {
        if container["lifecycle"][hook]["httpGet"].is_object() {
            http_get(&mut container["lifecycle"][hook]["httpGet"]);
        }
    }
    if let Some(map) = container["lifecycle"].as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    each(&mut container["env"], |variable| {
        if variable["valueFrom"]["fieldRef"].is_object() {
            set(&mut variable["valueFrom"]["fieldRef"], "apiVersion", "v1");
        }
        if variable["valueFrom"].is_object() {
            tidy(&mut variable["valueFrom"]);
        }
        tidy(variable);
    });
    tidy(container);
}

/// `Always` for the tag `latest`, said or not, else `IfNotPresent`.
fn pull_policy(image: &str) -> &'static str {
    let last = image.rsplit('/').next().unwrap_or_default();
    let by_digest = last.contains('@');
    let tag = last.split('@').next().and_then(|name| name.split_once(':')).map_or("", |(_, tag)| tag);
    if tag == "latest" || (tag.is_empty() && !by_digest) { "Always" } else { "IfNotPresent" }
}

fn probe(probe: &mut Value) {
    if probe["httpGet"].is_object() {
        http_get(&mut probe["httpGet"]);
    }
    if probe["grpc"].is_object() {
        set(&mut probe["grpc"], "service", "");
    }
    set(probe, "timeoutSeconds", 1);
    set(probe, "periodSeconds", 10);
    set(probe, "successThreshold", 1);
    set(probe, "failureThreshold", 3);
    tidy(probe);
}

fn http_get(action: &mut Value) {
    set(action, "path", "/");
    set(action, "scheme", "HTTP");
}

fn volume(volume: &mut Value) {
    let sources = volume.as_object().map_or(0, serde_json::Map::len);
    if sources <= 1 {
        volume["emptyDir"] = json!({});
        return;
    }
    for name in ["secret", "configMap", "downwardAPI", "projected"] {
        if volume[name].is_object() {
            set(&mut volume[name], "defaultMode", 0o644);
        }
    }
    if volume["hostPath"].is_object() {
        set(&mut volume["hostPath"], "type", "");
    }
    let reference = |item: &mut Value| {
        if item["fieldRef"].is_object() {
            set(&mut item["fieldRef"], "apiVersion", "v1");
        }
        tidy(item);
    };
    if volume["downwardAPI"].is_object() {
        each(&mut volume["downwardAPI"]["items"], reference);
        tidy(&mut volume["downwardAPI"]);
    }
    if volume["projected"].is_object() {
        each(&mut volume["projected"]["sources"], |source| {
            if source["serviceAccountToken"].is_object() {
                set(&mut source["serviceAccountToken"], "expirationSeconds", 3600);
            }
            if source["downwardAPI"].is_object() {
                each(&mut source["downwardAPI"]["items"], reference);
                tidy(&mut source["downwardAPI"]);
            }
            tidy(source);
        });
        tidy(&mut volume["projected"]);
    }
    tidy(volume);
}

#[cfg(test)]
mod tests {
    use super::pull_policy;

    #[test]
    fn only_latest_is_always_pulled() {
        for (image, policy) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("registry:5000/nginx", "Always"),
            ("nginx:1.25", "IfNotPresent"),
            ("registry:5000/a/nginx:1", "IfNotPresent"),
            ("nginx@sha256:abc", "IfNotPresent"),
        ] {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }
}
