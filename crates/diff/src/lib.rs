//! Whether what the cluster has is what the source says, and how the two differ.
//!
//! Pure: an object is compared by working out what applying the target would make of the live object; nothing is asked
//! of a server. Secrets are compared as they are but must only be shown through [`mask`]. Start at [`compare()`].

mod compare;
mod ignore;
mod known;
mod mask;
mod normalize;
mod predict;
mod text;

pub use compare::{AggregatedRoles, Comparison, Options, compare};
pub use ignore::{Ignored, applicable, respect};
pub use known::known;
pub use mask::{Secrets, mask};
pub use normalize::normalize;
pub use predict::MANAGER;
pub use text::{header, normal};
