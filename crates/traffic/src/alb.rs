//! AWS load balancer: annotations of Ingresses. No AWS API is called here.
//!
//! Source: Argo Rollouts `rollout/trafficrouting/alb`.

mod action;
mod header;
mod owned;

use api::rollout::{AlbRouting, Rollout};
use object::{Object, Value};

use crate::ingress::{self, Named};
use crate::router::{Carrier, PATH};
use crate::services::{Preferred, Services, of_spec, services};
use crate::{Event, Live, Managed, Problem, Reference, Routed, Wanted, Weight, settings};

pub use owned::released;

/// The router.
#[derive(Clone, Debug)]
pub(crate) struct Alb {
    routing: AlbRouting,
    ingresses: Vec<String>,
    field: &'static str,
}

impl Alb {
    /// Returns the router of a configuration with either one Ingress or a list of them.
    pub(crate) fn read(routing: &AlbRouting) -> Result<Self, Problem> {
        let named = Named {
            router: "alb",
            single: ("ingress", &routing.ingress),
            several: ("ingresses", &routing.ingresses),
        };
        let (ingresses, field) = named.names()?;
        let seconds = routing.stickiness_config.as_ref().filter(|config| config.enabled);
        if let Some(config) = seconds.filter(|config| !(1..=604_800).contains(&config.duration_seconds)) {
            let path = format!("{PATH}.alb.stickinessConfig.durationSeconds");
            let message =
                "TargetGroupStickinessConfig's duration must be between 1 and 604800 seconds (7 days)!";
            return Err(Problem::invalid(&path, &config.duration_seconds.into(), message));
        }
        Ok(Self { routing: routing.clone(), ingresses, field })
    }

    /// Returns the Service that the Ingress' rules lead to.
    fn root<'a>(&'a self, services: Services<'a>) -> &'a str {
        if self.routing.root_service.is_empty() { services.stable } else { &self.routing.root_service }
    }

    fn action_key(&self, name: &str) -> String {
        format!("{}/actions.{name}", self.prefix())
    }

    fn condition_key(&self, name: &str) -> String {
        format!("{}/conditions.{name}", self.prefix())
    }

    fn prefix(&self) -> &str {
        match self.routing.annotation_prefix.as_str() {
            "" => "alb.ingress.kubernetes.io",
            prefix => prefix,
        }
    }

    fn named(&self, rollout: &Rollout) -> Vec<Reference> {
        let reference = |name: &String| Reference::new(settings::ingress(), rollout.namespace(), name);
        self.ingresses.iter().map(reference).collect()
    }

    /// Returns the Ingress as it is to be, with the events of what changed.
    fn routed(&self, found: &Object, wanted: &Wanted<'_>) -> Result<(Object, Vec<Event>), Problem> {
        let mut object = found.clone();
        let mut events = Vec::new();
        let name = found.name();
        let mut told = |before: &Object, after: &Object, message: String| {
            if before != after {
                events.push(Event::normal("PatchingALBIngress", message));
            }
        };
        if wanted.managed == Managed::Remove {
            let before = object.clone();
            header::remove(self, &mut object, &wanted.managed_names(), wanted.rollout.name())?;
            told(&before, &object, format!("Updating Ingress `{name}` removing managed routes"));
        }
        if let Some(step) = wanted.header {
            let before = object.clone();
            header::set(self, &mut object, step, wanted)?;
            told(&before, &object, format!("Updating Ingress `{name}` to headerRoute '{}'", step.name));
        }
        if let Some(weight) = &wanted.weight {
            let before = object.clone();
            self.set_weight(&mut object, wanted, weight)?;
            told(&before, &object, format!("Updating Ingress `{name}` to desiredWeight '{}'", weight.canary));
        }
        Ok((object, events))
    }

    fn set_weight(&self, object: &mut Object, wanted: &Wanted<'_>, weight: &Weight) -> Result<(), Problem> {
        let services = services(wanted, Preferred::PingPong);
        let root = self.root(of_wish(wanted));
        if !ingress::leads_to(object.items(&["spec", "rules"]), root) {
            let message = format!("ingress does not have service `{root}` in rules");
            return Err(Problem::at(&Reference::of(object), "spec.rules", message));
        }
        let mut groups = vec![(services.canary, weight.canary)];
        groups.extend(weight.additional.iter().map(|one| (one.service.as_str(), one.weight)));
        groups.push((services.stable, weight.stable()));
        let key = self.action_key(root);
        action::put(object, &key, &action::forward(&self.routing, &groups));
        owned::add(object, wanted.rollout.name(), &[key])
    }
}

/// Returns the Services of the spec, without ping and pong: the root Service does not take turns.
fn of_wish<'a>(wanted: &'a Wanted<'_>) -> Services<'a> {
    Services { stable: &wanted.stable.service, canary: &wanted.canary.service }
}

impl Carrier for Alb {
    fn references(&self, rollout: &Rollout) -> Vec<Reference> {
        self.named(rollout)
    }

    fn validate(&self, rollout: &Rollout, live: &Live) -> Vec<Problem> {
        let path = format!("{PATH}.alb.{}", self.field);
        let root = self.root(of_spec(rollout, Preferred::Explicit));
        let named = self.named(rollout);
        named.iter().filter_map(|named| ingress::problem(&path, named, root, live)).collect()
    }

    fn plan(&self, wanted: &Wanted<'_>, live: &Live) -> Result<Routed, Problem> {
        let mut routed = Routed::default();
        for reference in self.named(wanted.rollout) {
            let found = live.get(&reference).ok_or_else(|| Problem::missing(&reference))?;
            let (object, events) = self.routed(found, wanted)?;
            routed.patch(found, &object);
            routed.events.extend(events);
        }
        Ok(routed)
    }
}

/// Returns the JSON in an annotation, null when it cannot be read.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests;
