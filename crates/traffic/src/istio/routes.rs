//! Which routes of a VirtualService are split.

use std::collections::BTreeSet;

use api::rollout::{IstioVirtualService, TcpRoute, TlsRoute};
use object::{Object, Value};

use super::hosts::{Hosts, is, place};
use crate::json::{items, text};

const TRAFFIC_ROUTING: &str = "spec.strategy.canary.trafficRouting.istio.virtualService";

/// Protocol of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Tls,
    Tcp,
}

impl Protocol {
    pub(super) const ALL: [Self; 3] = [Self::Http, Self::Tls, Self::Tcp];

    /// Returns its field in `spec`.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
        }
    }
}

/// Returns the indices of the routes of a protocol that are split, each holding both versions; none when the
/// VirtualService has no routes of it.
///
/// Errors: upstream's words.
pub(super) fn split(
    object: &Object,
    protocol: Protocol,
    config: &IstioVirtualService,
    hosts: &Hosts<'_>,
) -> Result<Vec<usize>, String> {
    let routes = object.items(&["spec", protocol.field()]);
    if routes.is_empty() {
        return Ok(Vec::new());
    }
    let indices = match protocol {
        Protocol::Http => http(routes, config, &hosts.managed)?,
        Protocol::Tls => tls(routes, &config.tls_routes)?,
        Protocol::Tcp => tcp(routes, &config.tcp_routes)?,
    };
    for index in &indices {
        holds_both(&routes[*index], hosts)?;
    }
    Ok(indices)
}

/// Returns what is wrong with the routes, in upstream's words.
pub(super) fn problems(object: &Object, config: &IstioVirtualService, hosts: &Hosts<'_>) -> Vec<String> {
    if Protocol::ALL.iter().all(|protocol| object.get(&["spec", protocol.field()]).is_none()) {
        return vec![
            "Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService".to_owned(),
        ];
    }
    let wrong = Protocol::ALL.iter().filter_map(|protocol| {
        let error = split(object, *protocol, config, hosts).err()?;
        let name = protocol.field().to_uppercase();
        Some(format!("Istio VirtualService has invalid {name} routes. Error: {error}"))
    });
    wrong.collect()
}

fn http(routes: &[Value], config: &IstioVirtualService, managed: &[&str]) -> Result<Vec<usize>, String> {
    if config.routes.is_empty() {
        let is_own = |route: &Value| !managed.contains(&text(route, "name"));
        let own: Vec<usize> = (0..routes.len()).filter(|index| is_own(&routes[*index])).collect();
        return if own.len() > 1 { Err(one_route("http", "routes")) } else { Ok(own) };
    }
    let find = |name: &String| {
        let index = routes.iter().position(|route| text(route, "name") == name);
        index.ok_or_else(|| format!("HTTP Route '{name}' is not found in the defined Virtual Service."))
    };
    config.routes.iter().map(find).collect()
}

fn one_route(protocol: &str, field: &str) -> String {
    format!(
        "spec.{protocol}[] should be set in VirtualService and it must have exactly one route when omitting {TRAFFIC_ROUTING}.{field}"
    )
}

fn tls(routes: &[Value], wanted: &[TlsRoute]) -> Result<Vec<usize>, String> {
    if wanted.is_empty() {
        return if routes.len() > 1 { Err(one_route("tls", "tlsRoutes")) } else { Ok(vec![0]) };
    }
    let fits = |route: &Value, tls: &TlsRoute| {
        let hosts: BTreeSet<&str> = items(route, "match")
            .iter()
            .flat_map(|matched| items(matched, "sniHosts"))
            .filter_map(Value::as_str)
            .collect();
        let wanted: BTreeSet<&str> = tls.sni_hosts.iter().map(String::as_str).collect();
        has_port(route, tls.port) && (wanted.is_empty() || wanted == hosts)
    };
    found(routes, wanted, fits, "No matching TLS routes found in the defined Virtual Service.")
}

fn tcp(routes: &[Value], wanted: &[TcpRoute]) -> Result<Vec<usize>, String> {
    if wanted.is_empty() {
        return if routes.len() > 1 { Err(one_route("tcp", "tcpRoutes")) } else { Ok(vec![0]) };
    }
    let fits = |route: &Value, tcp: &TcpRoute| has_port(route, tcp.port);
    found(routes, wanted, fits, "No matching TCP routes found in the defined Virtual Service.")
}

/// Returns true when all matches of a route are of this port; a route of several ports never fits.
fn has_port(route: &Value, wanted: Option<i64>) -> bool {
    let ports: BTreeSet<i64> =
        items(route, "match").iter().map(|matched| matched["port"].as_i64().unwrap_or_default()).collect();
    let wanted = wanted.unwrap_or_default();
    ports.len() <= 1 && (wanted == 0 || ports.contains(&wanted))
}

fn found<T>(
    routes: &[Value],
    wanted: &[T],
    fits: impl Fn(&Value, &T) -> bool,
    message: &str,
) -> Result<Vec<usize>, String> {
    let mut indices = BTreeSet::new();
    for one in wanted {
        let fitting: Vec<usize> = (0..routes.len()).filter(|index| fits(&routes[*index], one)).collect();
        if fitting.is_empty() {
            return Err(message.to_owned());
        }
        indices.extend(fitting);
    }
    Ok(indices.into_iter().collect())
}

/// Checks that a route has a destination for each version.
pub(super) fn holds_both(route: &Value, hosts: &Hosts<'_>) -> Result<(), String> {
    let destinations = items(route, "route");
    let subset =
        |name: &str| !name.is_empty() && destinations.iter().any(|destination| place(destination).1 == name);
    let service = |name: &str| destinations.iter().any(|destination| is(place(destination).0, name));
    let wrong = match hosts.rule {
        Some(rule) => [
            ("Canary DestinationRule subset", &*rule.canary_subset_name, subset(&rule.canary_subset_name)),
            ("Stable DestinationRule subset", &*rule.stable_subset_name, subset(&rule.stable_subset_name)),
        ],
        None => [
            ("Canary Service", hosts.services.canary, service(hosts.services.canary)),
            ("Stable Service", hosts.services.stable, service(hosts.services.stable)),
        ],
    };
    match wrong.iter().find(|(_, _, held)| !held) {
        Some((what, name, _)) => Err(format!("{what} '{name}' not found in route")),
        None => Ok(()),
    }
}
