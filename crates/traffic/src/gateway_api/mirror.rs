//! Copies of requests for the new version.

use api::rollout::{RouteMatch, SetMirrorRoute, StringMatch};
use object::{Value, json};

use super::RouteKind;
use super::header::{check_name, default_match, header_match, joined};
use super::managed::rule_name;
use super::route::Route;
use crate::Problem;
use crate::json::{items, put, text};

/// Returns one rule for each split rule: for what both it and the step match, split alike, with a copy for the new
/// version.
pub(super) fn rules(
    route: &Route<'_>,
    rules: &[Value],
    step: &SetMirrorRoute,
) -> Result<Vec<Value>, Problem> {
    check_name(route, &step.name)?;
    let sources = route.sources(rules)?;
    let made = sources.iter().enumerate().map(|(index, source)| {
        let mut filters = items(source, "filters").to_vec();
        filters.push(copy(route, source, step.percentage));
        json!({
            "name": rule_name(&step.name, index),
            "matches": matches(source, &step.matches),
            "filters": filters,
            "backendRefs": source["backendRefs"],
        })
    });
    Ok(made.collect())
}

/// Puts a copy into the split rules themselves, or removes it when the step has no match.
pub(super) fn filter(route: &Route<'_>, rules: &mut [Value], step: &SetMirrorRoute) -> Result<(), Problem> {
    if step.matches.is_empty() {
        strip(route, rules);
        return Ok(());
    }
    route.sources(rules)?;
    for rule in rules.iter_mut().filter(|rule| route.is_split(rule)) {
        let wanted = copy(route, rule, step.percentage);
        let present = copies(route, rule);
        if let Some(filters) = rule.get_mut("filters").and_then(Value::as_array_mut) {
            if present {
                for filter in filters.iter_mut().filter(|filter| is_copy(route, filter)) {
                    *filter = crate::json::keep_or_replace(filter, &wanted, &["requestMirror", "type"]);
                }
            } else {
                filters.push(wanted);
            }
        } else {
            put(rule, "filters", json!([wanted]));
        }
    }
    Ok(())
}

/// Removes copies for the new version from the split rules; other mirrors stay.
pub(super) fn strip(route: &Route<'_>, rules: &mut [Value]) {
    for rule in rules.iter_mut().filter(|rule| route.is_split(rule)) {
        let Some(filters) = rule.get_mut("filters").and_then(Value::as_array_mut) else { continue };
        let before = filters.len();
        filters.retain(|filter| !is_copy(route, filter));
        if filters.is_empty()
            && before > 0
            && let Value::Object(rule) = rule
        {
            rule.remove("filters");
        }
    }
}

/// Returns true when a rule copies requests for the new version.
pub(super) fn copies(route: &Route<'_>, rule: &Value) -> bool {
    items(rule, "filters").iter().any(|filter| is_copy(route, filter))
}

/// Returns true when a filter copies requests for the new version.
pub(super) fn is_copy(route: &Route<'_>, filter: &Value) -> bool {
    text(filter, "type") == "RequestMirror"
        && route.is(&filter["requestMirror"]["backendRef"], route.services.canary)
}

fn copy(route: &Route<'_>, source: &Value, percentage: Option<i32>) -> Value {
    let backends = items(source, "backendRefs");
    let own = backends.iter().find(|backend| route.is(backend, route.services.canary));
    let mut backend = json!({"group": "", "kind": "Service", "name": route.services.canary});
    for field in ["namespace", "port"] {
        if let Some(value) = own.and_then(|own| own.get(field)) {
            backend[field] = value.clone();
        }
    }
    let mut mirror = json!({"backendRef": backend});
    if let Some(percentage) = percentage {
        mirror["percent"] = percentage.into();
    }
    json!({"type": "RequestMirror", "requestMirror": mirror})
}

fn matches(source: &Value, wanted: &[RouteMatch]) -> Value {
    let every = [default_match(RouteKind::Http)];
    let matches = items(source, "matches");
    let matches = if matches.is_empty() { &every } else { matches };
    matches.iter().flat_map(|matched| wanted.iter().map(move |wanted| narrowed(matched, wanted))).collect()
}

fn narrowed(matched: &Value, wanted: &RouteMatch) -> Value {
    let mut matched = matched.clone();
    if let Some(method) = &wanted.method {
        let text = [&method.exact, &method.prefix, &method.regex].into_iter().find(|text| !text.is_empty());
        put(&mut matched, "method", text.cloned().unwrap_or_default());
    }
    if let Some(path) = wanted.path.as_ref().and_then(path_match) {
        put(&mut matched, "path", path);
    }
    let headers: Vec<Value> =
        wanted.headers.iter().filter_map(|(name, value)| header_match(name, value)).collect();
    if !headers.is_empty() {
        let all = joined(&headers, items(&matched, "headers"));
        put(&mut matched, "headers", all);
    }
    matched
}

fn path_match(path: &StringMatch) -> Option<Value> {
    let kinds = [("Exact", &path.exact), ("PathPrefix", &path.prefix), ("RegularExpression", &path.regex)];
    let (kind, value) = kinds.into_iter().find(|(_, value)| !value.is_empty())?;
    Some(json!({"type": kind, "value": value}))
}
