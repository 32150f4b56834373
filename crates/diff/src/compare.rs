//! The comparison of one target with one live object.

use object::{Object, Value};

use crate::ignore::Ignored;
use crate::normalize::{drop_empty, normalize};
use crate::predict::predict;

/// How to compare.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// Differences that do not count, see [`crate::applicable`].
    pub ignores: Ignored<'a>,
    /// Whether the rules of aggregated ClusterRoles count.
    pub aggregated_roles: AggregatedRoles,
}

/// Whether the rules of ClusterRoles that are made of others' count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AggregatedRoles {
    /// They do.
    #[default]
    Compared,
    /// They do not: the cluster writes them.
    Ignored,
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
        if options.aggregated_roles == AggregatedRoles::Ignored && object.get(&["aggregationRule"]).is_some()
        {
            object.remove(&["rules"]);
        }
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
