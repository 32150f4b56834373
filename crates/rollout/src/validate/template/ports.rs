//! Ports of containers.

use std::collections::BTreeSet;

use object::{Value, json};

use super::{Check, at, items, names, text};

const RANGE: (i64, i64) = (1, 65_535);

/// Source: `validateContainerPorts`.
pub(super) fn check(check: &mut Check, ports: &[Value], path: &str) {
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = at(path, index);
        let name = text(port, "name");
        let wrong = if name.is_empty() { Vec::new() } else { names::port(name) };
        wrong.iter().for_each(|why| check.invalid(&format!("{path}.name"), &json!(name), why));
        if wrong.is_empty() && !name.is_empty() && !seen.insert(name) {
            check.duplicate(&format!("{path}.name"), name);
        }
        if port["containerPort"].as_i64().unwrap_or(0) == 0 {
            check.required(&format!("{path}.containerPort"), "");
        } else {
            check.within(&format!("{path}.containerPort"), &port["containerPort"], RANGE);
        }
        if port["hostPort"] != 0 {
            check.within(&format!("{path}.hostPort"), &port["hostPort"], RANGE);
        }
        check.one_of(&format!("{path}.protocol"), &port["protocol"], &["SCTP", "TCP", "UDP"]);
    }
}

/// Refuses the same port of the node twice. Source: `checkHostPortConflicts`.
pub(super) fn host_conflicts(check: &mut Check, containers: &[Value], path: &str) {
    let mut seen = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        for (number, port) in items(container, "ports").iter().enumerate() {
            let host = port["hostPort"].as_i64().unwrap_or(0);
            let protocol = match text(port, "protocol") {
                "" => "TCP",
                protocol => protocol,
            };
            let taken = format!("{protocol}/{}/{host}", text(port, "hostIP"));
            if host != 0 && !seen.insert(taken.clone()) {
                check.duplicate(&format!("{}.ports[{number}].hostPort", at(path, index)), &taken);
            }
        }
    }
}

/// Refuses a port that is neither a number nor a name. Source: `ValidatePortNumOrName`.
pub(super) fn number_or_name(check: &mut Check, path: &str, port: &Value) {
    match port.as_str() {
        Some(name) => {
            names::port(name).iter().for_each(|why| check.invalid(path, port, why));
        }
        None => check.within(path, &json!(port.as_i64().unwrap_or(0)), RANGE),
    }
}
