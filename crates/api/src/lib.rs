//! Our resource types: what their fields are called on the wire, what they mean, and how they are read.
//!
//! Types read objects strictly (a wrong type names its field) and lose nothing that is written back: unknown fields
//! are kept in `extra`. This crate decides nothing, does no I/O and reads no clock. Start at [`rollout::Rollout`] or
//! [`application::Application`].

pub mod analysis;
pub mod application;
pub mod crds;
pub mod experiment;
pub mod rollout;
mod wire;

pub use wire::{Empty, FieldError, IntOrString, read, write};
