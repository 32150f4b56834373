//! HTTP routes that steps make: found by name, put on top in the order of `managedRoutes`.

use api::rollout::{HeaderMatch, IstioVirtualService, RouteMatch, SetHeaderRoute, SetMirrorRoute};
use object::{Map, Object, Value, json};

use super::hosts::Hosts;
use super::routes::{Protocol, split};
use crate::json::{items, keep_or_replace, list_mut, text};
use crate::{Problem, Reference};

/// Fields of a route that a step decides.
const FIELDS: [&str; 5] = ["name", "match", "route", "mirror", "mirrorPercentage"];

/// Removes the routes of all managed routes.
pub(super) fn remove(object: &mut Object, names: &[&str]) {
    if let Some(routes) = list_mut(object, &["spec", "http"]) {
        routes.retain(|route| !names.contains(&text(route, "name")));
    }
}

/// Puts managed routes on top, in their order; the others keep theirs.
pub(super) fn order(object: &mut Object, names: &[&str]) {
    if let Some(routes) = list_mut(object, &["spec", "http"]) {
        let position = |route: &Value| names.iter().position(|name| text(route, "name") == *name);
        routes.sort_by_key(|route| position(route).unwrap_or(names.len()));
    }
}

/// Makes or removes the route that sends requests with one of the headers to the new version.
pub(super) fn set_header(
    object: &mut Object,
    config: &IstioVirtualService,
    hosts: &Hosts<'_>,
    step: &SetHeaderRoute,
) -> Result<(), Problem> {
    let made = if step.matches.is_empty() {
        None
    } else {
        let destination = hosts.canary(first_destination(object, config, hosts)?.as_ref());
        let matches: Vec<Value> = step.matches.iter().map(header_match).collect();
        Some(json!({
            "name": step.name,
            "match": matches,
            "route": [{"destination": destination, "weight": 100}],
        }))
    };
    put(object, &step.name, made, hosts)
}

fn header_match(header: &HeaderMatch) -> Value {
    let value = header.header_value.as_ref().map_or_else(|| json!({}), api::write);
    json!({"headers": {header.header_name.as_str(): value}})
}

/// Makes or removes the route that is split as before and copies requests for the new version.
pub(super) fn set_mirror(
    object: &mut Object,
    config: &IstioVirtualService,
    hosts: &Hosts<'_>,
    step: &SetMirrorRoute,
) -> Result<(), Problem> {
    let made = if step.matches.is_empty() {
        None
    } else {
        let source = source(object, config, hosts)?;
        let destinations = items(&source, "route");
        let matches: Vec<Value> = step.matches.iter().map(route_match).collect();
        Some(json!({
            "name": step.name,
            "match": matches,
            "route": destinations,
            "mirror": hosts.canary(destinations.first()),
            "mirrorPercentage": {"value": step.percentage.unwrap_or(100)},
        }))
    };
    put(object, &step.name, made, hosts)
}

fn route_match(wanted: &RouteMatch) -> Value {
    let mut matched = Map::new();
    for (field, value) in [("method", &wanted.method), ("uri", &wanted.path)] {
        if let Some(value) = value {
            matched.insert(field.to_owned(), api::write(value));
        }
    }
    if !wanted.headers.is_empty() {
        matched.insert("headers".to_owned(), api::write(&wanted.headers));
    }
    Value::Object(matched)
}

/// Returns the first HTTP route that is split.
fn source(object: &Object, config: &IstioVirtualService, hosts: &Hosts<'_>) -> Result<Value, Problem> {
    let problem = |message: String| Problem::at(&Reference::of(object), "spec.http", message);
    let indices = split(object, Protocol::Http, config, hosts).map_err(problem)?;
    let route = indices.first().and_then(|index| object.items(&["spec", "http"]).get(*index));
    route.cloned().ok_or_else(|| problem("spec.http not found".to_owned()))
}

fn first_destination(
    object: &Object,
    config: &IstioVirtualService,
    hosts: &Hosts<'_>,
) -> Result<Option<Value>, Problem> {
    Ok(items(&source(object, config, hosts)?, "route").first().cloned())
}

/// Makes `made` the route `name`; fields that a step does not decide stay.
fn put(object: &mut Object, name: &str, made: Option<Value>, hosts: &Hosts<'_>) -> Result<(), Problem> {
    let reference = Reference::of(object);
    let Some(routes) = list_mut(object, &["spec", "http"]) else {
        return match made {
            None => Ok(()),
            Some(_) => Err(Problem::at(&reference, "spec.http", "spec.http not found")),
        };
    };
    let place = routes.iter().position(|route| text(route, "name") == name);
    match (place, made) {
        (None, None) => return Ok(()),
        (Some(index), None) => {
            routes.remove(index);
        }
        (Some(index), Some(made)) => routes[index] = keep_or_replace(&routes[index], &made, &FIELDS),
        (None, Some(made)) => routes.insert(0, made),
    }
    order(object, &hosts.managed);
    Ok(())
}
