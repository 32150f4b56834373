//! Wanted weights and routes -> wanted router objects.
//!
//! A Rollout says which routers carry its traffic; [`routers`] makes one [`Router`] of each. [`Router::references`]
//! says which objects have to be observed, [`Router::plan`] what has to be written to them so that they carry what is
//! [`Wanted`]; [`validate`] says what is wrong with the configuration or with what it names.
//!
//! Objects are changed, never rebuilt: what this crate does not know stays as it is, and nothing is written that has
//! not drifted. Planning on its own result changes nothing.
//!
//! This crate does no I/O, reads no clock, calls no cloud and keeps no state. Start at [`Router`]; one module a router:
//! `istio`, `nginx`, `alb`, `smi`, `apisix`, `gateway_api`.

mod alb;
mod apisix;
mod change;
mod event;
mod gateway_api;
mod ingress;
mod istio;
mod json;
mod keys;
mod live;
mod nginx;
mod problem;
mod regex;
mod router;
mod services;
mod settings;
mod smi;
mod validate;
mod wanted;

pub use alb::released;
pub use change::{Change, Routed};
pub use event::{Event, EventKind};
pub use live::{Live, Reference, Selection};
pub use problem::Problem;
pub use router::{Router, RouterKind, routers};
pub use settings::Settings;
pub use validate::validate;
pub use wanted::{Additional, Destination, Hashes, Managed, Wanted, Weight};
