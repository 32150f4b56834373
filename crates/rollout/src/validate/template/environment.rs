//! Environment variables.

use object::{Value, json};

use super::{Check, at, names, text};

/// Source: `ValidateEnv`.
pub(super) fn variables(check: &mut Check, variables: &[Value], path: &str) {
    for (index, variable) in variables.iter().enumerate() {
        let path = at(path, index);
        match text(variable, "name") {
            "" => check.required(&format!("{path}.name"), ""),
            name => names::variable(check, &format!("{path}.name"), name),
        }
        if !variable["valueFrom"].is_null() {
            value_from(check, variable, &format!("{path}.valueFrom"));
        }
    }
}

/// Source: `validateEnvVarValueFrom`.
fn value_from(check: &mut Check, variable: &Value, path: &str) {
    let from = &variable["valueFrom"];
    for field in ["configMapKeyRef", "secretKeyRef"] {
        let key = &from[field];
        if key.is_null() {
            continue;
        }
        names::subdomain(check, &format!("{path}.{field}.name"), text(key, "name"));
        if text(key, "key").is_empty() {
            check.required(&format!("{path}.{field}.key"), "");
        }
    }
    let fields = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
    let message = match fields.iter().filter(|field| !from[**field].is_null()).count() {
        0 => "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
        _ if !text(variable, "value").is_empty() => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    check.invalid(path, &json!(""), message);
}

/// Source: `ValidateEnvFrom`.
pub(super) fn sources(check: &mut Check, sources: &[Value], path: &str) {
    for (index, source) in sources.iter().enumerate() {
        let place = at(path, index);
        if !text(source, "prefix").is_empty() {
            names::variable(check, &format!("{place}.prefix"), text(source, "prefix"));
        }
        let named = ["configMapRef", "secretRef"].into_iter().filter(|field| !source[*field].is_null());
        let count = named.clone().count();
        for field in named {
            match text(&source[field], "name") {
                "" => check.required(&format!("{place}.{field}.name"), ""),
                name => names::subdomain(check, &format!("{place}.{field}.name"), name),
            }
        }
        match count {
            0 => check.invalid(path, &json!(""), "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => check.invalid(path, &json!(""), "may not have more than one field specified at a time"),
        }
    }
}
