//! [`Kept`]: an object as a cache keeps it, small until somebody looks at it.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use object::Object;

/// An object at one version; reads as the [`Object`]. Cheap to clone.
///
/// A tree of JSON maps takes ten times the memory of its text, and of the thousands of objects of a cluster few are looked
/// at in any minute. So what is kept is the compressed text, and the tree is made when it is first read; clones made
/// after that share it.
#[derive(Clone)]
pub struct Kept {
    /// The text; `None` when only the tree was ever there, which then is in `open`.
    packed: Option<Arc<Packed>>,
    open: OnceLock<Arc<Object>>,
}

/// An object as compressed JSON text.
pub(super) struct Packed {
    uid: Box<str>,
    version: u64,
    /// LZ4 block with its length in front.
    text: Box<[u8]>,
}

impl Packed {
    /// Returns the object packed.
    pub fn new(object: &Object) -> Self {
        let text = serde_json::to_vec(object).unwrap_or_default();
        let text = lz4_flex::block::compress_prepend_size(&text).into_boxed_slice();
        Self { uid: object.uid().into(), version: version(object), text }
    }

    /// Returns `metadata.uid`.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Returns `metadata.resourceVersion` as a number.
    pub fn version(&self) -> u64 {
        self.version
    }

    fn open(&self) -> Object {
        // what `new` has written reads back
        let text = lz4_flex::block::decompress_size_prepended(&self.text).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

impl Kept {
    /// Returns a packed object that nobody has looked at.
    pub(super) fn closed(packed: Arc<Packed>) -> Self {
        Self { packed: Some(packed), open: OnceLock::new() }
    }

    /// Returns a packed object with its tree, which is the same.
    pub(super) fn opened(packed: Arc<Packed>, object: Arc<Object>) -> Self {
        Self { packed: Some(packed), open: OnceLock::from(object) }
    }

    /// Returns the object to keep.
    pub fn object(&self) -> &Arc<Object> {
        let open = || self.packed.as_ref().map(|packed| packed.open()).unwrap_or_default();
        self.open.get_or_init(|| Arc::new(open()))
    }
}

impl From<Arc<Object>> for Kept {
    fn from(object: Arc<Object>) -> Self {
        Self { packed: None, open: OnceLock::from(object) }
    }
}

impl Deref for Kept {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.object()
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("key", &self.key()).field("version", &self.resource_version()).finish()
    }
}

/// Returns the version as a number; the API promises that versions of one resource compare as numbers.
pub(super) fn version(object: &Object) -> u64 {
    object.resource_version().parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn what_is_kept_reads_as_it_was_in_less_than_half_of_its_text() {
        let container = |name: &str| {
            let probe =
                json!({"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 5, "timeoutSeconds": 1});
            json!({"name": name, "image": "shop:1", "readinessProbe": probe, "livenessProbe": probe})
        };
        let object = Object::from_value(json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": "a", "uid": "u", "resourceVersion": "7", "labels": {"app": "a", "ä": "\u{0}"}},
            "spec": {"replicas": 1.5, "none": null, "template": {"spec": {
                "containers": [container("a"), container("b"), container("c"), container("d")]}}},
        }));
        let packed = Arc::new(Packed::new(&object));
        assert_eq!((packed.uid(), packed.version()), ("u", 7));
        assert_eq!(*Kept::closed(packed.clone()), object);
        let text = serde_json::to_vec(&object).unwrap().len();
        assert!(packed.text.len() < text / 2, "{} of {text}", packed.text.len());
    }

    #[test]
    fn clones_share_the_tree_that_was_made() {
        let kept = Kept::from(Arc::new(Object::from_value(json!({"kind": "Pod"}))));
        assert!(Arc::ptr_eq(kept.object(), kept.clone().object()));
    }
}
