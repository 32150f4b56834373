//! `spec` of an Application.

use std::collections::BTreeMap;

use object::{Map, Value};
use serde::{Deserialize, Serialize};

use super::Info;
use super::is_default;

/// What an Application wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSpec {
    /// Where to deploy to.
    pub destination: Destination,
    /// Name of the AppProject; empty means `default`.
    pub project: String,
    /// The one source; not used when `sources` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Several sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Rendering into a branch; kept as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_hydrator: Option<Value>,
    /// How and when to sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_policy: Option<SyncPolicy>,
    /// Differences that do not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore_differences: Vec<IgnoreDifference>,
    /// Free-form facts shown to people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub info: Vec<Info>,
    /// How many history entries to keep; 10 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_history_limit: Option<i64>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ApplicationSpec {
    /// Returns the first source: of `sources` when there are any, else `source`.
    pub fn first_source(&self) -> Source {
        self.sources.first().or(self.source.as_ref()).cloned().unwrap_or_default()
    }

    /// Returns the automated policy when it is switched on.
    pub fn automated(&self) -> Option<&Automated> {
        let automated = self.sync_policy.as_ref()?.automated.as_ref()?;
        (automated.enabled != Some(false)).then_some(automated)
    }

    /// Returns `syncPolicy.managedNamespaceMetadata`.
    pub fn managed_namespace_metadata(&self) -> Option<&ManagedNamespaceMetadata> {
        self.sync_policy.as_ref()?.managed_namespace_metadata.as_ref()
    }

    /// Returns `syncPolicy.syncOptions`.
    pub fn sync_options(&self) -> &[String] {
        self.sync_policy.as_ref().map(|policy| policy.sync_options.as_slice()).unwrap_or_default()
    }
}

/// A cluster, by URL or by name, and a namespace in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Destination {
    /// URL of the cluster's API.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// Namespace of namespaced objects that name none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name of the cluster, instead of `server`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Where manifests come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Source {
    /// URL of the repository.
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// Directory in the repository.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Branch, tag, commit or semver range; empty means HEAD.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target_revision: String,
    /// Prefix of the tags that a semver range is matched against.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tag_prefix: String,
    /// Name of a Helm chart, when the repository is one of charts.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub chart: String,
    /// Alias by which sibling sources name this one.
    #[serde(rename = "ref", skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// Label of this source in an Application of several.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Options of Helm rendering; kept as they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<Value>,
    /// Options of Kustomize rendering; kept as they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kustomize: Option<Value>,
    /// Options of plain directories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Directory>,
    /// Options of a config management plugin; kept as they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Value>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Options of a plain directory of manifests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Directory {
    /// Read subdirectories too.
    #[serde(skip_serializing_if = "is_default")]
    pub recurse: bool,
    /// Options of Jsonnet; kept as they came. An empty map means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jsonnet: Option<Value>,
    /// Glob of paths to leave out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub exclude: String,
    /// Glob of paths to take.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub include: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How and when to sync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncPolicy {
    /// Sync by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automated: Option<Automated>,
    /// Options such as `CreateNamespace=true`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sync_options: Vec<String>,
    /// What to do when a sync fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Labels and annotations of the namespace made by `CreateNamespace=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The automated policy. `{}` means switched on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Automated {
    /// Delete what is no longer in the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prune: Option<bool>,
    /// Undo changes made in the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_heal: Option<bool>,
    /// Allow a sync that leaves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_empty: Option<bool>,
    /// False switches the policy off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What to do when a sync fails.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Retry {
    /// How many times to try again; negative means without end, 0 never.
    #[serde(skip_serializing_if = "is_default")]
    pub limit: i64,
    /// How long to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// Resolve the revision again before each attempt.
    #[serde(skip_serializing_if = "is_default")]
    pub refresh: bool,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Waits between attempts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Backoff {
    /// First wait: a Go duration or whole seconds; 5 s when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub duration: String,
    /// Growth per attempt; 2 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<i64>,
    /// Longest wait; 3 m when empty, 0 means no bound.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_duration: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Labels and annotations of the managed namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ManagedNamespaceMetadata {
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Differences of some objects that do not count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IgnoreDifference {
    /// Group, a glob.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Kind, a glob.
    pub kind: String,
    /// Name; empty means any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Namespace; empty means any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// RFC 6901 pointers to the fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub json_pointers: Vec<String>,
    /// jq paths to the fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jq_path_expressions: Vec<String>,
    /// Fields owned by these managers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub managed_fields_managers: Vec<String>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
