//! Apisix: shares of an ApisixRoute's backends; header routes are ApisixRoutes that the Rollout owns.
//!
//! Source: Argo Rollouts `rollout/trafficrouting/apisix`.

mod header;

use api::rollout::{ApisixRoute, ApisixRouting, Rollout};
use object::{Gvk, Object, Value};

use crate::json::{items, list_mut, set_weight, text};
use crate::router::{Carrier, PATH};
use crate::services::{Preferred, Services, of_spec, services};
use crate::{Live, Managed, Problem, Reference, Routed, Wanted, Weight};

/// The router.
#[derive(Clone, Debug)]
pub(crate) struct Apisix {
    route: ApisixRoute,
}

impl Apisix {
    /// Returns the router of a configuration that names a route.
    pub(crate) fn read(routing: &ApisixRouting) -> Result<Self, Problem> {
        let named = routing.route.clone().filter(|route| !route.name.is_empty());
        let route = named.ok_or_else(|| {
            Problem::required(&format!("{PATH}.apisix.route.name"), "the name of an ApisixRoute is needed")
        })?;
        Ok(Self { route })
    }

    /// Returns the names of the rules that are split: the route's own name when none is given.
    fn rules(&self) -> Vec<&str> {
        if self.route.rules.is_empty() {
            return vec![&self.route.name];
        }
        self.route.rules.iter().map(String::as_str).collect()
    }

    /// Returns the indices of the rules that are split, each with a backend for each version.
    ///
    /// Errors: upstream's words.
    fn split(&self, found: &Object, services: Services<'_>) -> Result<Vec<usize>, String> {
        if found.get(&["spec", "http"]).is_none() {
            return Err("spec.http was not found in Apisix Route manifest".to_owned());
        }
        let routes = found.items(&["spec", "http"]);
        let find = |name: &&str| {
            let index = routes.iter().position(|route| text(route, "name") == *name);
            let index = index.ok_or_else(|| format!("Apisix http route rule {name} not found"))?;
            let holds = |service: &&str| !has(&routes[index], service);
            match [services.canary, services.stable].iter().find(|service| holds(service)) {
                Some(service) => Err(format!("apisix route {service} backend was not found")),
                None => Ok(index),
            }
        };
        self.rules().iter().map(find).collect()
    }

    fn weighted(&self, found: &Object, services: Services<'_>, weight: &Weight) -> Result<Object, Problem> {
        let indices = self
            .split(found, services)
            .map_err(|message| Problem::at(&Reference::of(found), "spec.http", message))?;
        let mut object = found.clone();
        let Some(routes) = list_mut(&mut object, &["spec", "http"]) else { return Ok(object) };
        for index in indices {
            let backends = routes[index].get_mut("backends").and_then(Value::as_array_mut);
            for backend in backends.into_iter().flatten() {
                if text(backend, "serviceName") == services.canary {
                    set_weight(backend, weight.canary);
                } else if text(backend, "serviceName") == services.stable {
                    set_weight(backend, weight.max - weight.canary);
                }
            }
        }
        Ok(object)
    }
}

/// Returns the reference of an ApisixRoute of the Rollout's namespace.
fn reference(rollout: &Rollout, name: &str) -> Reference {
    Reference::new(Gvk::new("apisix.apache.org", "v2", "ApisixRoute"), rollout.namespace(), name)
}

fn has(route: &Value, service: &str) -> bool {
    items(route, "backends").iter().any(|backend| text(backend, "serviceName") == service)
}

impl Carrier for Apisix {
    fn references(&self, rollout: &Rollout) -> Vec<Reference> {
        let routing = rollout.canary().and_then(|canary| canary.traffic_routing.as_ref());
        let managed = routing.map(|routing| routing.managed_routes.as_slice()).unwrap_or_default();
        let made = managed.iter().map(|route| reference(rollout, &route.name));
        std::iter::once(reference(rollout, &self.route.name)).chain(made).collect()
    }

    fn validate(&self, rollout: &Rollout, live: &Live) -> Vec<Problem> {
        let reference = reference(rollout, &self.route.name);
        let problem = match live.get(&reference) {
            Some(found) => self.split(found, of_spec(rollout, Preferred::Explicit)).err(),
            None => live.absence(&reference),
        };
        let path = format!("{PATH}.apisix.route");
        problem
            .iter()
            .map(|message| Problem::invalid(&path, &self.route.name.as_str().into(), message))
            .collect()
    }

    fn plan(&self, wanted: &Wanted<'_>, live: &Live) -> Result<Routed, Problem> {
        let mut routed = Routed::default();
        let making = header::Making { apisix: self, wanted, live };
        let reference = reference(wanted.rollout, &self.route.name);
        let services = services(wanted, Preferred::Explicit);
        if wanted.managed == Managed::Remove {
            for name in wanted.managed_names() {
                making.remove(name, &mut routed);
            }
        }
        if let Some(step) = wanted.header {
            let found = live.get(&reference).ok_or_else(|| Problem::missing(&reference))?;
            making.set(step, found, &mut routed)?;
        }
        if let Some(weight) = &wanted.weight {
            let found = live.get(&reference).ok_or_else(|| Problem::missing(&reference))?;
            routed.patch(found, &self.weighted(found, services, weight)?);
        }
        Ok(routed)
    }
}
