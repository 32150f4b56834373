//! Sets of field paths and their wire form, `fieldsV1`.
//!
//! **Source:** `sigs.k8s.io/structured-merge-diff/v6/fieldpath`. An element of a path is a field (`f:name`), a
//! list element by its keys (`k:{"name":"a"}`) or by its value (`v:"a"`), or an index (`i:0`); `.` is the path
//! itself, where paths below it are in the set, too.

mod element;
mod set;
pub(crate) mod wire;

pub use element::{PathElement, compare_values};
pub use set::Set;

/// A path as it is printed in messages: `.spec.containers[name="a"].image`.
#[must_use]
pub fn path_text(path: &[PathElement]) -> String {
    path.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
