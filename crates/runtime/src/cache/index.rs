//! Ways to look objects up by what is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use object::{Key, Object};

/// A way to look objects up: returns the values under which an object is found.
pub type IndexBy = fn(&Object) -> Vec<String>;

/// The keys of the objects that are found under each value.
#[derive(Debug)]
pub(super) struct Index {
    by: IndexBy,
    keys: BTreeMap<Arc<str>, BTreeSet<Arc<Key>>>,
}

impl Index {
    /// Returns an index with nothing in it.
    pub fn new(by: IndexBy) -> Self {
        Self { by, keys: BTreeMap::new() }
    }

    /// Puts an object in; returns the values it is under.
    pub fn put(&mut self, key: &Arc<Key>, object: &Object) -> Box<[Arc<str>]> {
        let mut put = |value: String| {
            let value = self
                .keys
                .get_key_value(value.as_str())
                .map_or_else(|| value.into(), |(known, _)| known.clone());
            self.keys.entry(Arc::clone(&value)).or_default().insert(key.clone());
            value
        };
        (self.by)(object).into_iter().map(&mut put).collect()
    }

    /// Takes an object out that was put in under `values`.
    pub fn take(&mut self, key: &Key, values: &[Arc<str>]) {
        for value in values {
            if let Some(keys) = self.keys.get_mut(value) {
                keys.remove(key);
                if keys.is_empty() {
                    self.keys.remove(value);
                }
            }
        }
    }

    /// Returns the keys under `value`, in order.
    pub fn under(&self, value: &str) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.get(value).into_iter().flatten()
    }

    /// Returns the keys of one namespace under `value`, in order.
    pub fn under_in(&self, value: &str, namespace: &str) -> impl Iterator<Item = &Arc<Key>> {
        let first = Key::new(namespace, "");
        let keys = self.keys.get(value).into_iter().flat_map(move |keys| keys.range(first.clone()..));
        keys.take_while(move |key| key.namespace == namespace)
    }
}
