//! Rules that send requests with certain headers to the new version.

use api::rollout::{SetHeaderRoute, StringMatch};
use object::{Value, json};

use super::RouteKind;
use super::managed::rule_name;
use super::mirror;
use super::route::Route;
use crate::Problem;
use crate::json::{items, put, text};

/// Returns one rule for each split rule: its matches with the step's headers added, all to the new version.
pub(super) fn rules(
    route: &Route<'_>,
    rules: &[Value],
    step: &SetHeaderRoute,
) -> Result<Vec<Value>, Problem> {
    check_name(route, &step.name)?;
    let headers = headers(route, step)?;
    let sources = route.sources(rules)?;
    let made = sources.iter().enumerate().map(|(index, source)| {
        let mut rule = json!({
            "name": rule_name(&step.name, index),
            "matches": matches(route.kind, source, &headers),
            "backendRefs": [canary(route, source)],
        });
        // What goes to the new version needs no copy for it.
        let filters: Vec<Value> = items(source, "filters")
            .iter()
            .filter(|filter| !mirror::is_copy(route, filter))
            .cloned()
            .collect();
        if !filters.is_empty() {
            put(&mut rule, "filters", filters);
        }
        rule
    });
    Ok(made.collect())
}

/// Checks that a managed route's name can be that of a rule.
pub(super) fn check_name(route: &Route<'_>, name: &str) -> Result<(), Problem> {
    match wrong_name(name) {
        Some(message) => Err(Problem::at(route.reference, "spec.rules[].name", message)),
        None => Ok(()),
    }
}

/// Returns why a managed route's name cannot be that of a rule.
pub(super) fn wrong_name(name: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = name.bytes().next().is_some_and(allowed) && name.bytes().last().is_some_and(allowed);
    let right = ends && name.bytes().all(|byte| allowed(byte) || byte == b'-' || byte == b'.');
    (!right).then(|| {
        format!("the managed route {name:?} cannot be the name of a rule: use a-z, 0-9, '-' and '.'")
    })
}

/// Returns the headers of a step; all of them must match.
fn headers(route: &Route<'_>, step: &SetHeaderRoute) -> Result<Vec<Value>, Problem> {
    step.matches
        .iter()
        .map(|header| {
            let value =
                header.header_value.as_ref().and_then(|value| header_match(&header.header_name, value));
            let field = "spec.rules[].matches[].headers";
            value.ok_or_else(|| Problem::at(route.reference, field, "invalid header match type"))
        })
        .collect()
}

/// Returns a header match; there is no prefix match, so that is an anchored expression.
pub(super) fn header_match(name: &str, value: &StringMatch) -> Option<Value> {
    let (kind, value) = if !value.exact.is_empty() {
        ("Exact", value.exact.clone())
    } else if !value.prefix.is_empty() {
        ("RegularExpression", crate::regex::starting_with(&value.prefix))
    } else if !value.regex.is_empty() {
        ("RegularExpression", value.regex.clone())
    } else {
        return None;
    };
    Some(json!({"name": name, "type": kind, "value": value}))
}

/// Returns `first` and then those of `second` with other names; header names are a key, whatever their case.
pub(super) fn joined(first: &[Value], second: &[Value]) -> Vec<Value> {
    let named = |header: &Value| text(header, "name").to_lowercase();
    let others = second.iter().filter(|header| !first.iter().any(|own| named(own) == named(header)));
    others.chain(first).cloned().collect()
}

fn matches(kind: RouteKind, source: &Value, headers: &[Value]) -> Value {
    let every = [default_match(kind)];
    let matches = items(source, "matches");
    let matches = if matches.is_empty() { &every } else { matches };
    let made = matches.iter().map(|matched| {
        let mut matched = matched.clone();
        let all = joined(headers, items(&matched, "headers"));
        put(&mut matched, "headers", all);
        matched
    });
    made.collect()
}

/// Returns the match of a rule that has none, with the API server's defaults, so that they are no drift.
pub(super) fn default_match(kind: RouteKind) -> Value {
    match kind {
        RouteKind::Http => json!({"path": {"type": "PathPrefix", "value": "/"}}),
        RouteKind::Grpc | RouteKind::Tcp | RouteKind::Tls => json!({}),
    }
}

fn canary(route: &Route<'_>, source: &Value) -> Value {
    let backends = items(source, "backendRefs");
    let own = backends.iter().find(|backend| route.is(backend, route.services.canary));
    let mut backend = json!({"group": "", "kind": "Service", "name": route.services.canary, "weight": 1});
    for field in ["namespace", "port"] {
        if let Some(value) = own.and_then(|own| own.get(field)) {
            backend[field] = value.clone();
        }
    }
    backend
}
