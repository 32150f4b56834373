//! ingress-nginx: beside each stable Ingress a canary Ingress with a weight.
//!
//! Source: Argo Rollouts `rollout/trafficrouting/nginx`.

use std::collections::BTreeMap;

use api::rollout::{NginxRouting, Rollout};
use object::{Object, Value};

use crate::ingress::{self, Named, paths, service_of};
use crate::json::{nested_mut, put};
use crate::router::{Carrier, PATH};
use crate::services::{Preferred, Services, of_spec, services};
use crate::{Change, Event, Live, Problem, Reference, Routed, Wanted, Weight, settings};

const CLASS: &str = "kubernetes.io/ingress.class";
const SUFFIX: &str = "-canary";
/// Longest name of an object.
const MAX_NAME: usize = 253;

/// The router.
#[derive(Clone, Debug)]
pub(crate) struct Nginx {
    routing: NginxRouting,
    ingresses: Vec<String>,
    field: &'static str,
}

impl Nginx {
    /// Returns the router of a configuration with either one stable Ingress or a list of them.
    pub(crate) fn read(routing: &NginxRouting) -> Result<Self, Problem> {
        let named = Named {
            router: "nginx",
            single: ("stableIngress", &routing.stable_ingress),
            several: ("stableIngresses", &routing.stable_ingresses),
        };
        let (ingresses, field) = named.names()?;
        Ok(Self { routing: routing.clone(), ingresses, field })
    }

    fn prefix(&self) -> &str {
        match self.routing.annotation_prefix.as_str() {
            "" => "nginx.ingress.kubernetes.io",
            prefix => prefix,
        }
    }

    /// Returns the canary Ingress: `base` (what is, or a new object) with what is ours.
    fn canary(&self, base: &Object, stable: &Object, services: Services<'_>, weight: &Weight) -> Object {
        let mut canary = base.clone();
        for field in ["tls", "ingressClassName"] {
            match stable.get(&["spec", field]).cloned() {
                Some(value) => canary.set(&["spec", field], value),
                None => drop(canary.remove(&["spec", field])),
            }
        }
        canary.set(&["spec", "rules"], rules(stable, services));
        let ours = format!("{}/", self.prefix());
        let wanted = self.annotations(stable, weight);
        for key in canary.annotations().keys() {
            if !wanted.contains_key(key) && (key.starts_with(&ours) || key == CLASS) {
                canary.remove(&["metadata", "annotations", key]);
            }
        }
        for (key, value) in wanted {
            canary.set_annotation(&key, &value);
        }
        canary
    }

    fn annotations(&self, stable: &Object, weight: &Weight) -> BTreeMap<String, String> {
        let prefix = self.prefix();
        let mut annotations = BTreeMap::new();
        if let Some(class) = stable.annotation(CLASS) {
            annotations.insert(CLASS.to_owned(), class.to_owned());
        }
        for (key, value) in &self.routing.additional_ingress_annotations {
            let key = if key.starts_with(prefix) { key.clone() } else { format!("{prefix}/{key}") };
            annotations.insert(key, value.clone());
        }
        annotations.extend(self.routing.canary_ingress_annotations.clone());
        annotations.insert(format!("{prefix}/canary"), "true".to_owned());
        annotations.insert(format!("{prefix}/canary-weight"), weight.canary.to_string());
        if weight.max != 100 {
            annotations.insert(format!("{prefix}/canary-weight-total"), weight.max.to_string());
        }
        annotations
    }

