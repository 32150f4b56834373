//! What is served: `/api`, `/apis` and below, one by one and all at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::encode;
use crate::kinds::{self, Kind, Subresource};
use crate::route::Page;
use crate::server::Api;
use crate::status::{Failure, Outcome};

/// Returns a document.
pub(crate) fn answer(api: &Api, page: &Page, headers: &HeaderMap) -> Outcome<Response> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let aggregated = accept.split(',').next().unwrap_or_default().contains("APIGroupDiscoveryList");
    let version =
        if accept.split(',').next().unwrap_or_default().contains("v=v2beta1") { "v2beta1" } else { "v2" };
    let body = match page {
        Page::Root => root(api),
        Page::Core | Page::Groups if aggregated => {
            let core = *page == Page::Core;
            let groups: Vec<String> = if core { vec![String::new()] } else { groups(api) };
            let items: Vec<Value> = groups.iter().map(|group| together(api, group)).collect();
            let body = json!({
                "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"),
                "metadata": {}, "items": items,
            });
            let media = match version {
                "v2" => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
                _ => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
            };
            return Ok(encode::typed(200, media, body.to_string()));
        }
        Page::Core => json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:443" }],
        }),
        Page::Groups => {
            let groups: Vec<Value> = groups(api).iter().map(|name| group(api, name)).collect();
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
        }
        Page::Group(name) => {
            let mut body = group(api, name);
            body["kind"] = "APIGroup".into();
            body["apiVersion"] = "v1".into();
            body
        }
        Page::Version { group, version } => resources(api, group, version)?,
    };
    Ok(encode::json(200, &body))
}

fn root(api: &Api) -> Value {
    let mut paths: Vec<String> = [
        "/api",
        "/api/v1",
        "/apis",
        "/healthz",
        "/livez",
        "/openapi/v2",
        "/openapi/v3",
        "/readyz",
        "/version",
    ]
    .map(str::to_owned)
    .to_vec();
    for group in groups(api) {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions(api, &group).iter().map(|version| format!("/apis/{group}/{version}")));
    }
    paths.sort();
    json!({ "paths": paths })
}

/// Returns all kinds, the built-in ones first.
pub(crate) fn kinds(api: &Api) -> Vec<Arc<Kind>> {
    let mut all = kinds::builtin().to_vec();
    all.extend(api.customs.all(&api.store));
    all
}

/// The built-in groups in the order in which kube-apiserver lists them.
const GROUPS: [&str; 14] = [
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
];

/// Returns the names of the groups, without the core group.
fn groups(api: &Api) -> Vec<String> {
    let mut names: Vec<String> = GROUPS.map(str::to_owned).to_vec();
    for kind in kinds(api) {
        if !kind.group.is_empty() && !names.contains(&kind.group) {
            names.push(kind.group.clone());
        }
    }
    names
}

/// Returns a group's versions, the preferred one first.
///
/// **Source:** `k8s.io/apimachinery/pkg/version.CompareKubeAwareVersionStrings`.
fn versions(api: &Api, group: &str) -> Vec<String> {
    let all = kinds(api);
    let names: BTreeSet<&String> =
        all.iter().filter(|kind| kind.group == group).map(|kind| &kind.version).collect();
    let mut names: Vec<String> = names.into_iter().cloned().collect();
    names.sort_by_key(|name| std::cmp::Reverse(rank(name)));
    names
}

/// How preferred a version is: stable before beta before alpha before others, then the higher number.
fn rank(name: &str) -> (u8, u64, u64) {
    let Some(rest) = name.strip_prefix('v') else { return (0, 0, 0) };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let Ok(major) = rest[..digits].parse() else { return (0, 0, 0) };
    let minor = |text: &str| text.parse().unwrap_or_default();
    match &rest[digits..] {
        "" => (3, major, 0),
        tail => match (tail.strip_prefix("beta"), tail.strip_prefix("alpha")) {
            (Some(number), _) => (2, major, minor(number)),
            (_, Some(number)) => (1, major, minor(number)),
            _ => (0, 0, 0),
        },
    }
}

/// Returns whether a group is served.
pub(crate) fn has_group(api: &Api, group: &str) -> bool {
    !group.is_empty() && kinds(api).iter().any(|kind| kind.group == group)
}

/// Returns whether a group's version is served.
pub(crate) fn has_version(api: &Api, group: &str, version: &str) -> bool {
    kinds(api).iter().any(|kind| kind.group == group && kind.version == version)
}

