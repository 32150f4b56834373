//! Header routes: a copy of the split rules for requests with the headers, before the rules they are copied of.

use api::rollout::{HeaderMatch, SetHeaderRoute};
use object::{Object, Value, json};

use super::Apisix;
use crate::json::{items, keep_or_replace, text};
use crate::services::{Preferred, services};
use crate::{Change, Live, Problem, Reference, Routed, Wanted};

/// Removes the header route `name` when the Rollout owns it.
pub(super) fn remove(apisix: &Apisix, name: &str, wanted: &Wanted<'_>, live: &Live, routed: &mut Routed) {
    let reference = apisix.reference(wanted.rollout, name);
    let Some(found) = live.get(&reference) else { return };
    if is_owned(found, wanted) {
        routed.changes.push(Change::Delete { reference, uid: found.uid().to_owned() });
    }
}

/// Makes the header route, or removes it when it has no match.
pub(super) fn set(
    apisix: &Apisix,
    step: &SetHeaderRoute,
    main: &Object,
    wanted: &Wanted<'_>,
    live: &Live,
    routed: &mut Routed,
) -> Result<(), Problem> {
    let reference = apisix.reference(wanted.rollout, &step.name);
    let found = live.get(&reference);
    if let Some(found) = found.filter(|found| !is_owned(found, wanted)) {
        let message = format!("duplicate ApisixRoute [{}] already exists", step.name);
        return Err(Problem::at(&Reference::of(found), "metadata.ownerReferences", message));
    }
    if step.matches.is_empty() {
        remove(apisix, &step.name, wanted, live, routed);
        return Ok(());
    }
    let rules = rules(apisix, step, main, wanted)?;
    match found {
        Some(found) => {
            let mut object = found.as_ref().clone();
            let before = found.items(&["spec", "http"]);
            let rules: Vec<Value> = rules.iter().map(|rule| kept(before, rule)).collect();
            object.set(&["spec", "http"], rules);
            routed.patch(found, &object);
        }
        None => {
            let mut object = Object::new(&reference.gvk, &reference.key());
            for (field, map) in [("labels", main.labels()), ("annotations", main.annotations())] {
                for (key, value) in map.iter().filter(|(key, _)| *key != LAST_APPLIED) {
                    object.set(&["metadata", field, key], value.as_str());
                }
            }
            let owner = api::write(&wanted.rollout.object.controller_reference());
            object.set(&["metadata", "ownerReferences"], Value::Array(vec![owner]));
            if let Some(class) = main.get(&["spec", "ingressClassName"]) {
                object.set(&["spec", "ingressClassName"], class.clone());
            }
            object.set(&["spec", "http"], rules);
            routed.changes.push(Change::Create(object));
        }
    }
    Ok(())
}

/// Annotation of `kubectl apply`: it is about the object that was copied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn is_owned(found: &Object, wanted: &Wanted<'_>) -> bool {
    found.controller_uid() == Some(wanted.rollout.object.uid())
}

/// Returns `rule` with what only the one of the same name before it has.
fn kept(before: &[Value], rule: &Value) -> Value {
    let fields: Vec<&str> = rule.as_object().into_iter().flatten().map(|(field, _)| field.as_str()).collect();
    match before.iter().find(|before| before["name"] == rule["name"]) {
        Some(before) => keep_or_replace(before, rule, &fields),
        None => rule.clone(),
    }
}

fn rules(
    apisix: &Apisix,
    step: &SetHeaderRoute,
    main: &Object,
    wanted: &Wanted<'_>,
) -> Result<Vec<Value>, Problem> {
    let services = services(wanted, Preferred::Explicit);
    let indices = apisix
        .split(main, services)
        .map_err(|message| Problem::at(&Reference::of(main), "spec.http", message))?;
    let routes = main.items(&["spec", "http"]);
    let made = indices.into_iter().map(|index| {
        let mut rule = routes[index].clone();
        let mut backends = items(&rule, "backends").to_vec();
        backends.retain(|backend| text(backend, "serviceName") != services.stable);
        for backend in backends.iter_mut().filter(|backend| text(backend, "serviceName") == services.canary) {
            backend["weight"] = 100.into();
        }
        rule["backends"] = backends.into();
        rule["priority"] = (rule["priority"].as_i64().unwrap_or_default() + 1).into();
        let mut expressions = items(&rule["match"], "exprs").to_vec();
        expressions.extend(step.matches.iter().filter_map(expression));
        rule["match"]["exprs"] = expressions.into();
        rule
    });
    Ok(made.collect())
}

fn expression(header: &HeaderMatch) -> Option<Value> {
    let value = header.header_value.as_ref()?;
    let (operator, text) = if !value.exact.is_empty() {
        ("Equal", value.exact.clone())
    } else if !value.regex.is_empty() {
        ("RegexMatch", value.regex.clone())
    } else if !value.prefix.is_empty() {
        ("RegexMatch", crate::regex::starting_with(&value.prefix))
    } else {
        return None;
    };
    Some(json!({"subject": {"scope": "Header", "name": header.header_name}, "op": operator, "value": text}))
}
