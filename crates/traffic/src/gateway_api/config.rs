//! The plugin's configuration.

use object::{LabelSelector, Value};
use serde::Deserialize;

use super::{Named, PLUGIN, RouteKind};
use crate::Problem;
use crate::router::{PATH, read as read_field};

/// What the plugin says when there is no route.
pub(super) const NO_ROUTES: &str =
    "No routes configured. One of 'tcpRoutes', 'httpRoutes', 'tcpRoute' or 'httpRoute' should be set";

/// Fields of the configuration; `configMap`, the plugin's memory of rules, is not needed and ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Config {
    http_route: String,
    grpc_route: String,
    tcp_route: String,
    tls_route: String,
    http_routes: Vec<Entry>,
    grpc_routes: Vec<Entry>,
    tcp_routes: Vec<Entry>,
    tls_routes: Vec<Entry>,
    http_route_selector: Option<Value>,
    grpc_route_selector: Option<Value>,
    tcp_route_selector: Option<Value>,
    tls_route_selector: Option<Value>,
    pub(super) namespace: String,
    disable_in_progress_label: bool,
    in_progress_label_key: String,
    in_progress_label_value: String,
    mirror_mode: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    name: String,
    use_header_routes: bool,
}

/// Label of routes while the new version has a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) key: String,
    pub(super) value: String,
}

/// How a mirror step copies requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MirrorMode {
    /// In rules of its own, for what the step's `match` says.
    Rule,
    /// In the split rules themselves, for all they get.
    Filter,
}

pub(super) fn read(config: &Value) -> Result<Config, Problem> {
    read_field(config, &path(""))
}

fn path(field: &str) -> String {
    if field.is_empty() { format!("plugins[{PLUGIN:?}]") } else { format!("plugins[{PLUGIN:?}].{field}") }
}

impl Config {
    /// Returns the routes by name: the lists, then the single ones, each once.
    pub(super) fn routes(&self) -> Result<Vec<Named>, Problem> {
        let mut routes: Vec<Named> = Vec::new();
        for kind in RouteKind::ALL {
            let (entries, single) = self.of(kind);
            for (index, entry) in entries.iter().enumerate() {
                if entry.name.is_empty() {
                    let path = format!("{PATH}.{}", path(&format!("{}s[{index}].name", kind.field())));
                    return Err(Problem::required(&path, "a route needs a name"));
                }
                routes.push(Named { kind, name: entry.name.clone(), header_routes: entry.use_header_routes });
            }
            match routes.iter_mut().find(|route| route.kind == kind && route.name == single) {
                Some(route) => route.header_routes = true,
                None if single.is_empty() => {}
                None => routes.push(Named { kind, name: single.to_owned(), header_routes: true }),
            }
        }
        if routes.is_empty() && self.selector_values().iter().all(|(_, selector)| selector.is_none()) {
            return Err(Problem::plain(&format!("{PATH}.{}", path("")), NO_ROUTES));
        }
        Ok(routes)
    }

    fn of(&self, kind: RouteKind) -> (&[Entry], &str) {
        match kind {
            RouteKind::Http => (&self.http_routes, &self.http_route),
            RouteKind::Grpc => (&self.grpc_routes, &self.grpc_route),
            RouteKind::Tcp => (&self.tcp_routes, &self.tcp_route),
            RouteKind::Tls => (&self.tls_routes, &self.tls_route),
        }
    }

    fn selector_values(&self) -> [(RouteKind, Option<&Value>); 4] {
        [
            (RouteKind::Http, self.http_route_selector.as_ref()),
            (RouteKind::Grpc, self.grpc_route_selector.as_ref()),
            (RouteKind::Tcp, self.tcp_route_selector.as_ref()),
            (RouteKind::Tls, self.tls_route_selector.as_ref()),
        ]
    }

    pub(super) fn selectors(&self) -> Result<Vec<(RouteKind, LabelSelector)>, Problem> {
        let given = self.selector_values().into_iter().filter_map(|(kind, value)| Some((kind, value?)));
        given
            .map(|(kind, value)| {
                let selector = LabelSelector::from_json(value).map_err(|error| {
                    let path = format!("{PATH}.{}", path(&format!("{}Selector", kind.field())));
                    Problem::invalid(&path, value, &error.problem)
                })?;
                Ok((kind, selector))
            })
            .collect()
    }

    pub(super) fn label(&self) -> Option<Label> {
        let or = |text: &str, default: &str| {
            if text.is_empty() { default.to_owned() } else { text.to_owned() }
        };
        (!self.disable_in_progress_label).then(|| Label {
            key: or(&self.in_progress_label_key, "rollouts.argoproj.io/gatewayapi-canary"),
            value: or(&self.in_progress_label_value, "in-progress"),
        })
    }

    pub(super) fn mirror(&self) -> Result<MirrorMode, Problem> {
        match self.mirror_mode.as_str() {
            "" | "rule" => Ok(MirrorMode::Rule),
            "filter" => Ok(MirrorMode::Filter),
            other => {
                let path = format!("{PATH}.{}", path("mirrorMode"));
                Err(Problem::invalid(&path, &other.into(), "must be rule or filter"))
            }
        }
    }
}
