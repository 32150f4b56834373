//! Header routes: an action, a condition, and a path that leads to them.

use api::rollout::SetHeaderRoute;
use object::{Object, Value, json};
use serde::Serialize;

use super::{Alb, action, of_wish, owned};
use crate::ingress::{leads_to, service_of};
use crate::json::{list_mut, nested_mut};
use crate::services::{Preferred, services};
use crate::{Problem, Wanted};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition<'a> {
    field: &'static str,
    http_header_config: HeaderConfig<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeaderConfig<'a> {
    http_header_name: &'a str,
    values: [&'a str; 1],
}

/// Makes the header route, or removes it when it has no match.
pub(super) fn set(
    alb: &Alb,
    object: &mut Object,
    step: &SetHeaderRoute,
    wanted: &Wanted<'_>,
) -> Result<(), Problem> {
    let managed = wanted.managed_names();
    if step.matches.is_empty() {
        remove(alb, object, &[&step.name], wanted.rollout.name())?;
        sort(object, &managed);
        return Ok(());
    }
    let canary = services(wanted, Preferred::PingPong).canary;
    let (action_key, condition_key) = (alb.action_key(&step.name), alb.condition_key(&step.name));
    action::put(object, &action_key, &action::forward(&alb.routing, &[(canary, 100)]));
    let conditions: Vec<Condition<'_>> = step
        .matches
        .iter()
        .map(|header| Condition {
            field: "http-header",
            http_header_config: HeaderConfig {
                http_header_name: &header.header_name,
                values: [header.header_value.as_ref().map_or("", |value| &value.exact)],
            },
        })
        .collect();
    action::put(object, &condition_key, &action::text(&conditions));
    owned::add(object, wanted.rollout.name(), &[action_key, condition_key])?;
    add_path(object, &step.name, alb.root(of_wish(wanted)));
    sort(object, &managed);
    Ok(())
}

/// Removes the header routes of these names.
pub(super) fn remove(alb: &Alb, object: &mut Object, names: &[&str], rollout: &str) -> Result<(), Problem> {
    let keys: Vec<String> =
        names.iter().flat_map(|name| [alb.action_key(name), alb.condition_key(name)]).collect();
    for key in &keys {
        object.remove(&["metadata", "annotations", key]);
    }
    owned::remove(object, rollout, &keys)?;
    remove_paths(object, names);
    Ok(())
}

/// Removes the paths that lead to header routes of these names.
pub(super) fn remove_paths(object: &mut Object, names: &[&str]) {
    for rule in list_mut(object, &["spec", "rules"]).into_iter().flatten() {
        if let Some(paths) = nested_mut(rule, "http", "paths") {
            paths.retain(|path| !names.contains(&service_of(path)));
        }
    }
}

/// Adds the path of the header route to the rules that lead to the root Service.
fn add_path(object: &mut Object, name: &str, root: &str) {
    for rule in list_mut(object, &["spec", "rules"]).into_iter().flatten() {
        let single = std::slice::from_ref(&*rule);
        if !leads_to(single, root) || leads_to(single, name) {
            continue;
        }
        let path = json!({
            "path": "/*",
            "pathType": "ImplementationSpecific",
            "backend": {"service": {"name": name, "port": {"name": "use-annotation"}}},
        });
        if let Some(paths) = nested_mut(rule, "http", "paths") {
            paths.insert(0, path);
        }
    }
}

/// Puts the paths of managed routes first, in their order.
fn sort(object: &mut Object, managed: &[&str]) {
    let position = |path: &Value| managed.iter().position(|name| service_of(path) == *name);
    for rule in list_mut(object, &["spec", "rules"]).into_iter().flatten() {
        if let Some(paths) = nested_mut(rule, "http", "paths") {
            paths.sort_by_key(|path| position(path).unwrap_or(managed.len()));
        }
    }
}
