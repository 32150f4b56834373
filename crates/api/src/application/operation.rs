//! `operation` and `status.operationState` of an Application.

use object::{Map, Time, Value};
use serde::{Deserialize, Serialize};

use super::is_default;
use super::spec::{ManagedNamespaceMetadata, Retry, Source};

/// A name and a value shown to people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Info {
    /// Name.
    pub name: String,
    /// Value; a URL becomes a link.
    pub value: String,
}

/// A requested or running operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Operation {
    /// The sync; the only operation there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncOperation>,
    /// Who asked for it.
    pub initiated_by: Initiator,
    /// Free-form facts shown to people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub info: Vec<Info>,
    /// What to do when it fails.
    pub retry: Retry,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Who asked for an operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Initiator {
    /// Name of the user.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// True when the controller started it by itself.
    #[serde(skip_serializing_if = "is_default")]
    pub automated: bool,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Parameters of a sync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncOperation {
    /// Revision to sync to; empty means the source's target revision.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Delete what is no longer in the source.
    #[serde(skip_serializing_if = "is_default")]
    pub prune: bool,
    /// Change nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub dry_run: bool,
    /// How to sync; absent means with hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_strategy: Option<SyncStrategy>,
    /// Only these resources; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<SyncResource>,
    /// Source to use instead of the spec's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Manifests to use instead of the source's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<String>,
    /// Options of this sync.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sync_options: Vec<String>,
    /// Sources to use instead of the spec's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Revisions of the sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<String>,
    /// How many self-heal attempts were made at this revision.
    #[serde(skip_serializing_if = "is_default")]
    pub auto_heal_attempts_count: i64,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How to sync: at most one of the two is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStrategy {
    /// Apply only, no hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply: Option<HookStrategy>,
    /// With hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<HookStrategy>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Options of either strategy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HookStrategy {
    /// Delete and create again where an update is refused.
    #[serde(skip_serializing_if = "is_default")]
    pub force: bool,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One resource of a partial sync.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncResource {
    /// Group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace; empty means any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
}

/// Where an operation or a hook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OperationPhase {
    /// At work, or waiting.
    Running,
    /// Being stopped.
    Terminating,
    /// Ended: something was refused.
    Failed,
    /// Ended: could not be carried out.
    Error,
    /// Ended well.
    Succeeded,
}

impl OperationPhase {
    /// Returns true when nothing more will happen.
    pub fn is_completed(self) -> bool {
        match self {
            Self::Failed | Self::Error | Self::Succeeded => true,
            Self::Running | Self::Terminating => false,
        }
    }

    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Terminating => "Terminating",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Succeeded => "Succeeded",
        }
    }
}

/// What became of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ResultCode {
    /// Applied.
    Synced,
    /// Refused.
    SyncFailed,
    /// Deleted.
    Pruned,
    /// Should be deleted but was kept.
    PruneSkipped,
}

/// Phase of a sync that a resource or hook belongs to, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SyncPhase {
    /// Before the resources.
    PreSync,
    /// The resources themselves.
    Sync,
    /// After the resources.
    PostSync,
    /// After a failure.
    SyncFail,
}

impl SyncPhase {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreSync => "PreSync",
            Self::Sync => "Sync",
            Self::PostSync => "PostSync",
            Self::SyncFail => "SyncFail",
        }
    }
}

/// The last or current operation and how it goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationState {
    /// The operation as it was asked for.
    #[serde(default)]
    pub operation: Operation,
    /// Where it is.
    pub phase: OperationPhase,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What became of the resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_result: Option<SyncResult>,
    /// When it started.
    pub started_at: Time,
    /// When it, or its last attempt, ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How many times it was tried again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry_count: i64,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What was synced.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncResult {
    /// One entry a resource and phase, in the order they were run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceResult>,
    /// Resolved revision.
    pub revision: String,
    /// Source it came from.
    pub source: Source,
    /// Sources it came from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Resolved revisions of the sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<String>,
    /// Labels and annotations given to the namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What became of one resource in one phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceResult {
    /// Group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty when cluster-scoped.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ResultCode>,
    /// Why, for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The hook's kind, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_type: Option<SyncPhase>,
    /// Where it is: also set on resources that are not hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_phase: Option<OperationPhase>,
    /// Phase it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_phase: Option<SyncPhase>,
    /// Images of its containers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
