//! What a project lets its Applications do.

use api::application::{Project, ProjectKind, ProjectSpec};
use globset::GlobBuilder;
use object::{GroupKind, Object};

use crate::observation::{Observation, Scope};

/// A destination as projects see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// URL of the cluster's API.
    pub server: &'a str,
    /// Name of the cluster; empty when it has none.
    pub cluster: &'a str,
    /// Namespace.
    pub namespace: &'a str,
}

/// Returns true when `url` matches one of the project's source repositories and none that it denies.
///
/// Source: `AppProject.IsSourcePermitted`: globs over normalised URLs, in which `*` stops at `/` unless it is all.
pub fn permits_source(spec: &ProjectSpec, url: &str) -> bool {
    let url = repository(url);
    let mut any = false;
    for pattern in &spec.source_repos {
        let (denies, pattern) = negation(pattern);
        let everything = pattern == "*" && !denies;
        let hit = everything || matches_any(&repository(pattern), &url, Stars::StopAtSlash);
        match (denies, hit) {
            (true, true) => return false,
            (true, false) | (false, true) => any = true,
            (false, false) => {}
        }
    }
    any
}

/// Returns true when `place` matches one of the project's destinations and none that it denies.
///
/// Source: `AppProject.isDestinationMatched`. A denied server or name counts where the entry's namespace matches, a
/// denied namespace where its server does.
pub fn permits_destination(spec: &ProjectSpec, place: Place<'_>) -> bool {
    let (mut any, mut denied) = (false, false);
    for entry in &spec.destinations {
        let server = !place.server.is_empty() && is_match(&entry.server, place.server);
        let name = !place.cluster.is_empty() && is_match(&entry.name, place.cluster);
        let namespace = is_match(&entry.namespace, place.namespace);
        if (server || name) && namespace {
            any = true;
            continue;
        }
        let denies = |matched: bool, pattern: &str| !matched && pattern.starts_with('!');
        denied |= (denies(name, &entry.name) || denies(server, &entry.server)) && namespace;
        denied |= denies(namespace, &entry.namespace) && server;
    }
    any && !denied
}

/// Returns true when objects of `kind` called `name` are allowed.
///
/// Source: `AppProject.IsGroupKindNamePermitted`: kinds outside namespaces only when listed, others unless listed
/// otherwise.
pub fn permits_kind(spec: &ProjectSpec, kind: &GroupKind, name: &str, scope: Scope) -> bool {
    let is_in = |list: &[ProjectKind]| {
        list.iter().any(|entry| {
            matches_any(&entry.kind, &kind.kind, Stars::Free)
                && matches_any(&entry.group, &kind.group, Stars::Free)
                && (scope == Scope::Namespaced
                    || entry.name.is_empty()
                    || matches_any(&entry.name, name, Stars::Free))
        })
    };
    match scope {
        Scope::Namespaced => {
            spec.namespace_resource_whitelist.as_deref().is_none_or(is_in)
                && !is_in(&spec.namespace_resource_blacklist)
        }
        Scope::Cluster => is_in(&spec.cluster_resource_whitelist) && !is_in(&spec.cluster_resource_blacklist),
    }
}

/// What the project of an observation permits.
#[derive(Clone, Debug)]
pub struct Permissions {
    project: Result<Option<Project>, String>,
    server: String,
    cluster: String,
}

impl Permissions {
    /// Returns the permissions at the destination that was observed. Without a project everything is permitted.
    pub fn of(observation: &Observation) -> Self {
        let project = observation.project.as_deref().map(Project::from_object).transpose();
        let server = match &observation.cluster {
            crate::Cluster::Known { server } => server.clone(),
            crate::Cluster::Unknown { .. } => String::new(),
        };
        let own = server == api::application::IN_CLUSTER;
        let cluster = if own { api::application::IN_CLUSTER_NAME } else { "" };
        Self { project: project.map_err(|error| error.to_string()), server, cluster: cluster.into() }
    }

    /// Returns the project, `None` when everything is permitted, or why it cannot be read.
    pub fn project(&self) -> Result<Option<&Project>, &str> {
        self.project.as_ref().map(Option::as_ref).map_err(String::as_str)
    }

    /// Returns true when `namespace` of the destination is permitted.
    pub fn namespace(&self, namespace: &str) -> bool {
        let place = Place { server: &self.server, cluster: &self.cluster, namespace };
        self.allows(|spec| permits_destination(spec, place))
    }

    /// Returns true when objects of `kind` called `name` are permitted.
    pub fn kind(&self, kind: &GroupKind, name: &str, scope: Scope) -> bool {
        self.allows(|spec| permits_kind(spec, kind, name, scope))
    }

    /// Returns true when the live object is one that Applications of the project may have.
    pub fn live(&self, object: &Object) -> bool {
        let scope = if object.namespace().is_empty() { Scope::Cluster } else { Scope::Namespaced };
        self.kind(&object.group_kind(), object.name(), scope)
            && (scope == Scope::Cluster || self.namespace(object.namespace()))
    }

    fn allows(&self, permits: impl Fn(&ProjectSpec) -> bool) -> bool {
        match &self.project {
            Ok(project) => project.as_ref().is_none_or(|project| permits(&project.spec)),
            Err(_) => false,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stars {
    Free,
    StopAtSlash,
}

fn negation(pattern: &str) -> (bool, &str) {
    pattern.strip_prefix('!').map_or((false, pattern), |pattern| (true, pattern))
}

fn is_match(pattern: &str, text: &str) -> bool {
    let (denies, pattern) = negation(pattern);
    matches_any(pattern, text, Stars::Free) != denies
}

/// Returns true when the glob matches; one that is none matches nothing.
fn matches_any(pattern: &str, text: &str, stars: Stars) -> bool {
    if pattern == "*" && stars == Stars::Free {
        return true;
    }
    let mut glob = GlobBuilder::new(pattern);
    glob.literal_separator(stars == Stars::StopAtSlash).backslash_escape(true).empty_alternates(true);
    glob.build().is_ok_and(|glob| glob.compile_matcher().is_match(text))
}

/// Returns the form of a repository's URL that is compared; empty for one that is no URL.
///
/// Source: `git.NormalizeGitURL`: lower case, without `.git` at the end, `user@host:path` as `user@host/path`, without
/// `ssh://`.
pub fn repository(url: &str) -> String {
    let mut url = url.trim().to_lowercase();
    let scp = url
        .split_once('@')
        .is_some_and(|(user, host)| !user.contains(['/', ':']) && !host.contains('@') && !user.is_empty());
    if scp {
        url = format!("ssh://{}", url.replacen(':', "/", 1));
    }
    let url = url.strip_suffix(".git").unwrap_or(&url);
    let authority = url.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    let port = authority.and_then(|authority| authority.rsplit('@').next()?.split_once(':'));
    if port.is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return String::new();
    }
    url.strip_prefix("ssh://").unwrap_or(url).to_owned()
}
