//! The comparison of one target with one live object.

use object::{Object, Value};

use crate::ignore::Ignored;
use crate::normalize::normalize;
use crate::predict::predict;

/// How to compare.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// Differences that do not count, see [`crate::applicable`].
    pub ignores: Ignored<'a>,
}

/// Result of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// True when applying the target would change something that counts.
    pub drifted: bool,
    /// What the live object would be after applying the target, to be shown.
    pub predicted: Object,
    /// The live object as it was compared, to be shown.
    pub live: Object,
}

/// Returns whether applying `target` would change `live`.
///
/// Source: the live object is what API server defaulting, controllers and people made of earlier targets. So fields that
/// the target does not set do not count, except those it set before: they are owned by our manager, or in the
/// last-applied annotation. `status` never counts.
pub fn compare(target: &Object, live: &Object, options: &Options<'_>) -> Comparison {
    let (target, shown) = (normalize(target), normalize(live));
    let predicted = normalize(&predict(&target, &shown));
    let counted = |object: &Object| {
        let mut object = object.clone();
        options.ignores.drop_from(&mut object, live);
        significant(object)
    };
    Comparison { drifted: counted(&predicted) != counted(&shown), predicted, live: shown }
}

/// Drops what neither side means: bookkeeping, and the empty things that are the same as nothing.
fn significant(mut object: Object) -> Value {
    for path in [
        &["metadata", "managedFields"][..],
        &["metadata", "resourceVersion"],
        &["metadata", "generation"],
        &["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"],
        &["status"],
    ] {
        object.remove(path);
    }
    let mut value = object.into_value();
    drop_empty(&mut value);
    value
}

/// Fields for which `{}` is the same as nothing.
const SAME_AS_NOTHING: [&str; 12] = [
    "annotations",
    "creationTimestamp",
    "data",
    "labels",
    "limits",
    "requests",
    "resources",
    "rollingUpdate",
    "securityContext",
    "strategy",
    "stringData",
    "updateStrategy",
];

fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(drop_empty);
            map.retain(|key, value| match value {
                Value::Null => false,
                Value::Array(items) => !items.is_empty(),
                Value::Object(fields) => !fields.is_empty() || !SAME_AS_NOTHING.contains(&key.as_str()),
                Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
            });
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
