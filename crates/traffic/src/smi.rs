//! Service mesh interface: one TrafficSplit that the Rollout owns.
//!
//! Source: Argo Rollouts `rollout/trafficrouting/smi`.

use api::rollout::{Rollout, SmiRouting};
use object::{Gvk, Object, Value, json};

use crate::json::{put, text};
use crate::router::{Carrier, PATH};
use crate::services::{Preferred, Services, services};
use crate::{Change, Event, Live, Problem, Reference, Routed, Settings, Wanted, Weight};

/// The router.
#[derive(Clone, Debug)]
pub(crate) struct Smi {
    routing: SmiRouting,
    version: Version,
}

/// Version of TrafficSplit: they spell weights differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1Alpha1,
    V1Alpha2,
    V1Alpha3,
}

impl Version {
    fn read(version: &str) -> Option<Self> {
        match version {
            "v1alpha1" => Some(Self::V1Alpha1),
            "v1alpha2" => Some(Self::V1Alpha2),
            "v1alpha3" => Some(Self::V1Alpha3),
            _ => None,
        }
    }

    fn gvk(self) -> Gvk {
        let version = match self {
            Self::V1Alpha1 => "v1alpha1",
            Self::V1Alpha2 => "v1alpha2",
            Self::V1Alpha3 => "v1alpha3",
        };
        Gvk::new("split.smi-spec.io", version, "TrafficSplit")
    }

    /// Returns a weight: a quantity, which is a text, in the first version and a number since.
    fn weight(self, weight: i32) -> Value {
        if self == Self::V1Alpha1 { weight.to_string().into() } else { weight.into() }
    }
}

impl Smi {
    /// Returns the router of a configuration.
    pub(crate) fn read(routing: &SmiRouting, settings: &Settings) -> Result<Self, Problem> {
        let given = settings.traffic_split_version.as_str();
        let message = format!("Unsupported TrafficSplit API version `{given}`");
        let version =
            Version::read(given).ok_or_else(|| Problem::internal(&format!("{PATH}.smi"), &message))?;
        Ok(Self { routing: routing.clone(), version })
    }

    fn reference(&self, rollout: &Rollout) -> Reference {
        let name = match self.routing.traffic_split_name.as_str() {
            "" => rollout.name(),
            name => name,
        };
        Reference::new(self.version.gvk(), rollout.namespace(), name)
    }

    fn split(&self, base: &Object, services: Services<'_>, weight: &Weight) -> Object {
        let root = match self.routing.root_service.as_str() {
            "" => services.stable,
            root => root,
        };
        let experiments = weight.additional.iter().map(|one| (one.service.as_str(), one.weight));
        let shares = std::iter::once((services.canary, weight.canary))
            .chain(experiments)
            .chain(std::iter::once((services.stable, weight.stable())));
        let before = base.items(&["spec", "backends"]);
        let backends: Vec<Value> =
            shares.map(|(service, share)| self.backend(before, service, share)).collect();
        let mut split = base.clone();
        split.set(&["spec", "service"], root);
        split.set(&["spec", "backends"], backends);
        split
    }

    /// Returns the backend of a Service: as it is, with its share.
    fn backend(&self, before: &[Value], service: &str, share: i32) -> Value {
        let known = before.iter().find(|backend| text(backend, "service") == service);
        let mut backend = known.cloned().unwrap_or_else(|| json!({"service": service}));
        if thousandths(&backend["weight"]) != Some(i64::from(share) * 1000) {
            put(&mut backend, "weight", self.version.weight(share));
        }
        backend
    }
}

/// Returns the value of a weight in thousandths, however it is spelt.
fn thousandths(weight: &Value) -> Option<i64> {
    match weight {
        Value::Number(number) => object::quantity::milli(&number.to_string()),
        Value::String(text) => object::quantity::milli(text),
        _ => None,
    }
}

impl Carrier for Smi {
    fn references(&self, rollout: &Rollout) -> Vec<Reference> {
        vec![self.reference(rollout)]
    }

    fn validate(&self, _rollout: &Rollout, _live: &Live) -> Vec<Problem> {
        Vec::new()
    }

    fn plan(&self, wanted: &Wanted<'_>, live: &Live) -> Result<Routed, Problem> {
        let mut routed = Routed::default();
        let Some(weight) = &wanted.weight else { return Ok(routed) };
        let reference = self.reference(wanted.rollout);
        let (name, services) = (&reference.name, services(wanted, Preferred::Explicit));
        let Some(found) = live.get(&reference) else {
            let mut new = Object::new(&reference.gvk, &reference.key());
            let owner = api::write(&wanted.rollout.object.controller_reference());
            new.set(&["metadata", "ownerReferences"], Value::Array(vec![owner]));
            routed.changes.push(Change::Create(self.split(&new, services, weight)));
            let message = format!("TrafficSplit `{name}` created");
            routed.events.push(Event::normal("TrafficSplitCreated", message));
            return Ok(routed);
        };
        if found.controller_uid() != Some(wanted.rollout.object.uid()) {
            let message = format!("Rollout does not own TrafficSplit `{name}`");
            return Err(Problem::at(&reference, "metadata.ownerReferences", message));
        }
        routed.patch(found, &self.split(found, services, weight));
        if !routed.changes.is_empty() {
            let message = format!("TrafficSplit `{name}` modified");
            routed.events.push(Event::normal("TrafficSplitModified", message));
        }
        Ok(routed)
    }
}
