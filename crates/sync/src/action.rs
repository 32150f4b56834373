//! What to do, what came of it, and why nothing is done.

use std::fmt;

use api::application::SyncPhase;
use object::{Gvk, Key, Object, Time, Value};

/// Who field ownership is written as.
pub const FIELD_MANAGER: &str = "argocd-controller";

/// One change of the cluster, or the rehearsal of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask the server what applying an object would do, without doing it. Outcome: `Done`, `Refused` or `Malformed`.
    DryRun {
        /// Phase of the sync it belongs to.
        phase: SyncPhase,
        /// The object as it should be.
        object: Object,
        /// Whether the server refuses unknown and repeated fields.
        validation: Validation,
    },
    /// Create or update an object. Outcome: `Created`, `Configured`, `Unchanged` or `Refused`.
    Apply {
        /// Phase of the sync it belongs to.
        phase: SyncPhase,
        /// The object as it should be.
        object: Object,
        /// How.
        mode: ApplyMode,
        /// Whether the server refuses unknown and repeated fields.
        validation: Validation,
        /// Ownership to take over first. When that is refused, so is the whole action.
        adopt: Option<Adoption>,
    },
    /// Delete an object that the source no longer has, or, on deletion of the Application, any of its objects.
    Prune {
        /// Phase of the sync it belongs to.
        phase: SyncPhase,
        /// Type.
        gvk: Gvk,
        /// Namespace and name.
        key: Key,
        /// Precondition: an object made anew in the meantime stays.
        uid: String,
        /// What becomes of its dependents.
        propagation: Propagation,
    },
    /// Delete a hook: one of an earlier sync, or a finished one.
    DeleteHook {
        /// Type.
        gvk: Gvk,
        /// Namespace and name.
        key: Key,
        /// Precondition.
        uid: String,
    },
    /// Take our finalizer off a finished hook: replace the finalizers, guarded by the resource version.
    ReleaseHook {
        /// Type.
        gvk: Gvk,
        /// Namespace and name.
        key: Key,
        /// The finalizers that stay.
        finalizers: Vec<String>,
        /// Resource version the finalizers were read at.
        resource_version: String,
    },
}

/// Ownership that client-side apply left behind, turned into that of server-side apply.
///
/// Without it, fields that the source drops would stay: server-side apply only removes what its manager owns.
#[derive(Clone, Debug, PartialEq)]
pub struct Adoption {
    /// The new `metadata.managedFields`.
    pub managed_fields: Value,
    /// Resource version they were made from; the precondition of the write.
    pub resource_version: String,
}

/// How an object is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyMode {
    /// Server-side apply as [`FIELD_MANAGER`], conflicts forced.
    Apply,
    /// As `Apply`; where the server refuses the update as immutable or conflicting, delete and create again.
    ApplyOrRecreate,
    /// `PUT` of the whole object with the live resource version; `POST` when it does not exist.
    Replace,
    /// Delete, wait until gone, create.
    Recreate,
}

/// Whether the server refuses unknown and repeated fields: the query parameter `fieldValidation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// `Strict`.
    Strict,
    /// `Ignore`.
    Off,
}

/// What becomes of the dependents of a deleted object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They go first.
    #[default]
    Foreground,
    /// They go later.
    Background,
    /// They stay.
    Orphan,
}

/// What an action did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The object was made.
    Created,
    /// The object was changed.
    Configured,
    /// The object was as wanted already.
    Unchanged,
    /// Deleted or released; also when it was gone already.
    Done,
    /// The server said no.
    Refused(String),
    /// The server could not read the object: its fields are not those of its kind. Only of `DryRun`.
    Malformed(String),
}

/// Kind of an Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// As expected.
    Normal,
    /// Someone should look.
    Warning,
}

/// An Event to record on the Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Kind.
    pub kind: EventKind,
    /// Reason, e.g. `OperationStarted`.
    pub reason: &'static str,
    /// Text for people.
    pub message: String,
}

impl Event {
    /// Returns an Event of kind Normal.
    pub fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind: EventKind::Normal, reason, message: message.into() }
    }

    /// Returns an Event of kind Warning.
    pub fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind: EventKind::Warning, reason, message: message.into() }
    }
}

/// What an operation waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Health of what was applied, or the end of a hook.
    Tasks(String),
    /// The end of a deletion.
    Deletion(String),
    /// Someone to confirm a deletion.
    Confirmation(String),
    /// Time between two waves.
    WaveDelay(Time),
    /// Time before the next attempt.
    Retry(Time),
    /// The API server, which did not answer or asked to try again; with what it said.
    Server(String),
}

/// Why a pass ended as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Source and cluster agree.
    Synced,
    /// They do not, and no automated sync is wanted.
    OutOfSync,
    /// An automated sync starts.
    AutoSync {
        /// To which revision.
        revision: String,
    },
    /// An automated sync is not started, for a reason.
    AutoSyncSkipped(crate::Skip),
    /// The spec, the source or the cluster is not fit; the conditions say how.
    Blocked(Vec<String>),
    /// The source fails, but the last comparison still stands until then.
    SourceGrace(Time),
    /// Actions were chosen.
    Acting(usize),
    /// The operation waits.
    WaitingOn(Waiting),
    /// The operation ended with this message.
    Finished(String),
    /// The Application asks to be left alone.
    SkipReconcile,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tasks(text) | Self::Deletion(text) | Self::Confirmation(text) => f.write_str(text),
            Self::WaveDelay(until) => write!(f, "waiting until {until} before the next wave"),
            Self::Retry(at) => write!(f, "waiting to retry at {at}"),
            Self::Server(problem) => write!(f, "waiting for the API server: {problem}"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Synced => f.write_str("the cluster has what the source says"),
            Self::OutOfSync => f.write_str("the cluster differs from the source; automated sync is off"),
            Self::AutoSync { revision } => write!(f, "automated sync to {revision}"),
            Self::AutoSyncSkipped(skip) => write!(f, "no automated sync: {skip}"),
            Self::Blocked(reasons) => write!(f, "blocked: {}", reasons.join("; ")),
            Self::SourceGrace(until) => {
                write!(f, "the source fails; the last comparison stands until {until}")
            }
            Self::Acting(count) => write!(f, "{count} actions"),
            Self::WaitingOn(waiting) => waiting.fmt(f),
            Self::Finished(message) => f.write_str(message),
            Self::SkipReconcile => f.write_str("skip-reconcile is set"),
        }
    }
}
