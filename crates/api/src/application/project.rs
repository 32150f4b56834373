//! AppProjects: what the Applications of a team may do.

use std::collections::BTreeMap;

use object::{Map, Object, Value};
use serde::{Deserialize, Serialize};

use super::{ApplicationError, is_default, part};

/// An AppProject: its object, with the spec typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    /// The object as it came, all parts included.
    pub object: Object,
    /// What is allowed.
    pub spec: ProjectSpec,
}

impl Project {
    /// Returns the AppProject in `object`.
    ///
    /// Errors: [`ApplicationError`] when the spec is mistyped.
    pub fn from_object(object: &Object) -> Result<Self, ApplicationError> {
        Ok(Self { spec: part(object, "spec")?.unwrap_or_default(), object: object.clone() })
    }
}

/// What Applications of a project may do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProjectSpec {
    /// Allowed repositories, globs; `!` denies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_repos: Vec<String>,
    /// Allowed destinations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<ProjectDestination>,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who may do what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<ProjectRole>,
    /// Allowed cluster-scoped kinds; none when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster_resource_whitelist: Vec<ProjectKind>,
    /// Denied cluster-scoped kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster_resource_blacklist: Vec<ProjectKind>,
    /// Allowed namespaced kinds; all when absent, none when empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_resource_whitelist: Option<Vec<ProjectKind>>,
    /// Denied namespaced kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespace_resource_blacklist: Vec<ProjectKind>,
    /// When syncs are allowed; kept as they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sync_windows: Vec<Value>,
    /// What to do about objects of nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphaned_resources: Option<OrphanedResources>,
    /// Namespaces that Applications of this project may be in, globs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_namespaces: Vec<String>,
    /// Accounts to act as; kept as they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destination_service_accounts: Vec<Value>,
    /// Only clusters of this project may be destinations.
    #[serde(skip_serializing_if = "is_default")]
    pub permit_only_project_scoped_clusters: bool,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A destination, each part a glob; `!` denies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProjectDestination {
    /// URL of the cluster's API.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// Namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name of the cluster.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A kind, each part a glob.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProjectKind {
    /// Group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Name; empty means any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Who may do what in a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProjectRole {
    /// Name.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Policy lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// Groups that have the role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Fields this version does not know, and the tokens.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What to do about objects in a destination namespace that belong to nobody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OrphanedResources {
    /// Whether Applications get a warning; they do when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn: Option<bool>,
    /// Objects that do not count, by group, kind and name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<BTreeMap<String, String>>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
