//! Header routes: a copy of the split rules for requests with the headers, before the rules they are copied of.

use api::rollout::{HeaderMatch, SetHeaderRoute};
use object::{Object, Value, json};

use super::{Apisix, reference};
use crate::json::{items, keep_or_replace, put, text};
use crate::services::{Preferred, services};
use crate::{Change, Live, Problem, Reference, Routed, Wanted};

/// A header route in the making.
pub(super) struct Making<'a> {
    pub(super) apisix: &'a Apisix,
    pub(super) wanted: &'a Wanted<'a>,
    pub(super) live: &'a Live,
}

impl Making<'_> {
    /// Removes the header route `name` when the Rollout owns it.
    pub(super) fn remove(&self, name: &str, routed: &mut Routed) {
        let reference = reference(self.wanted.rollout, name);
        let Some(found) = self.live.get(&reference) else { return };
        if is_owned(found, self.wanted) {
            routed.changes.push(Change::Delete { reference, uid: found.uid().to_owned() });
        }
    }

    /// Makes the header route of `main`, or removes it when it has no match.
    pub(super) fn set(
        &self,
        step: &SetHeaderRoute,
        main: &Object,
        routed: &mut Routed,
    ) -> Result<(), Problem> {
        let reference = reference(self.wanted.rollout, &step.name);
        let found = self.live.get(&reference);
        if let Some(found) = found.filter(|found| !is_owned(found, self.wanted)) {
            let message = format!("duplicate ApisixRoute [{}] already exists", step.name);
            return Err(Problem::at(&Reference::of(found), "metadata.ownerReferences", message));
        }
        if step.matches.is_empty() {
            self.remove(&step.name, routed);
            return Ok(());
        }
        let rules = rules(self.apisix, step, main, self.wanted)?;
        let Some(found) = found else {
            routed.changes.push(Change::Create(self.made(&reference, main, rules)));
            return Ok(());
        };
        let mut object = found.as_ref().clone();
        let before = found.items(&["spec", "http"]);
        let rules: Vec<Value> = rules.iter().map(|rule| kept(before, rule)).collect();
        object.set(&["spec", "http"], rules);
        routed.patch(found, &object);
        Ok(())
    }

    fn made(&self, reference: &Reference, main: &Object, rules: Vec<Value>) -> Object {
        let mut object = Object::new(&reference.gvk, &reference.key());
        for (field, map) in [("labels", main.labels()), ("annotations", main.annotations())] {
            for (key, value) in map.iter().filter(|(key, _)| *key != LAST_APPLIED) {
                object.set(&["metadata", field, key], value.as_str());
            }
        }
        let owner = api::write(&self.wanted.rollout.object.controller_reference());
        object.set(&["metadata", "ownerReferences"], Value::Array(vec![owner]));
        if let Some(class) = main.get(&["spec", "ingressClassName"]) {
            object.set(&["spec", "ingressClassName"], class.clone());
        }
        object.set(&["spec", "http"], rules);
        object
    }
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
            put(backend, "weight", 100);
        }
        let priority = rule["priority"].as_i64().unwrap_or_default().saturating_add(1);
        let mut expressions = items(&rule["match"], "exprs").to_vec();
        expressions.extend(step.matches.iter().filter_map(expression));
        put(&mut rule, "backends", backends);
        put(&mut rule, "priority", priority);
        if let Value::Object(rule) = &mut rule {
            object::pointer::set(rule, &["match", "exprs"], expressions.into());
        }
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
