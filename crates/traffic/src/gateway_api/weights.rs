//! Shares of the split rules.

use object::{Map, Value};

use super::route::Route;
use crate::json::{items, set_weight};
use crate::settings::service;
use crate::{Additional, Problem, Reference, Weight};

/// Sets the shares of all split rules, those of mirror routes too, and adds and removes Experiments.
pub(super) fn set(route: &Route<'_>, rules: &mut [Value], weight: &Weight) -> Result<(), Problem> {
    let mut split = false;
    for rule in rules {
        if route.is_split(rule) {
            split = true;
            set_rule(route, rule, weight);
        }
    }
    if split { Ok(()) } else { Err(route.no_backend()) }
}

fn set_rule(route: &Route<'_>, rule: &mut Value, weight: &Weight) {
    let previous = route.previous();
    let current = weight.sorted();
    let port = items(rule, "backendRefs")
        .iter()
        .find(|backend| route.is(backend, route.services.stable))
        .and_then(|backend| backend.get("port").cloned());
    let Some(backends) = rule.get_mut("backendRefs").and_then(Value::as_array_mut) else { return };
    backends.retain(|backend| {
        let gone = |name: &&&str| !current.iter().any(|additional| additional.service == **name);
        !previous.iter().filter(gone).any(|name| route.is(backend, name))
    });
    for backend in backends.iter_mut() {
        if route.is(backend, route.services.canary) {
            set_weight(backend, weight.canary);
        } else if route.is(backend, route.services.stable) {
            set_weight(backend, weight.stable());
        } else if let Some(additional) =
            current.iter().find(|additional| route.is(backend, &additional.service))
        {
            set_weight(backend, additional.weight);
        }
    }
    for additional in current {
        if !backends.iter().any(|backend| route.is(backend, &additional.service)) {
            backends.push(experiment(route, additional, port.as_ref()));
        }
    }
}

/// Returns the destination of an Experiment: the port is that of its Service named `http`, else the first, else the
/// stable Service's.
fn experiment(route: &Route<'_>, additional: &Additional, stable_port: Option<&Value>) -> Value {
    let namespace = route.wanted.rollout.namespace();
    let mut backend = Map::new();
    backend.insert("group".to_owned(), "".into());
    backend.insert("kind".to_owned(), "Service".into());
    backend.insert("name".to_owned(), additional.service.as_str().into());
    if route.reference.namespace != namespace {
        backend.insert("namespace".to_owned(), namespace.into());
    }
    let observed = route.live.get(&Reference::new(service(), namespace, &additional.service));
    let ports = observed.map(|service| service.items(&["spec", "ports"])).unwrap_or_default();
    let named = ports.iter().find(|port| port["name"] == "http").or_else(|| ports.first());
    if let Some(port) = named.and_then(|port| port.get("port")).or(stable_port) {
        backend.insert("port".to_owned(), port.clone());
    }
    backend.insert("weight".to_owned(), additional.weight.into());
    Value::Object(backend)
}
