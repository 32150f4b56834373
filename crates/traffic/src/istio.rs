//! Istio: VirtualServices share the traffic, a DestinationRule tells pods apart.
//!
//! Source: Argo Rollouts `rollout/trafficrouting/istio`.

mod destination_rule;
mod hosts;
mod managed;
mod routes;
mod weights;

use api::rollout::{IstioDestinationRule, IstioRouting, IstioVirtualService, Rollout};
use object::{Gvk, Object, Value};

use self::hosts::Hosts;
use crate::router::{Carrier, PATH};
use crate::{Event, Hashes, Live, Managed, Problem, Reference, Routed, Settings, Wanted};

/// The router.
#[derive(Clone, Debug)]
pub(crate) struct Istio {
    services: Vec<IstioVirtualService>,
    rule: Option<IstioDestinationRule>,
    /// Field that names the VirtualServices.
    field: &'static str,
    version: String,
}

impl Istio {
    /// Returns the router of a configuration with either one VirtualService or a list of them.
    pub(crate) fn read(routing: &IstioRouting, settings: &Settings) -> Result<Self, Problem> {
        let (services, field) = match (&routing.virtual_service, routing.virtual_services.as_slice()) {
            (Some(one), []) => (vec![one.clone()], "virtualService"),
            (None, several @ [_, ..]) => (several.to_vec(), "virtualServices"),
            _ => {
                let message = "either VirtualService or VirtualServices must be configured";
                return Err(Problem::internal(&format!("{PATH}.istio"), message));
            }
        };
        let (rule, version) = (routing.destination_rule.clone(), settings.istio_version.clone());
        Ok(Self { services, rule, field, version })
    }

    /// Returns the reference of a name, which may end in `.namespace`.
    fn virtual_service(&self, rollout: &Rollout, name: &str) -> Reference {
        let (name, namespace) = name.rsplit_once('.').unwrap_or((name, rollout.namespace()));
        Reference::new(self.gvk("VirtualService"), namespace, name)
    }

    fn destination_rule(&self, rollout: &Rollout) -> Option<Reference> {
        let rule = self.rule.as_ref()?;
        Some(Reference::new(self.gvk("DestinationRule"), rollout.namespace(), &rule.name))
    }

    fn gvk(&self, kind: &str) -> Gvk {
        Gvk::new("networking.istio.io", &self.version, kind)
    }
}

fn find<'l>(reference: &Reference, live: &'l Live) -> Result<&'l Object, Problem> {
    live.get(reference).map(AsRef::as_ref).ok_or_else(|| {
        let reason = match reference.gvk.kind.as_str() {
            "DestinationRule" => "DestinationRuleNotFound",
            _ => "VirtualServiceNotFound",
        };
        let message = format!("{} `{}` not found", reference.gvk.kind, reference.name);
        Problem::missing(reference).after(Event::warning(reason, message))
    })
}

/// Returns the VirtualService as it is to be, with the events of what changed.
fn routed(
    config: &IstioVirtualService,
    found: &Object,
    hosts: &Hosts<'_>,
    wanted: &Wanted<'_>,
) -> Result<Staged, Problem> {
    let name = found.name();
    let mut stages = Stages { object: found.clone(), events: Vec::new() };
    let managed = wanted.managed_names();
    if wanted.managed == Managed::Remove {
        let message = format!("VirtualService `{name}` removed all managed routes.");
        stages.change(message, |object| {
            managed::remove(object, &managed);
            Ok(())
        })?;
    }
    if let Some(step) = wanted.header {
        let message = format!("VirtualService `{name}` set headerRoute '{}'", step.name);
        stages.change(message, |object| managed::set_header(object, config, hosts, step))?;
    }
    if let Some(step) = wanted.mirror {
        let message = format!("VirtualService `{name}` set mirrorRoute '{}'", step.name);
        stages.change(message, |object| managed::set_mirror(object, config, hosts, step))?;
    }
    let steps = std::mem::take(&mut stages.events);
    if let Some(weight) = &wanted.weight {
        let message = format!("VirtualService `{name}` set to desiredWeight '{}'", weight.canary);
        stages.change(message, |object| weights::set(object, config, hosts, weight))?;
    }
    Ok(Staged { object: stages.object, steps, weights: stages.events })
}

/// A VirtualService as it is to be.
struct Staged {
    object: Object,
    /// Events of the routes that steps make.
    steps: Vec<Event>,
    /// Events of the shares.
    weights: Vec<Event>,
}

/// An object on its way through one change after the other.
struct Stages {
    object: Object,
    events: Vec<Event>,
}

impl Stages {
    fn change(
        &mut self,
        message: String,
        change: impl FnOnce(&mut Object) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let before = self.object.clone();
        change(&mut self.object)?;
        if self.object != before {
            self.events.push(Event::normal("Updated VirtualService", message));
        }
        Ok(())
    }
}

impl Carrier for Istio {
    fn references(&self, rollout: &Rollout) -> Vec<Reference> {
        let services = self.services.iter().map(|service| self.virtual_service(rollout, &service.name));
        services.chain(self.destination_rule(rollout)).collect()
    }

    fn validate(&self, rollout: &Rollout, live: &Live) -> Vec<Problem> {
        let path = format!("{PATH}.istio.{}.name", self.field);
        let wanted = Wanted::nothing(rollout);
        let hosts = Hosts::new(&wanted, self.rule.as_ref(), None);
        let mut problems = Vec::new();
        for config in &self.services {
            let reference = self.virtual_service(rollout, &config.name);
            let name = Value::from(reference.name.as_str());
            let messages = match live.get(&reference) {
                Some(found) => routes::problems(found, config, &hosts),
                None => live.absence(&reference).into_iter().collect(),
            };
            problems.extend(messages.iter().map(|message| Problem::invalid(&path, &name, message)));
        }
        problems
    }

    fn plan(&self, wanted: &Wanted<'_>, live: &Live) -> Result<Routed, Problem> {
        let mut rules = Routed::default();
        let mut rule_host = None;
        if let (Some(config), Some(reference)) = (&self.rule, self.destination_rule(wanted.rollout)) {
            let found = find(&reference, live)?;
            rule_host = Some(found.str(&["spec", "host"]));
            if wanted.hashes != Hashes::Keep {
                let (object, event) = destination_rule::updated(found, config, wanted);
                rules.patch(found, &object);
                rules.events.extend((!rules.changes.is_empty()).then_some(event));
            }
        }
        let hosts = Hosts::new(wanted, self.rule.as_ref(), rule_host);
        let mut services = Routed::default();
        let mut first_events = Vec::new();
        for config in &self.services {
            let found = find(&self.virtual_service(wanted.rollout, &config.name), live)?;
            let staged = routed(config, found, &hosts, wanted)?;
            services.patch(found, &staged.object);
            first_events.extend(staged.steps);
            services.events.extend(staged.weights);
        }
        Ok(in_order(wanted.hashes, rules, services, first_events))
    }
}

/// Returns the writes in order, and the events in upstream's: steps, then hashes and weights as they are written.
fn in_order(hashes: Hashes, rules: Routed, services: Routed, steps: Vec<Event>) -> Routed {
    let (first, second) = if hashes == Hashes::UpdateLast { (services, rules) } else { (rules, services) };
    Routed {
        changes: [first.changes, second.changes].concat(),
        events: [steps, first.events, second.events].concat(),
        verified: None,
    }
}
