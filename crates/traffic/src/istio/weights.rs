//! Shares of the destinations of a VirtualService.

use api::rollout::IstioVirtualService;
use object::{Object, Value, json};

use super::hosts::{Hosts, Owner};
use super::managed;
use super::routes::{Protocol, holds_both, split};
use crate::json::{list_mut, set_weight, text};
use crate::{Problem, Reference, Weight};

/// Sets the shares of all routes that are split, and of mirror routes that steps have made.
pub(super) fn set(
    object: &mut Object,
    config: &IstioVirtualService,
    hosts: &Hosts<'_>,
    weight: &Weight,
) -> Result<(), Problem> {
    let before = object.clone();
    for protocol in Protocol::ALL {
        let field = protocol.field();
        let mut indices = split(object, protocol, config, hosts)
            .map_err(|message| Problem::at(&Reference::of(object), &format!("spec.{field}"), message))?;
        if protocol == Protocol::Http {
            indices.extend(mirrors(object, hosts));
        }
        let Some(routes) = list_mut(object, &["spec", field]) else { continue };
        for index in indices {
            if let Some(destinations) = routes[index].get_mut("route").and_then(Value::as_array_mut) {
                share(destinations, hosts, weight);
            }
        }
    }
    if *object != before {
        managed::order(object, &hosts.managed);
    }
    Ok(())
}

fn mirrors(object: &Object, hosts: &Hosts<'_>) -> Vec<usize> {
    let routes = object.items(&["spec", "http"]);
    let is_mirror = |route: &Value| {
        route.get("mirror").is_some()
            && hosts.managed.contains(&text(route, "name"))
            && holds_both(route, hosts).is_ok()
    };
    (0..routes.len()).filter(|index| is_mirror(&routes[*index])).collect()
}

/// Sets the shares of one route. Destinations that nobody knows lose theirs, because all shares add up to the total;
/// those without a share stay.
fn share(destinations: &mut Vec<Value>, hosts: &Hosts<'_>, weight: &Weight) {
    let of = |destination: &Value| destination["weight"].as_i64().unwrap_or_default();
    destinations.retain(|destination| {
        hosts.owner(destination, Some(weight)) != Owner::Unknown || of(destination) == 0
    });
    let kept: i64 = destinations
        .iter()
        .filter(|destination| hosts.owner(destination, Some(weight)) == Owner::Kept)
        .map(of)
        .sum();
    let kept = i32::try_from(kept).unwrap_or_default();
    let mut present = Vec::new();
    for destination in destinations.iter_mut() {
        match hosts.owner(destination, Some(weight)) {
            Owner::Canary => set_one(destination, weight.canary),
            Owner::Stable => set_one(destination, (weight.stable() - kept).max(0)),
            Owner::Experiment(index) => {
                present.push(weight.additional[index].service.clone());
                set_one(destination, weight.additional[index].weight);
            }
            Owner::Kept | Owner::Unknown => {}
        }
    }
    for additional in weight.sorted() {
        if !present.contains(&additional.service) {
            destinations
                .push(json!({"destination": {"host": additional.service}, "weight": additional.weight}));
        }
    }
}

fn set_one(destination: &mut Value, weight: i32) {
    // No weight is a weight of 0.
    if weight != 0 || destination.get("weight").is_some() {
        set_weight(destination, weight);
    }
}
