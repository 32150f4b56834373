//! The routers of a Rollout.

use std::fmt;

use api::rollout::{Rollout, TrafficRouting};
use object::Value;

use crate::alb::Alb;
use crate::apisix::Apisix;
use crate::gateway_api::{self, GatewayApi};
use crate::istio::Istio;
use crate::nginx::Nginx;
use crate::smi::Smi;
use crate::{Live, Problem, Reference, Routed, Selection, Settings, Wanted};

/// Where `trafficRouting` stands in a Rollout.
pub(crate) const PATH: &str = "spec.strategy.canary.trafficRouting";

/// What kind of router it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouterKind {
    /// VirtualServices and a DestinationRule.
    Istio,
    /// Canary Ingresses of ingress-nginx.
    Nginx,
    /// Ingress annotations of the AWS load balancer controller.
    Alb,
    /// A TrafficSplit.
    Smi,
    /// An ApisixRoute.
    Apisix,
    /// Routes of the Gateway API.
    GatewayApi,
}

impl fmt::Display for RouterKind {
    /// Writes upstream's type name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Istio => "Istio",
            Self::Nginx => "Nginx",
            Self::Alb => "ALB",
            Self::Smi => "SMI",
            Self::Apisix => "Apisix",
            Self::GatewayApi => "GatewayAPI",
        })
    }
}

/// What a module must offer to be a router.
pub(crate) trait Carrier {
    /// Returns what has to be observed by name.
    fn references(&self, rollout: &Rollout) -> Vec<Reference>;

    /// Returns what has to be observed by labels.
    fn selections(&self, _rollout: &Rollout) -> Vec<Selection> {
        Vec::new()
    }

    /// Returns what has to be observed besides, because of what is wanted.
    fn wishes(&self, _wanted: &Wanted<'_>) -> Vec<Reference> {
        Vec::new()
    }

    /// Returns what is wrong with the objects that are named.
    fn validate(&self, rollout: &Rollout, live: &Live) -> Vec<Problem>;

    /// Returns the writes that are needed.
    fn plan(&self, wanted: &Wanted<'_>, live: &Live) -> Result<Routed, Problem>;
}

/// One router of a Rollout.
#[derive(Clone, Debug)]
pub struct Router(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Istio(Istio),
    Nginx(Nginx),
    Alb(Alb),
    Smi(Smi),
    Apisix(Apisix),
    GatewayApi(GatewayApi),
}

impl Router {
    /// Returns what kind of router it is.
    pub fn kind(&self) -> RouterKind {
        match &self.0 {
            Inner::Istio(_) => RouterKind::Istio,
            Inner::Nginx(_) => RouterKind::Nginx,
            Inner::Alb(_) => RouterKind::Alb,
            Inner::Smi(_) => RouterKind::Smi,
            Inner::Apisix(_) => RouterKind::Apisix,
            Inner::GatewayApi(_) => RouterKind::GatewayApi,
        }
    }

    /// Returns the objects to observe by name, also those the router may make.
    pub fn references(&self, rollout: &Rollout) -> Vec<Reference> {
        self.carrier().references(rollout)
    }

    /// Returns the objects to observe by labels; what is found goes into [`Live`] under its own name.
    pub fn selections(&self, rollout: &Rollout) -> Vec<Selection> {
        self.carrier().selections(rollout)
    }

    /// Returns further objects to observe for this wish: Services of Experiments whose ports are needed. Where they
    /// are absent the plan takes the port of the stable Service.
    pub fn wishes(&self, wanted: &Wanted<'_>) -> Vec<Reference> {
        self.carrier().wishes(wanted)
    }

    /// Returns what has to be written so that the router carries what is wanted; nothing when it does.
    ///
    /// Errors: [`Problem`] naming object and field, with the warnings to record.
    pub fn plan(&self, wanted: &Wanted<'_>, live: &Live) -> Result<Routed, Problem> {
        self.carrier().plan(wanted, live)
    }

    /// Returns what is wrong with the objects that the router names, in upstream's words.
    pub fn validate(&self, rollout: &Rollout, live: &Live) -> Vec<Problem> {
        self.carrier().validate(rollout, live)
    }

    fn carrier(&self) -> &dyn Carrier {
        match &self.0 {
            Inner::Istio(router) => router,
            Inner::Nginx(router) => router,
            Inner::Alb(router) => router,
            Inner::Smi(router) => router,
            Inner::Apisix(router) => router,
            Inner::GatewayApi(router) => router,
        }
    }
}

/// Returns the routers that `routing` configures, in upstream's order; none when it is empty.
///
/// Errors: one [`Problem`] for each router that is not offered and for each that is configured wrongly.
pub fn routers(routing: &TrafficRouting, settings: &Settings) -> Result<Vec<Router>, Vec<Problem>> {
    let mut problems = refused(routing);
    let configured = [
        routing.istio.as_ref().map(|config| Istio::read(config, settings).map(Inner::Istio)),
        routing.nginx.as_ref().map(|config| Nginx::read(config).map(Inner::Nginx)),
        routing.alb.as_ref().map(|config| Alb::read(config).map(Inner::Alb)),
        routing.smi.as_ref().map(|config| Smi::read(config, settings).map(Inner::Smi)),
        routing.apisix.as_ref().map(|config| Apisix::read(config).map(Inner::Apisix)),
        routing
            .plugins
            .get(gateway_api::PLUGIN)
            .map(|config| GatewayApi::read(config, settings).map(Inner::GatewayApi)),
    ];
    let mut routers = Vec::new();
    for router in configured.into_iter().flatten() {
        match router {
            Ok(router) => routers.push(Router(router)),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(routers) } else { Err(problems) }
}

fn refused(routing: &TrafficRouting) -> Vec<Problem> {
    let known: [(bool, &str); 3] = [
        (routing.ambassador.is_some(), "ambassador"),
        (routing.app_mesh.is_some(), "appMesh"),
        (routing.traefik.is_some(), "traefik"),
    ];
    let named = known.into_iter().filter(|(set, _)| *set).map(|(_, name)| {
        Problem::plain(&format!("{PATH}.{name}"), format!("Unsupported value: there is no router {name:?}"))
    });
    let plugins = routing.plugins.keys().filter(|name| *name != gateway_api::PLUGIN).map(|name| {
        let message = format!("Unsupported value: there is no router plugin {name:?}");
        Problem::invalid_key(&format!("{PATH}.plugins"), name, &message)
    });
    named.chain(plugins).collect()
}

/// Returns the configuration `value` at `field` of `trafficRouting` read as `T`.
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: &Value, field: &str) -> Result<T, Problem> {
    api::read(value, &format!("{PATH}.{field}")).map_err(|error| Problem::plain(&error.path, error.message))
}
