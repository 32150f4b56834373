//! The four ways Kubernetes changes an object by less than the whole object, as pure functions over
//! [`serde_json::Value`]:
//!
//! - [`json`]: JSON Patch (RFC 6902);
//! - [`merge`]: JSON Merge Patch (RFC 7386), and the difference of two documents as one;
//! - [`strategic`]: Kubernetes' strategic merge patch, and the three-way patch of `kubectl apply`;
//! - [`apply`]: server-side apply with field ownership in `metadata.managedFields`.
//!
//! The last two are led by a [`schema`]: which lists are maps, which maps are one leaf. The built-in kinds
//! come from data (`schema/builtin.json`), custom resources from their structural schema.
//!
//! The crate must never do I/O, know a clock, validate objects against their schema or fill in defaults.
//! Start reading at [`apply::apply`] and [`strategic::apply`].

pub mod apply;
mod error;
pub mod fields;
pub mod json;
pub mod merge;
pub mod schema;
pub mod strategic;
mod text;
mod typed;

pub use error::PatchError;
