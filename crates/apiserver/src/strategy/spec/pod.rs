//! Checks of PodSpecs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::names;
use crate::field::FieldError;

/// Adds what is wrong with a PodSpec.
pub(super) fn spec(spec: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let volumes: BTreeSet<&str> = spec["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|volume| volume["name"].as_str())
        .collect();
    let containers = spec["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    if containers.is_empty() {
        errors.push(FieldError::required(format!("{path}.containers"), ""));
    }
    let mut seen = BTreeSet::new();
    for (list, index, container) in ["containers", "initContainers"].into_iter().flat_map(|list| {
        spec[list].as_array().into_iter().flatten().enumerate().map(move |(index, one)| (list, index, one))
    }) {
        let at = format!("{path}.{list}[{index}]");
        self::container(container, &at, errors);
        let name = container["name"].as_str().unwrap_or_default();
        if !name.is_empty() && !seen.insert(name) {
            errors.push(FieldError::duplicate(format!("{at}.name"), &container["name"]));
        }
        for (mount_index, mount) in container["volumeMounts"].as_array().into_iter().flatten().enumerate() {
            if !volumes.contains(mount["name"].as_str().unwrap_or_default()) {
                let path = format!("{at}.volumeMounts[{mount_index}].name");
                let value = Some(crate::field::printed(&mount["name"]));
                errors.push(not_found(path, value));
            }
        }
    }
    policies(spec, path, errors);
}

fn not_found(path: String, value: Option<String>) -> FieldError {
    FieldError { path, problem: crate::field::Problem::NotFound, value, detail: String::new() }
}

fn container(container: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match container["name"].as_str().unwrap_or_default() {
        "" => errors.push(FieldError::required(format!("{path}.name"), "")),
        name => {
            for why in names::dns_label(name) {
                errors.push(FieldError::invalid(format!("{path}.name"), &container["name"], why));
            }
        }
    }
    if container["image"].as_str().is_none_or(str::is_empty) {
        errors.push(FieldError::required(format!("{path}.image"), ""));
    }
    for (index, port) in container["ports"].as_array().into_iter().flatten().enumerate() {
        let at = format!("{path}.ports[{index}]");
        match &port["containerPort"] {
            Value::Null => errors.push(FieldError::required(format!("{at}.containerPort"), "")),
            zero if *zero == 0 => errors.push(FieldError::required(format!("{at}.containerPort"), "")),
            number => port_number(number, &format!("{at}.containerPort"), errors),
        }
        let protocols = ["SCTP", "TCP", "UDP"];
        if !protocols.contains(&port["protocol"].as_str().unwrap_or_default()) {
            errors.push(FieldError::not_supported(format!("{at}.protocol"), &port["protocol"], &protocols));
        }
    }
    for (index, variable) in container["env"].as_array().into_iter().flatten().enumerate() {
        if variable["name"].as_str().is_none_or(str::is_empty) {
            errors.push(FieldError::required(format!("{path}.env[{index}].name"), ""));
        }
        if variable["valueFrom"].is_object()
            && variable["value"].as_str().is_some_and(|text| !text.is_empty())
        {
            let at = format!("{path}.env[{index}].valueFrom");
            let why = "may not be specified when `value` is not empty";
            errors.push(FieldError::invalid(at, &Value::from(""), why));
        }
    }
    let pulls = ["Always", "IfNotPresent", "Never"];
    if !pulls.contains(&container["imagePullPolicy"].as_str().unwrap_or_default()) {
        let at = format!("{path}.imagePullPolicy");
        errors.push(FieldError::not_supported(at, &container["imagePullPolicy"], &pulls));
    }
    probes(container, path, errors);
    requests(container, path, errors);
}

fn probes(container: &Value, path: &str, errors: &mut Vec<FieldError>) {
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let probe = &container[name];
        let handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
        let count = handlers.iter().filter(|handler| probe[**handler].is_object()).count();
        if probe.is_object() && count == 0 {
            errors.push(FieldError::required(format!("{path}.{name}"), "must specify a handler type"));
        }
    }
}

fn requests(container: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let resources = &container["resources"];
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        let amount = |value: &Value| object::quantity::milli(value.as_str().unwrap_or_default());
        let limit = &resources["limits"][name];
        if let (Some(wanted), Some(most)) = (amount(request), amount(limit))
            && wanted > most
        {
            let detail = format!(
                "must be less than or equal to {name} limit of {}",
                limit.as_str().unwrap_or_default()
            );
            errors.push(FieldError::invalid(format!("{path}.resources.requests"), request, detail));
        }
    }
}

fn policies(spec: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let restarts = ["Always", "OnFailure", "Never"];
    if !restarts.contains(&spec["restartPolicy"].as_str().unwrap_or_default()) {
        let at = format!("{path}.restartPolicy");
        if spec["restartPolicy"].is_null() {
            errors.push(FieldError::required(at, ""));
        } else {
            errors.push(FieldError::not_supported(at, &spec["restartPolicy"], &restarts));
        }
    }
    let resolvers = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
    if spec["dnsPolicy"].is_string() && !resolvers.contains(&spec["dnsPolicy"].as_str().unwrap_or_default()) {
        errors.push(FieldError::not_supported(format!("{path}.dnsPolicy"), &spec["dnsPolicy"], &resolvers));
    }
    super::not_negative(
        &spec["terminationGracePeriodSeconds"],
        &format!("{path}.terminationGracePeriodSeconds"),
        errors,
    );
}

/// Adds what is wrong with a port's number.
pub(super) fn port_number(number: &Value, path: &str, errors: &mut Vec<FieldError>) {
    if !number.as_i64().is_some_and(|number| (1..=65_535).contains(&number)) {
        errors.push(FieldError::invalid(path, number, "must be between 1 and 65535, inclusive"));
    }
}
