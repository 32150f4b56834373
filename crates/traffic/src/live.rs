//! What is, as the shell found it.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::{Gvk, Key, LabelSelector, Object};

use crate::problem::not_found;

/// Name of an object that a router needs or may make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Reference {
    /// Returns the reference of the given parts.
    pub fn new(gvk: Gvk, namespace: &str, name: &str) -> Self {
        Self { gvk, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// Returns the reference of `object`.
    pub fn of(object: &Object) -> Self {
        Self::new(object.gvk(), object.namespace(), object.name())
    }

    /// Returns namespace and name.
    pub fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }
}

/// Objects that a router takes by their labels instead of by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// Namespace.
    pub namespace: String,
    /// Labels.
    pub selector: LabelSelector,
}

/// What was found of the references: the object, or that there is none.
///
/// What was not looked for counts as absent, unless this is [`Live::excerpt`].
#[derive(Clone, Debug, Default)]
pub struct Live {
    objects: BTreeMap<Reference, Option<Arc<Object>>>,
    extent: Extent,
}

/// How much of the cluster was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Extent {
    /// All that is referenced.
    #[default]
    All,
    /// Only what happened to be at hand, e.g. in a file.
    Excerpt,
}

impl Live {
    /// Returns an empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty one of which nobody says that it is complete: what is not in it is no problem.
    pub fn excerpt() -> Self {
        Self { objects: BTreeMap::new(), extent: Extent::Excerpt }
    }

    /// Records what was found of `reference`.
    pub fn insert(&mut self, reference: Reference, object: Option<Arc<Object>>) {
        self.objects.insert(reference, object);
    }

    /// Returns why `reference` cannot be used, when it is not there and should be.
    pub(crate) fn absence(&self, reference: &Reference) -> Option<String> {
        let missing = self.extent == Extent::All && self.get(reference).is_none();
        missing.then(|| not_found(reference))
    }

    /// Returns the object of `reference`, if there is one.
    pub fn get(&self, reference: &Reference) -> Option<&Arc<Object>> {
        self.objects.get(reference)?.as_ref()
    }

    /// Returns the names of the selected objects, sorted.
    pub(crate) fn selected<'a>(&'a self, selection: &'a Selection) -> impl Iterator<Item = &'a str> {
        self.objects
            .iter()
            .filter(|(reference, _)| {
                reference.gvk == selection.gvk && reference.namespace == selection.namespace
            })
            .filter_map(|(reference, object)| Some((reference, object.as_ref()?)))
            .filter(|(_, object)| selection.selector.matches(&object.labels()))
            .map(|(reference, _)| reference.name.as_str())
    }
}

impl FromIterator<Arc<Object>> for Live {
    fn from_iter<T: IntoIterator<Item = Arc<Object>>>(objects: T) -> Self {
        let objects = objects.into_iter().map(|object| (Reference::of(&object), Some(object))).collect();
        Self { objects, extent: Extent::All }
    }
}
