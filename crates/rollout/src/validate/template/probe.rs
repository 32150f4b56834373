//! Probes and hooks of containers.

use object::{Value, json};

use super::{Check, items, ports};

const HANDLERS: [&str; 5] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

/// Checks the three probes of a container.
pub(super) fn probes(check: &mut Check, container: &Value, path: &str) {
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let (probe, path) = (&container[field], format!("{path}.{field}"));
        if probe.is_null() {
            continue;
        }
        handler(check, probe, &path);
        for field in
            ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
        {
            check.not_negative(&format!("{path}.{field}"), &probe[field]);
        }
        let grace = &probe["terminationGracePeriodSeconds"];
        if grace.as_i64().is_some_and(|seconds| seconds <= 0) {
            check.invalid(&format!("{path}.terminationGracePeriodSeconds"), grace, "must be greater than 0");
        }
        if field == "readinessProbe" {
            if !grace.is_null() {
                let message = "must not be set for readinessProbes";
                check.invalid(&format!("{path}.terminationGracePeriodSeconds"), grace, message);
            }
        } else if !matches!(probe["successThreshold"].as_i64(), None | Some(0 | 1)) {
            check.invalid(&format!("{path}.successThreshold"), &probe["successThreshold"], "must be 1");
        }
    }
}

/// Checks the hooks of a container.
pub(super) fn lifecycle(check: &mut Check, lifecycle: &Value, path: &str) {
    for field in ["postStart", "preStop"] {
        if !lifecycle[field].is_null() {
            handler(check, &lifecycle[field], &format!("{path}.{field}"));
        }
    }
}

/// Source: `validateHandler`.
fn handler(check: &mut Check, handler: &Value, path: &str) {
    let mut given = HANDLERS.into_iter().filter(|field| !handler[*field].is_null());
    let Some(first) = given.next() else { return check.required(path, "must specify a handler type") };
    let (action, place) = (&handler[first], format!("{path}.{first}"));
    match first {
        "exec" if items(action, "command").is_empty() => check.required(&format!("{place}.command"), ""),
        "httpGet" => {
            ports::number_or_name(check, &format!("{place}.port"), &action["port"]);
            check.one_of(&format!("{place}.scheme"), &action["scheme"], &["HTTP", "HTTPS"]);
        }
        "tcpSocket" => ports::number_or_name(check, &format!("{place}.port"), &action["port"]),
        "grpc" => {
            let port = json!(action["port"].as_i64().unwrap_or(0));
            ports::number_or_name(check, &format!("{place}.port"), &port);
        }
        _ => {}
    }
    for more in given {
        check.forbidden(&format!("{path}.{more}"), "may not specify more than 1 handler type");
    }
}
