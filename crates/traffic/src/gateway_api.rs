//! Routes of the Gateway API: HTTPRoute, GRPCRoute, TCPRoute and TLSRoute.
//!
//! Configured as users of the plugin have it: `trafficRouting.plugins["argoproj-labs/gatewayAPI"]`. Source:
//! `argoproj-labs/rollouts-plugin-trafficrouter-gatewayapi`. Only rules that hold both Services are split; rules made
//! by steps bear the name of their managed route, so no memory besides the route is needed.

mod config;
mod header;
mod managed;
mod mirror;
mod route;
mod weights;

use api::rollout::Rollout;
use object::{Gvk, Value};

use self::config::{Config, Label, MirrorMode};
use self::route::Route;

use crate::router::Carrier;
use crate::settings::service;
use crate::{Live, Problem, Reference, Routed, Selection, Settings, Wanted};

/// Name of the plugin whose configuration this router reads.
pub(crate) const PLUGIN: &str = "argoproj-labs/gatewayAPI";

/// What kind of route it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RouteKind {
    Http,
    Grpc,
    Tcp,
    Tls,
}

impl RouteKind {
    const ALL: [Self; 4] = [Self::Http, Self::Grpc, Self::Tcp, Self::Tls];

    /// Returns the name that the plugin's configuration and messages use.
    fn field(self) -> &'static str {
        match self {
            Self::Http => "httpRoute",
            Self::Grpc => "grpcRoute",
            Self::Tcp => "tcpRoute",
            Self::Tls => "tlsRoute",
        }
    }

    fn gvk(self, settings: &Settings) -> Gvk {
        let (version, kind) = match self {
            Self::Http => (&settings.http_route_version, "HTTPRoute"),
            Self::Grpc => (&settings.grpc_route_version, "GRPCRoute"),
            Self::Tcp => (&settings.tcp_route_version, "TCPRoute"),
            Self::Tls => (&settings.tls_route_version, "TLSRoute"),
        };
        Gvk::new("gateway.networking.k8s.io", version, kind)
    }
}

/// A route by name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    kind: RouteKind,
    name: String,
    /// Whether steps make rules in it.
    header_routes: bool,
}

/// The router.
#[derive(Clone, Debug)]
pub(crate) struct GatewayApi {
    routes: Vec<Named>,
    selectors: Vec<(RouteKind, object::LabelSelector)>,
    /// Empty for the Rollout's.
    namespace: String,
    label: Option<Label>,
    mirror: MirrorMode,
    settings: Settings,
}

impl GatewayApi {
    /// Returns the router of the plugin's configuration.
    pub(crate) fn read(config: &Value, settings: &Settings) -> Result<Self, Problem> {
        let config: Config = config::read(config)?;
        Ok(Self {
            routes: config.routes()?,
            selectors: config.selectors()?,
            label: config.label(),
            mirror: config.mirror()?,
            namespace: config.namespace,
            settings: settings.clone(),
        })
    }

    fn namespace<'a>(&'a self, rollout: &'a Rollout) -> &'a str {
        if self.namespace.is_empty() { rollout.namespace() } else { &self.namespace }
    }

    /// Returns the problems of steps whose managed route cannot be the name of a rule.
    fn wrong_names(&self, rollout: &Rollout) -> Vec<Problem> {
        if !self.routes.iter().any(|route| route.header_routes) {
            return Vec::new();
        }
        let steps = rollout.canary().map(|canary| canary.steps.as_slice()).unwrap_or_default();
        let wrong = steps.iter().enumerate().filter_map(|(index, step)| {
            let header = step.set_header_route.as_ref().map(|step| ("setHeaderRoute", &step.name));
            let mirror = step.set_mirror_route.as_ref().map(|step| ("setMirrorRoute", &step.name));
            let (field, name) = header.or(mirror)?;
            let path = format!("spec.strategy.canary.steps[{index}].{field}.name");
            Some(Problem::invalid(&path, &name.as_str().into(), &header::wrong_name(name)?))
        });
        wrong.collect()
    }

    fn reference(&self, rollout: &Rollout, route: &Named) -> Reference {
        Reference::new(route.kind.gvk(&self.settings), self.namespace(rollout), &route.name)
    }

    /// Returns the routes by name and then those found by labels, each once.
    fn resolved(&self, rollout: &Rollout, live: &Live) -> Vec<Named> {
        let mut routes = self.routes.clone();
        for (selection, (kind, _)) in self.selections(rollout).iter().zip(&self.selectors) {
            for name in live.selected(selection) {
                if !routes.iter().any(|route| route.kind == *kind && route.name == name) {
                    routes.push(Named { kind: *kind, name: name.to_owned(), header_routes: false });
                }
            }
        }
        routes.sort_by_key(|route| route.kind);
        routes
    }
}

impl Carrier for GatewayApi {
    fn references(&self, rollout: &Rollout) -> Vec<Reference> {
        self.routes.iter().map(|route| self.reference(rollout, route)).collect()
    }

    fn selections(&self, rollout: &Rollout) -> Vec<Selection> {
        let namespace = self.namespace(rollout).to_owned();
        self.selectors
            .iter()
            .map(|(kind, selector)| Selection {
                gvk: kind.gvk(&self.settings),
                namespace: namespace.clone(),
                selector: selector.clone(),
            })
            .collect()
    }

    fn wishes(&self, wanted: &Wanted<'_>) -> Vec<Reference> {
        let additional = wanted.weight.iter().flat_map(|weight| &weight.additional);
        additional
            .map(|additional| Reference::new(service(), wanted.rollout.namespace(), &additional.service))
            .collect()
    }

    fn validate(&self, rollout: &Rollout, live: &Live) -> Vec<Problem> {
        let wanted = Wanted::nothing(rollout);
        let mut problems = self.wrong_names(rollout);
        for named in self.resolved(rollout, live) {
            let reference = self.reference(rollout, &named);
            let path = format!("{}.plugins[{PLUGIN:?}].{}", crate::router::PATH, named.kind.field());
            let Some(found) = live.get(&reference) else {
                let absence = live.absence(&reference);
                let name = named.name.as_str().into();
                problems.extend(absence.map(|message| Problem::invalid(&path, &name, &message)));
                continue;
            };
            let route = Route::new(self, &named, &wanted, live, &reference);
            if let Err(problem) = route.sources(found.items(&["spec", "rules"])) {
                problems.push(Problem::invalid(&path, &named.name.as_str().into(), &problem.message));
            }
        }
        problems
    }

    fn plan(&self, wanted: &Wanted<'_>, live: &Live) -> Result<Routed, Problem> {
        let mut routed = Routed { verified: wanted.weight.is_some().then_some(true), ..Routed::default() };
        let routes = self.resolved(wanted.rollout, live);
        if routes.is_empty() && wanted.weight.is_some() {
            let path = format!("{}.plugins[{PLUGIN:?}]", crate::router::PATH);
            return Err(Problem::plain(&path, config::NO_ROUTES).recorded());
        }
        for named in &routes {
            let reference = self.reference(wanted.rollout, named);
            let found = live.get(&reference).ok_or_else(|| Problem::missing(&reference))?;
            let route = Route::new(self, named, wanted, live, &reference);
            routed.patch(found, &route.planned(found)?);
        }
        Ok(routed)
    }
}
