//! What a plan changes in the cluster, as data.

use std::fmt;

use object::{Object, Value};

use crate::{Event, Reference};

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Create this object. When its name is taken, observe and plan again.
    Create(Object),
    /// Change an object.
    Patch {
        /// The object.
        reference: Reference,
        /// JSON merge patch. It replaces whole lists, so it holds for `resource_version` only.
        patch: Value,
        /// Version it was made of, as a precondition: put it into the patch as `metadata.resourceVersion`. Empty when
        /// the object had none.
        resource_version: String,
    },
    /// Delete an object that the Rollout owns.
    Delete {
        /// The object.
        reference: Reference,
        /// Its uid, as a precondition.
        uid: String,
    },
}

impl Change {
    /// Returns the object that is written.
    pub fn reference(&self) -> Reference {
        match self {
            Self::Create(object) => Reference::of(object),
            Self::Patch { reference, .. } | Self::Delete { reference, .. } => reference.clone(),
        }
    }
}

impl fmt::Display for Change {
    /// Writes one line for people, as `--dry-run` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = self.reference();
        let (kind, key) = (&reference.gvk.kind, reference.key());
        match self {
            Self::Create(_) => write!(f, "create {kind} {key}"),
            Self::Patch { patch, .. } => write!(f, "patch {kind} {key}: {patch}"),
            Self::Delete { .. } => write!(f, "delete {kind} {key}"),
        }
    }
}

/// What a router needs so that it carries what is wanted; nothing when it does already.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routed {
    /// Writes, in this order.
    pub changes: Vec<Change>,
    /// Events that tell of them.
    pub events: Vec<Event>,
    /// Whether the data plane is known to carry the weights; `None` for routers that cannot tell.
    pub verified: Option<bool>,
}

impl Routed {
    /// Adds the write that turns `live` into `wanted`, if they differ.
    pub(crate) fn patch(&mut self, live: &Object, wanted: &Object) {
        if live == wanted {
            return;
        }
        if let Some(patch) = patch::merge::diff(&live.to_value(), &wanted.to_value()) {
            let resource_version = live.resource_version().to_owned();
            self.changes.push(Change::Patch { reference: Reference::of(live), patch, resource_version });
        }
    }
}
