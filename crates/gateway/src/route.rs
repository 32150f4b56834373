//! Which rule of the HTTPRoutes a request meets, and which Services that rule sends to.
//!
//! Every HTTPRoute counts, whatever its parents: this gateway stands for all of them. Filters are not acted on.

use std::sync::Arc;

use http::HeaderMap;
use object::{Key, Object, Value, json};
use regex::RegexBuilder;

/// Largest compiled expression of a match, in bytes.
const MAX_EXPRESSION: usize = 1 << 20;

/// Returns the definition of HTTPRoutes for a cluster that has none: of any fields.
pub fn definition() -> Object {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let version = json!({
        "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    });
    Object::from_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "httproutes.gateway.networking.k8s.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, of a cluster for development"},
        },
        "spec": {
            "group": "gateway.networking.k8s.io", "scope": "Namespaced",
            "names": {"kind": "HTTPRoute", "listKind": "HTTPRouteList", "plural": "httproutes", "singular": "httproute"},
            "versions": [version],
        },
    }))
}

/// What of a request decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// Name without a port.
    pub host: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
}

/// Whether routes that name no host count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnyHost {
    /// They do: the host means nothing else.
    Counts,
    /// They do not: the host is that of a Service.
    Ignored,
}

/// A rule's route and its number there.
pub(crate) type RuleId = (Key, usize);

/// A Service that a rule sends to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub service: Key,
    pub port: Option<u16>,
    pub weight: u32,
}

/// How well a match fits; the greater goes first. Source: HTTPRouteRule in the Gateway API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    host: usize,
    exact_path: bool,
    path: usize,
    method: bool,
    headers: usize,
    query: usize,
}

/// Returns the best rule for a request and where it sends to; of equals the one of the older route, then the first.
pub(crate) fn rule(routes: &[Arc<Object>], asked: Asked<'_>, any: AnyHost) -> Option<(RuleId, Vec<Target>)> {
    let mut routes: Vec<_> = routes.iter().filter(|route| !route.is_deleting()).collect();
    routes.sort_by_key(|route| (route.str(&["metadata", "creationTimestamp"]).to_owned(), route.key()));
    let mut best: Option<(Fit, RuleId, Vec<Target>)> = None;
    for route in routes {
        let Some(host) = host_fit(route.items(&["spec", "hostnames"]), asked.host, any) else { continue };
        for (number, rule) in route.items(&["spec", "rules"]).iter().enumerate() {
            let matches = rule["matches"].as_array().map_or(&[][..], Vec::as_slice);
            let fits = matches.iter().filter_map(|one| fit(one, host, asked)).max();
            let fits = if matches.is_empty() { fit(&Value::Null, host, asked) } else { fits };
            if let Some(fit) = fits.filter(|fit| best.as_ref().is_none_or(|(best, ..)| fit > best)) {
                best = Some((fit, (route.key(), number), targets(route, rule)));
            }
        }
    }
    best.map(|(_, id, targets)| (id, targets))
}

/// Returns how exactly a host is named; `None` when it is not.
fn host_fit(names: &[Value], host: &str, any: AnyHost) -> Option<usize> {
    if names.is_empty() {
        return (any == AnyHost::Counts).then_some(0);
    }
    let one = |name: &str| match name.strip_prefix('*') {
        Some(suffix) => (host.len() > suffix.len() && host.ends_with(suffix)).then_some(suffix.len()),
        None => (name == host).then_some(usize::MAX),
    };
    names.iter().filter_map(|name| one(&name.as_str()?.to_ascii_lowercase())).max()
}

fn fit(one: &Value, host: usize, asked: Asked<'_>) -> Option<Fit> {
    let wanted = one["path"]["value"].as_str().unwrap_or("/");
    let exact_path = one["path"]["type"] == "Exact";
    let path_fits = match one["path"]["type"].as_str().unwrap_or("PathPrefix") {
        "Exact" => asked.path == wanted,
        "PathPrefix" => has_prefix(asked.path, wanted),
        "RegularExpression" => expression(wanted, asked.path),
        _ => false,
    };
    let method = one["method"].as_str();
    let headers = one["headers"].as_array().map_or(&[][..], Vec::as_slice);
    let query = one["queryParams"].as_array().map_or(&[][..], Vec::as_slice);
    let value = |name: &str| asked.headers.get(name).and_then(|value| value.to_str().ok());
    let parameter = |name: &str| {
        let pairs = asked.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let fits = path_fits
        && method.is_none_or(|method| method == asked.method)
        && headers.iter().all(|wanted| has_value(wanted, value))
        && query.iter().all(|wanted| has_value(wanted, parameter));
    fits.then(|| Fit {
        host,
        exact_path,
        path: wanted.len(),
        method: method.is_some(),
        headers: headers.len(),
        query: query.len(),
    })
}

/// Returns whether `path` is `prefix` or below it, by whole elements.
fn has_prefix(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn has_value<'a>(wanted: &Value, value: impl Fn(&str) -> Option<&'a str>) -> bool {
    let name = wanted["name"].as_str().unwrap_or_default();
    let (Some(found), Some(wanted_value)) = (value(name), wanted["value"].as_str()) else { return false };
    match wanted["type"].as_str().unwrap_or("Exact") {
        "Exact" => found == wanted_value,
        "RegularExpression" => expression(wanted_value, found),
        _ => false,
    }
}

/// Returns whether an expression matches the whole text; one that cannot be read matches nothing.
fn expression(pattern: &str, text: &str) -> bool {
    let whole = format!("^(?:{pattern})$");
    let compiled = RegexBuilder::new(&whole).size_limit(MAX_EXPRESSION).build();
    compiled.is_ok_and(|expression| expression.is_match(text))
}

/// Returns the Services of a rule; what is no Service gets its share too, and has no name that exists.
fn targets(route: &Object, rule: &Value) -> Vec<Target> {
    let one = |backend: &Value| {
        let namespace = backend["namespace"].as_str().unwrap_or(route.namespace());
        let number = |field: &str| backend[field].as_u64();
        Target {
            service: Key::new(namespace, backend["name"].as_str().unwrap_or_default()),
            port: number("port").and_then(|port| u16::try_from(port).ok()),
            weight: number("weight").map_or(1, |weight| u32::try_from(weight).unwrap_or(u32::MAX)),
        }
    };
    rule["backendRefs"].as_array().into_iter().flatten().map(one).collect()
}

#[cfg(test)]
mod tests;