fn group(api: &Api, name: &str) -> Value {
    let entry = |version: &String| json!({ "groupVersion": format!("{name}/{version}"), "version": version });
    let versions: Vec<Value> = versions(api, name).iter().map(entry).collect();
    json!({ "name": name, "versions": versions, "preferredVersion": versions.first() })
}

fn resources(api: &Api, group: &str, version: &str) -> Outcome<Value> {
    let all = kinds(api);
    let mut found: Vec<&Arc<Kind>> =
        all.iter().filter(|kind| kind.group == group && kind.version == version).collect();
    if found.is_empty() {
        return Err(Failure::new(404, "NotFound", "the server could not find the requested resource"));
    }
    found.sort_by(|a, b| a.plural.cmp(&b.plural));
    let api_version = found[0].api_version();
    let list: Vec<Value> = found.iter().flat_map(|kind| rows(kind)).collect();
    let mut body = json!({ "kind": "APIResourceList", "groupVersion": api_version, "resources": list });
    if !group.is_empty() {
        body["apiVersion"] = "v1".into();
    }
    Ok(body)
}

fn rows(kind: &Kind) -> Vec<Value> {
    let mut own = json!({
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
        "verbs": kind.verbs,
    });
    if !kind.short_names.is_empty() {
        own["shortNames"] = kind.short_names.clone().into();
    }
    if !kind.categories.is_empty() {
        own["categories"] = kind.categories.clone().into();
    }
    if !kind.hash.is_empty() {
        own["storageVersionHash"] = kind.hash.clone().into();
    } else if kind.custom.is_some() {
        own["storageVersionHash"] = hash(kind).into();
    }
    let mut rows = vec![own];
    for (name, sub) in subresources(kind) {
        let mut row = json!({
            "name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced,
            "kind": sub.kind, "verbs": sub.verbs,
        });
        if !sub.version.is_empty() {
            row["group"] = sub.group.clone().into();
            row["version"] = sub.version.clone().into();
            if sub.group.is_empty() {
                row.as_object_mut().map(|row| row.remove("group"));
            }
        }
        rows.push(row);
    }
    rows
}

/// A stable value per storage version; only its equality means something.
fn hash(kind: &Kind) -> String {
    use base64::Engine;
    let text = format!("{}/{}/{}", kind.group, kind.version, kind.kind);
    let fnv = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    base64::engine::general_purpose::STANDARD.encode(fnv.to_be_bytes())
}

fn together(api: &Api, group: &str) -> Value {
    let all = kinds(api);
    let versions: Vec<Value> = versions(api, group)
        .iter()
        .map(|version| {
            let mut found: Vec<&Arc<Kind>> =
                all.iter().filter(|kind| kind.group == group && kind.version == *version).collect();
            found.sort_by(|a, b| a.plural.cmp(&b.plural));
            let resources: Vec<Value> = found.iter().map(|kind| aggregated(kind)).collect();
            json!({ "version": version, "resources": resources, "freshness": "Current" })
        })
        .collect();
    let metadata = if group.is_empty() { json!({}) } else { json!({ "name": group }) };
    json!({ "metadata": metadata, "versions": versions })
}

/// The subresources in the order in which they are listed: those of custom resources start with the status.
fn subresources(kind: &Kind) -> Vec<(&String, &Subresource)> {
    let mut list: Vec<_> = kind.subresources.iter().collect();
    if kind.custom.is_some() {
        list.reverse();
    }
    list
}

fn aggregated(kind: &Kind) -> Value {
    let response = |name: &str| match kind.custom {
        Some(_) => json!({ "group": kind.group, "version": kind.version, "kind": name }),
        None => json!({ "group": "", "version": "", "kind": name }),
    };
    let mut own = json!({
        "resource": kind.plural, "responseKind": response(&kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular, "verbs": kind.verbs,
    });
    if !kind.short_names.is_empty() {
        own["shortNames"] = kind.short_names.clone().into();
    }
    if !kind.categories.is_empty() {
        own["categories"] = kind.categories.clone().into();
    }
    let subresources: Vec<Value> = subresources(kind)
        .into_iter()
        .map(|(name, sub)| {
            let kind = match sub.version.as_str() {
                "" => response(&sub.kind),
                version => json!({ "group": sub.group, "version": version, "kind": sub.kind }),
            };
            json!({ "subresource": name, "responseKind": kind, "verbs": sub.verbs })
        })
        .collect();
    if !subresources.is_empty() {
        own["subresources"] = subresources.into();
    }
    own
}
