//! One route: from what it is to what it is to be.

use std::collections::BTreeSet;

use object::{Object, Value};

use super::config::MirrorMode;
use super::managed::Put;
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
    /// Returns the route of `reference`. Where both pairs of Services are defined it goes by the one that its rules
    /// hold: `stableService` and `canaryService`, else ping and pong.
    pub(super) fn new(
        router: &'a GatewayApi,
        named: &Named,
        wanted: &'a Wanted<'a>,
        live: &'a Live,
        reference: &'a Reference,
    ) -> Self {
        let mut route = Self {
            kind: named.kind,
            services: services(wanted, Preferred::Explicit),
            wanted,
            live,
            reference,
            steps: named.header_routes && matches!(named.kind, RouteKind::Http | RouteKind::Grpc),
            router,
        };
        let rules = live.get(reference).map(|found| found.items(&["spec", "rules"])).unwrap_or_default();
        if !rules.iter().any(|rule| route.is_split(rule)) {
            let explicit = std::mem::replace(&mut route.services, services(wanted, Preferred::PingPong));
            if !rules.iter().any(|rule| route.is_split(rule)) {
                route.services = explicit;
            }
        }
        route
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
            let made: Vec<Value> = names.iter().flat_map(|name| self.made_by_steps(rules, name)).collect();
            managed::remove(rules, &names, &made);
            if self.router.mirror == MirrorMode::Filter {
                mirror::strip(self, rules);
            }
        }
        if let Some(step) = self.wanted.header {
            let made = if step.matches.is_empty() { Vec::new() } else { header::rules(self, rules, step)? };
            let all_steps = self.made_by_steps(rules, &step.name);
            Put { name: &step.name, made, all_steps }.into(rules, &names);
        }
        let Some(step) = self.wanted.mirror.filter(|_| self.kind == RouteKind::Http) else { return Ok(()) };
        if self.router.mirror == MirrorMode::Filter {
            return mirror::filter(self, rules, step);
        }
        let made = if step.matches.is_empty() { Vec::new() } else { mirror::rules(self, rules, step)? };
        let all_steps = self.made_by_steps(rules, &step.name);
        Put { name: &step.name, made, all_steps }.into(rules, &names);
        Ok(())
    }

    /// Returns the rules that the steps of the managed route `name` would make now.
    fn made_by_steps(&self, rules: &[Value], name: &str) -> Vec<Value> {
        let canary = self.wanted.rollout.canary();
        let steps = canary.map(|canary| canary.steps.as_slice()).unwrap_or_default();
        let headers = steps.iter().filter_map(|step| step.set_header_route.as_ref());
        let headers = headers
            .filter(|step| step.name == name && !step.matches.is_empty())
            .filter_map(|step| header::rules(self, rules, step).ok());
        let mirrors = steps.iter().filter_map(|step| step.set_mirror_route.as_ref());
        let mirrors = mirrors
            .filter(|step| step.name == name && !step.matches.is_empty() && self.kind == RouteKind::Http)
            .filter_map(|step| mirror::rules(self, rules, step).ok());
        headers.chain(mirrors).flatten().collect()
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

    /// Returns the split rules that no step has made. One that copies requests may have lost its name: it counts only
    /// where there is no other.
    ///
    /// Errors: the plugin's words when there is none.
    pub(super) fn sources<'r>(&self, rules: &'r [Value]) -> Result<Vec<&'r Value>, Problem> {
        let names = self.wanted.managed_names();
        let own = rules.iter().filter(|rule| self.is_split(rule) && !managed::is_managed(rule, &names));
        let nameless_copy = |rule: &Value| {
            self.router.mirror == MirrorMode::Rule && rule.get("name").is_none() && mirror::copies(self, rule)
        };
        let (copies, sources): (Vec<&Value>, Vec<&Value>) = own.partition(|rule| nameless_copy(rule));
        match (sources.is_empty(), copies.is_empty()) {
            (false, _) => Ok(sources),
            (true, false) => Ok(copies),
            (true, true) => Err(self.no_backend()),
        }
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
