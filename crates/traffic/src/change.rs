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
    /// Returns the merge patch with its precondition in it, as it is sent; nothing for other writes.
    pub fn body(&self) -> Option<Value> {
        let Self::Patch { patch, resource_version, .. } = self else { return None };
        let mut body = Object::from_value(patch.clone());
        if !resource_version.is_empty() {
            body.set(&["metadata", "resourceVersion"], resource_version.as_str());
        }
        Some(body.into_value())
    }

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

#[cfg(test)]
mod tests {
    use object::json;

    use super::*;

    fn route(version: &str, weight: i32) -> Object {
        let metadata = json!({"name": "a", "namespace": "b", "resourceVersion": version});
        Object::from_value(
            json!({"kind": "HTTPRoute", "metadata": metadata, "spec": {"weight": weight, "x": 1}}),
        )
    }

    #[test]
    fn a_patch_says_what_it_was_made_of() {
        let mut routed = Routed::default();
        routed.patch(&route("7", 1), &route("7", 1));
        assert_eq!(routed.changes, []);
        routed.patch(&route("7", 1), &route("7", 2));
        let change = &routed.changes[0];
        assert_eq!(change.body(), Some(json!({"spec": {"weight": 2}, "metadata": {"resourceVersion": "7"}})));
        assert_eq!(change.to_string(), r#"patch HTTPRoute b/a: {"spec":{"weight":2}}"#);
        assert_eq!(Change::Create(route("", 1)).body(), None);
        routed.patch(&route("", 1), &route("", 2));
        assert_eq!(routed.changes[1].body(), Some(json!({"spec": {"weight": 2}})));
    }
}
