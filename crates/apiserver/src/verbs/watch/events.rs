//! From a change in the store to an event of the watch.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use store::{Change, ChangeKind};

use super::line;
use crate::encode::Form;
use crate::kinds::Kind;
use crate::selection::Selection;
use crate::stored;

/// What a watch shows, and how.
pub(super) struct Events {
    pub kind: Arc<Kind>,
    pub selection: Selection,
    pub form: Form,
}

impl Events {
    /// Returns the event of a change; none when the object was not selected before nor is now.
    ///
    /// An object that starts to be selected is `ADDED`, one that no longer is, `DELETED` as it was before with the
    /// version of the change.
    pub fn change(&mut self, change: &Change) -> Option<Bytes> {
        let revision = change.revision();
        let everything = self.selection.is_everything();
        if let (true, ChangeKind::Put { created }, Some(entry)) = (everything, change.kind, change.after()) {
            let kind = if created { "ADDED" } else { "MODIFIED" };
            return Some(self.line(kind, stored::read(&self.kind, entry)));
        }
        let before =
            change.previous.as_ref().map(|entry| stored::read_at(&self.kind, &entry.value, revision));
        let after = change.after().map(|entry| stored::read(&self.kind, entry));
        let before = before.filter(|object| self.selection.matches(object));
        let after = after.filter(|object| self.selection.matches(object));
        match (before, after) {
            (None, None) => None,
            (None, Some(object)) => Some(self.line("ADDED", object)),
            (Some(_), Some(object)) => Some(self.line("MODIFIED", object)),
            (Some(object), None) => Some(self.line("DELETED", object)),
        }
    }

    pub fn line(&mut self, kind: &str, object: Value) -> Bytes {
        line(kind, &self.form.event(&self.kind, object))
    }

    /// Returns the bookmark after the objects that were there when the watch began.
    pub fn initial_end(&mut self, revision: u64) -> Bytes {
        let mut object = self.empty(revision);
        object["metadata"]["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        line("BOOKMARK", &self.form.bookmark(object))
    }

    /// Returns a bookmark: everything up to `revision` has been sent.
    pub fn bookmark(&mut self, revision: u64) -> Bytes {
        let object = self.empty(revision);
        line("BOOKMARK", &self.form.bookmark(object))
    }

    fn empty(&self, revision: u64) -> Value {
        let kind = &self.kind;
        let mut object = match (&kind.custom, crate::go::struct_of(&kind.group, &kind.version, &kind.kind)) {
            (None, Some(name)) => {
                crate::go::decode(&name, &json!({})).map(|read| read.value).unwrap_or_default()
            }
            _ => json!({}),
        };
        object["kind"] = kind.kind.clone().into();
        object["apiVersion"] = kind.api_version().into();
        object["metadata"]["resourceVersion"] = revision.to_string().into();
        object
    }
}
