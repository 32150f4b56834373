//! One route: from what it is to what it is to be.

use std::collections::BTreeSet;

use object::{Object, Value};

use super::config::MirrorMode;
use super::{GatewayApi, Named, RouteKind, header, managed, mirror, weights};
use crate::json::{items, list_mut, text};
use crate::services::{Preferred, Services, services};
use crate::{Live, Managed, Problem, Reference, Wanted};

/// Most rules a route may have.
const MAX_RULES: usize = 16;

/// A route and all that bears on it.
pub(super) struct Route<'a> {
    pub(super) kind: RouteKind,
    pub(super) services: Services<'a>,
    pub(super) wanted: &'a Wanted<'a>,
    pub(super) live: &'a Live,
    pub(super) reference: &'a Reference,
    steps: bool,
    router: &'a GatewayApi,
}

impl<'a> Route<'a> {
    pub(super) fn new(
        router: &'a GatewayApi,
        named: &Named,
        wanted: &'a Wanted<'a>,
        live: &'a Live,
        reference: &'a Reference,
    ) -> Self {
        Self {
            kind: named.kind,
            services: services(wanted, Preferred::Explicit),
            wanted,
            live,
            reference,
            steps: named.header_routes && matches!(named.kind, RouteKind::Http | RouteKind::Grpc),
            router,
        }
    }

    /// Returns the route as it is to be.
    pub(super) fn planned(&self, found: &Object) -> Result<Object, Problem> {
        let mut object = found.clone();
        let mut rules = found.items(&["spec", "rules"]).to_vec();
        if self.steps {
            self.step_rules(&mut rules)?;
        }
        if let Some(weight) = &self.wanted.weight {
            weights::set(self, &mut rules, weight)?;
            self.label(&mut object, weight.canary);
        }
        if rules.len() > MAX_RULES && rules.len() > found.items(&["spec", "rules"]).len() {
            let message =
                format!("the managed routes make {} rules, at most {MAX_RULES} are allowed", rules.len());
            return Err(Problem::at(self.reference, "spec.rules", message));
        }
        if let Some(list) = list_mut(&mut object, &["spec", "rules"]) {
            *list = rules;
        }
        Ok(object)
    }

    fn step_rules(&self, rules: &mut Vec<Value>) -> Result<(), Problem> {
        let names = self.wanted.managed_names();
        if self.wanted.managed == Managed::Remove {
            managed::remove(rules, &names);
            if self.router.mirror == MirrorMode::Filter {
                mirror::strip(self, rules);
            }
        }
        if let Some(step) = self.wanted.header {
            let made = if step.matches.is_empty() { Vec::new() } else { header::rules(self, rules, step)? };
            managed::put(rules, &step.name, made, &names);
        }
        let mirrors = self.wanted.mirror.filter(|_| self.kind == RouteKind::Http);
        if let Some(step) = mirrors {
            match self.router.mirror {
                MirrorMode::Filter => mirror::filter(self, rules, step)?,
                MirrorMode::Rule => {
                    let made =
                        if step.matches.is_empty() { Vec::new() } else { mirror::rules(self, rules, step)? };
                    managed::put(rules, &step.name, made, &names);
                }
            }
        }
        Ok(())
    }

    fn label(&self, object: &mut Object, canary: i32) {
        let Some(label) = &self.router.label else { return };
        if canary == 0 {
            object.remove(&["metadata", "labels", &label.key]);
        } else {
            object.set_label(&label.key, &label.value);
        }
    }

    /// Returns true when `backend` is the Service `name` of the Rollout's namespace.
    pub(super) fn is(&self, backend: &Value, name: &str) -> bool {
        let namespace = text(backend, "namespace");
        !name.is_empty()
            && text(backend, "name") == name
            && matches!(text(backend, "kind"), "" | "Service")
            && text(backend, "group").is_empty()
            && (namespace.is_empty() || namespace == self.wanted.rollout.namespace())
    }

    /// Returns true when `rule` holds both Services: only such rules are split.
    pub(super) fn is_split(&self, rule: &Value) -> bool {
        let holds = |name| items(rule, "backendRefs").iter().any(|backend| self.is(backend, name));
        holds(self.services.stable) && holds(self.services.canary)
    }

    /// Returns the split rules that no step has made.
    ///
    /// Errors: the plugin's words when there is none.
    pub(super) fn sources<'r>(&self, rules: &'r [Value]) -> Result<Vec<&'r Value>, Problem> {
        let names = self.wanted.managed_names();
        let sources: Vec<&Value> =
            rules.iter().filter(|rule| self.is_split(rule) && !managed::is_managed(rule, &names)).collect();
        if sources.is_empty() { Err(self.no_backend()) } else { Ok(sources) }
    }

    /// Returns the problem of a route without a rule that holds both Services.
    pub(super) fn no_backend(&self) -> Problem {
        let message = format!("backendRef was not found in {}", self.kind.field());
        Problem::at(self.reference, "spec.rules[].backendRefs", message)
    }

    /// Returns the names of the Services of Experiments that were told to the routers last.
    pub(super) fn previous(&self) -> BTreeSet<&str> {
        let weights = self.wanted.rollout.status.canary.weights.as_ref();
        weights
            .map(|weights| items(weights, "additional"))
            .unwrap_or_default()
            .iter()
            .map(|additional| text(additional, "serviceName"))
            .filter(|name| !name.is_empty())
            .collect()
    }
}
