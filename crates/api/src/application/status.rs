//! `status` of an Application.

use object::{Map, Time, Value};
use serde::{Deserialize, Serialize};

use super::is_default;
use super::operation::{Initiator, OperationState};
use super::spec::{ApplicationSpec, Destination, IgnoreDifference, Source};

/// What is, as last seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationStatus {
    /// One entry a resource, ordered by group, kind, namespace, name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceStatus>,
    /// Whether the cluster has what the source says.
    pub sync: SyncStatus,
    /// Whether what the cluster has works.
    pub health: HealthStatus,
    /// Successful syncs, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// What people should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ApplicationCondition>,
    /// When source and cluster were last compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciled_at: Option<Time>,
    /// The last or current operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_state: Option<OperationState>,
    /// Kind of the source: `Directory`, `Helm`, `Kustomize`, `Plugin`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source_type: String,
    /// Kinds of the sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_types: Vec<String>,
    /// Images and URLs; absent until written once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Where the health of resources is kept: empty (here) or `appTree`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_health_source: String,
    /// Namespace of the controller that wrote this.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub controller_namespace: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ApplicationStatus {
    /// Returns true when `spec` manages the metadata of the namespace and the last operation gave it other metadata.
    pub fn has_other_namespace_metadata(&self, spec: &ApplicationSpec) -> bool {
        let result = self.operation_state.as_ref().and_then(|state| state.sync_result.as_ref());
        let wanted = spec.managed_namespace_metadata();
        wanted.is_some() && result.is_some_and(|result| result.managed_namespace_metadata.as_ref() != wanted)
    }
}

/// Whether the cluster has what the source says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SyncCode {
    /// It could not be found out.
    Unknown,
    /// It has.
    Synced,
    /// It has not.
    OutOfSync,
}

/// Result of the comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStatus {
    /// The verdict.
    #[serde(with = "empty_is_none")]
    pub status: Option<SyncCode>,
    /// What was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_to: Option<ComparedTo>,
    /// Resolved revision of the source.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Resolved revisions of the sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<String>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The parts of the spec that a comparison was made with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ComparedTo {
    /// Source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Destination.
    pub destination: Destination,
    /// Sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Differences that did not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore_differences: Vec<IgnoreDifference>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Health, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HealthCode {
    /// Works.
    Healthy,
    /// Stopped on purpose.
    Suspended,
    /// On its way.
    Progressing,
    /// Not there.
    Missing,
    /// Failed.
    Degraded,
    /// Could not be found out.
    Unknown,
}

impl HealthCode {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }
}

/// Health of the Application or of one resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthStatus {
    /// The verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<HealthCode>,
    /// Why, for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When the verdict changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One managed resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceStatus {
    /// Group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Namespace, empty when cluster-scoped.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether the cluster has what the source says; absent for hooks and skipped objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<SyncCode>,
    /// Health; absent when kept elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthStatus>,
    /// True for hooks.
    #[serde(skip_serializing_if = "is_default")]
    pub hook: bool,
    /// True when it is no longer in the source.
    #[serde(skip_serializing_if = "is_default")]
    pub requires_pruning: bool,
    /// Wave it is applied in.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_wave: i64,
    /// True when its deletion must be confirmed.
    #[serde(skip_serializing_if = "is_default")]
    pub requires_deletion_confirmation: bool,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One successful sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Resolved revision.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// When it ended.
    pub deployed_at: Time,
    /// Number, one more than the entry before.
    pub id: i64,
    /// Source it came from.
    #[serde(default)]
    pub source: Source,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy_started_at: Option<Time>,
    /// Sources it came from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Resolved revisions of the sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<String>,
    /// Who asked for it.
    #[serde(default)]
    pub initiated_by: Initiator,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Kinds of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConditionKind {
    /// Deletion does not get on.
    DeletionError,
    /// The spec cannot be acted on.
    InvalidSpecError,
    /// Source and cluster could not be compared.
    ComparisonError,
    /// The automated sync does not get on.
    SyncError,
    /// Something else.
    UnknownError,
    /// A resource belongs to another Application too.
    SharedResourceWarning,
    /// A resource is in the source twice.
    RepeatedResourceWarning,
    /// A resource is excluded by settings.
    ExcludedResourceWarning,
    /// A resource in the namespace belongs to nobody.
    OrphanedResourceWarning,
    /// Something is asked for that this version does not do. Ours: Argo CD has no such type.
    UnsupportedFieldWarning,
}

impl ConditionKind {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeletionError => "DeletionError",
            Self::InvalidSpecError => "InvalidSpecError",
            Self::ComparisonError => "ComparisonError",
            Self::SyncError => "SyncError",
            Self::UnknownError => "UnknownError",
            Self::SharedResourceWarning => "SharedResourceWarning",
            Self::RepeatedResourceWarning => "RepeatedResourceWarning",
            Self::ExcludedResourceWarning => "ExcludedResourceWarning",
            Self::OrphanedResourceWarning => "OrphanedResourceWarning",
            Self::UnsupportedFieldWarning => "UnsupportedFieldWarning",
        }
    }

    /// Returns true for conditions that stop a sync.
    pub fn is_error(self) -> bool {
        self.as_str().ends_with("Error")
    }
}

/// What people should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationCondition {
    /// Kind.
    #[serde(rename = "type")]
    pub kind: ConditionKind,
    /// Why.
    pub message: String,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

impl ApplicationCondition {
    /// Returns a condition without a time.
    pub fn new(kind: ConditionKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), last_transition_time: None }
    }
}

/// Images and URLs of an Application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Summary {
    /// URLs of its Ingresses and Services.
    #[serde(rename = "externalURLs", skip_serializing_if = "Vec::is_empty")]
    pub external_urls: Vec<String>,
    /// Images of its containers, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Whether it manages Applications.
    #[serde(skip_serializing_if = "is_default")]
    pub is_app_of_apps: bool,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `""` on the wire is `None`.
mod empty_is_none {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::SyncCode;

    #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
    pub fn serialize<S: Serializer>(code: &Option<SyncCode>, serializer: S) -> Result<S::Ok, S::Error> {
        match code {
            Some(code) => code.serialize(serializer),
            None => serializer.serialize_str(""),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SyncCode>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        SyncCode::deserialize(serde::de::value::StrDeserializer::new(&text)).map(Some)
    }
}
