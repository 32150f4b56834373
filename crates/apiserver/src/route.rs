//! From a path to what it names.

use std::sync::Arc;

use crate::call::Target;
use crate::kinds::{self, Kind};
use crate::server::Api;

/// What a path names.
#[derive(Debug)]
pub(crate) enum Route {
    Health,
    Version,
    Discovery(Page),
    OpenApi(OpenApiPage),
    Resource(Target),
}

/// A document of discovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Root,
    Core,
    Groups,
    Group(String),
    Version { group: String, version: String },
}

/// A document of `/openapi`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OpenApiPage {
    V2,
    Index,
    Version { group: String, version: String },
}

/// Returns what `path` names, if there is such a thing.
pub(crate) fn find(api: &Api, path: &str) -> Option<Route> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => Some(Route::Discovery(Page::Root)),
        ["healthz" | "livez" | "readyz", ..] => Some(Route::Health),
        ["version"] => Some(Route::Version),
        ["api"] => Some(Route::Discovery(Page::Core)),
        ["apis"] => Some(Route::Discovery(Page::Groups)),
        ["openapi", "v2"] => Some(Route::OpenApi(OpenApiPage::V2)),
        ["openapi", "v3"] => Some(Route::OpenApi(OpenApiPage::Index)),
        ["openapi", "v3", "api", version] => Some(openapi("", version)),
        ["openapi", "v3", "apis", group, version] => Some(openapi(group, version)),
        ["api", version] => served(api, "", version),
        ["apis", group] => {
            let page = Route::Discovery(Page::Group((*group).to_owned()));
            crate::discovery::has_group(api, group).then_some(page)
        }
        ["apis", group, version] => served(api, group, version),
        ["api", version, rest @ ..] => resource(api, "", version, rest),
        ["apis", group, version, rest @ ..] => resource(api, group, version, rest),
        _ => None,
    }
}

fn openapi(group: &str, version: &str) -> Route {
    Route::OpenApi(OpenApiPage::Version { group: group.to_owned(), version: version.to_owned() })
}

fn served(api: &Api, group: &str, version: &str) -> Option<Route> {
    let page = Page::Version { group: group.to_owned(), version: version.to_owned() };
    crate::discovery::has_version(api, group, version).then_some(Route::Discovery(page))
}

/// Returns the kind of a resource, built in or custom.
pub(crate) fn kind(api: &Api, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
    kinds::find(group, version, plural).or_else(|| api.customs.find(&api.store, group, version, plural))
}

fn resource(api: &Api, group: &str, version: &str, rest: &[&str]) -> Option<Route> {
    let (namespace, rest) = match rest {
        ["namespaces", namespace, plural, more @ ..]
            if !(group.is_empty() && matches!(*plural, "status" | "finalize")) =>
        {
            let rest: Vec<&str> = std::iter::once(plural).chain(more).copied().collect();
            ((*namespace).to_owned(), rest)
        }
        rest => (String::new(), rest.to_vec()),
    };
    let (plural, name, subresource) = match rest.as_slice() {
        [plural] => (plural, "", ""),
        [plural, name] => (plural, *name, ""),
        [plural, name, subresource] => (plural, *name, *subresource),
        _ => return None,
    };
    let kind = kind(api, group, version, plural)?;
    let misplaced = kind.namespaced == namespace.is_empty() && !(kind.namespaced && name.is_empty());
    if misplaced || !(subresource.is_empty() || kind.subresources.contains_key(subresource)) {
        return None;
    }
    let name = decode(name);
    Some(Route::Resource(Target {
        kind,
        namespace: decode(&namespace),
        name,
        subresource: subresource.to_owned(),
    }))
}

/// Undoes the percent encoding of a path's segment.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        if let (b'%', Some(byte)) = (first, code.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
