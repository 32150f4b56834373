//! Requests and limits.

use object::{Map, Value, json, quantity};

use super::{Check, names};

const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Source: `validateResourceRequirements`.
pub(super) fn check(check: &mut Check, resources: &Value, path: &str) {
    let empty = Map::new();
    let of = |field: &str| resources[field].as_object().unwrap_or(&empty);
    let (limits, requests) = (of("limits"), of("requests"));
    for (name, amount) in limits {
        one(check, name, amount, &format!("{path}.limits[{name}]"));
    }
    for (name, amount) in requests {
        one(check, name, amount, &format!("{path}.requests[{name}]"));
        match limits.get(name) {
            Some(limit) => compare(check, name, (amount, limit), &format!("{path}.requests")),
            None if STANDARD.contains(&name.as_str()) => {}
            None => {
                let message = "Limit must be set for non overcommitable resources";
                check.required(&format!("{path}.limits"), message);
            }
        }
    }
    let has = |wanted: fn(&str) -> bool| limits.keys().chain(requests.keys()).any(|name| wanted(name));
    if has(|name| name.starts_with("hugepages-")) && !has(|name| name == "cpu" || name == "memory") {
        check.forbidden(path, "HugePages require cpu or memory");
    }
}

/// Checks the name and the amount of one resource.
fn one(check: &mut Check, name: &str, amount: &Value, path: &str) {
    let plain = !name.contains('/');
    let known = STANDARD.contains(&name) || name.starts_with("hugepages-");
    if plain && !known {
        check.invalid(path, &json!(name), "must be a standard resource type or fully qualified");
        check.invalid(path, &json!(name), "must be a standard resource for containers");
    } else if !plain {
        names::key(check, path, name);
    }
    let Some(milli) = milli(amount) else { return };
    let written = json!(written(amount));
    if milli < 0 {
        check.invalid(path, &written, "must be greater than or equal to 0");
    }
    if !plain && milli % 1000 != 0 {
        check.invalid(path, &written, "must be an integer");
    }
}

fn compare(check: &mut Check, name: &str, (amount, limit): (&Value, &Value), path: &str) {
    let (Some(asked), Some(most)) = (milli(amount), milli(limit)) else { return };
    let (asked_text, most_text) = (json!(written(amount)), written(limit));
    if asked != most && !STANDARD.contains(&name) {
        check.invalid(path, &asked_text, &format!("must be equal to {name} limit of {most_text}"));
    } else if asked > most {
        check.invalid(
            path,
            &asked_text,
            &format!("must be less than or equal to {name} limit of {most_text}"),
        );
    }
}

fn raw(amount: &Value) -> String {
    amount.as_str().map_or_else(|| amount.to_string(), str::to_owned)
}

/// Returns the amount in thousandths.
fn milli(amount: &Value) -> Option<i64> {
    quantity::milli(&raw(amount))
}

/// Returns the amount as Kubernetes writes it.
fn written(amount: &Value) -> String {
    quantity::canonical(&raw(amount)).unwrap_or_else(|_| raw(amount))
}
