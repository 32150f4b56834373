//! Kubernetes objects as data.
//!
//! [`Object`] is any object as the API server sends it: a JSON map with accessors. Nothing is dropped, so unknown
//! fields survive a round trip. Around it: names ([`Gvk`], [`Key`]), label [`selector`]s, [`time`], [`quantity`]s,
//! [`Condition`]s and the [`yaml`] dialect of Kubernetes.
//!
//! This crate never does I/O, reads no clock and depends on no runtime. Start at [`Object`].

mod condition;
pub mod jsonpath;
mod name;
mod object;
pub mod pointer;
pub mod quantity;
pub mod selector;
pub mod time;
pub mod yaml;

pub use condition::{Condition, ConditionStatus};
pub use name::{GroupKind, Gvk, Key, ObjectKey};
pub use object::{Object, ObjectError, OwnerReference};
pub use selector::LabelSelector;
pub use time::Time;

pub use serde_json::{Map, Value, json};