    fn plan_one(
        &self,
        stable: &Reference,
        wanted: &Wanted<'_>,
        weight: &Weight,
        live: &Live,
    ) -> Result<Routed, Problem> {
        let rollout = wanted.rollout;
        let services = services(wanted, Preferred::Explicit);
        let reference = canary_of(rollout, stable);
        let Some(found) = live.get(stable) else {
            let name = &stable.name;
            let error = crate::problem::not_found(stable);
            let message = format!("error retrieving stableIngress `{name}` from cache: {error}");
            return Err(Problem::at(stable, "", message));
        };
        if !ingress::leads_to(found.items(&["spec", "rules"]), services.stable) {
            let message =
                format!("ingress `{}` has no rules using service {} backend", stable.name, services.stable);
            return Err(Problem::at(stable, "spec.rules", message));
        }
        let mut routed = Routed::default();
        let Some(before) = live.get(&reference) else {
            let mut new = Object::new(&reference.gvk, &reference.key());
            let owner = api::write(&rollout.object.controller_reference());
            new.set(&["metadata", "ownerReferences"], Value::Array(vec![owner]));
            let message =
                format!("Creating canary ingress `{}` with weight `{}`", reference.name, weight.canary);
            routed.events.push(Event::normal("CreatingCanaryIngress", message));
            routed.changes.push(Change::Create(self.canary(&new, found, services, weight)));
            return Ok(routed);
        };
        if before.controller_uid() != Some(rollout.object.uid()) {
            let message = format!("canary ingress `{}` controlled by different object", reference.name);
            return Err(Problem::at(&reference, "metadata.ownerReferences", message));
        }
        routed.patch(before, &self.canary(before, found, services, weight));
        if !routed.changes.is_empty() {
            let message =
                format!("Updating Ingress `{}` to desiredWeight '{}'", reference.name, weight.canary);
            routed.events.push(Event::normal("PatchingCanaryIngress", message));
        }
        Ok(routed)
    }

    fn stable(&self, rollout: &Rollout) -> Vec<Reference> {
        let reference = |name: &String| Reference::new(settings::ingress(), rollout.namespace(), name);
        self.ingresses.iter().map(reference).collect()
    }
}

/// Returns the rules that lead to the stable Service, leading to the new one's instead.
fn rules(stable: &Object, services: Services<'_>) -> Value {
    let theirs = stable.items(&["spec", "rules"]).iter();
    let ours = theirs.filter(|rule| paths(rule).iter().any(|path| service_of(path) == services.stable));
    ours.map(|rule| {
        let mut rule = rule.clone();
        let paths = nested_mut(&mut rule, "http", "paths").into_iter().flatten();
        for path in paths.filter(|path| service_of(path) == services.stable) {
            if let Some(service) = path.get_mut("backend").and_then(|backend| backend.get_mut("service")) {
                put(service, "name", services.canary);
            }
        }
        rule
    })
    .collect()
}

/// Returns the canary Ingress of a stable one.
fn canary_of(rollout: &Rollout, stable: &Reference) -> Reference {
    let mut name = format!("{}-{}", rollout.name(), stable.name);
    name.truncate(MAX_NAME - SUFFIX.len());
    Reference::new(stable.gvk.clone(), &stable.namespace, &(name + SUFFIX))
}

impl Carrier for Nginx {
    fn references(&self, rollout: &Rollout) -> Vec<Reference> {
        let stable = self.stable(rollout);
        stable.into_iter().flat_map(|stable| [canary_of(rollout, &stable), stable]).collect()
    }

    fn validate(&self, rollout: &Rollout, live: &Live) -> Vec<Problem> {
        let path = format!("{PATH}.nginx.{}", self.field);
        let service = of_spec(rollout, Preferred::Explicit).stable;
        let stable = self.stable(rollout);
        stable.iter().filter_map(|stable| ingress::problem(&path, stable, service, live)).collect()
    }

    fn plan(&self, wanted: &Wanted<'_>, live: &Live) -> Result<Routed, Problem> {
        let mut all = Routed::default();
        let Some(weight) = &wanted.weight else { return Ok(all) };
        for stable in self.stable(wanted.rollout) {
            let routed = self.plan_one(&stable, wanted, weight, live)?;
            all.changes.extend(routed.changes);
            all.events.extend(routed.events);
        }
        Ok(all)
    }
}
