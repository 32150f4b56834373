//! The Kubernetes wire API over a [`store::Store`]: what kube-apiserver 1.36 answers, for a dev cluster in one process.
//!
//! [`ApiServer::router`] is an axum `Router`: give it to `kube::Client::new` in process, or bind it to a port with
//! [`serve`]. State is in the store and nowhere else; two servers over one store give the same answers.
//!
//! It must never: keep state of its own, run a controller (deletion of what an object owns, endpoints, replicas are
//! the business of crate `workload`), read a clock other than the one it was given, or answer over TLS without a token.
//!
//! Start reading at `server.rs` (from a request to an answer), `verbs.rs` (what can be done), `strategy.rs` (what is
//! particular to kinds) and `kinds.rs` (which kinds there are).

mod bootstrap;
mod call;
mod config;
mod crd;
mod defaults;
mod depth;
mod discovery;
mod duplicates;
mod encode;
mod field;
mod go;
mod intake;
mod kinds;
mod managed;
mod meta;
mod openapi;
mod protobuf;
mod query;
mod random;
mod reviews;
mod route;
mod selection;
pub mod serve;
mod server;
mod status;
mod stored;
mod strategy;
mod subresources;
mod table;
mod verbs;

pub use bootstrap::BootstrapError;
pub use config::{Config, Limits, Loopback, NodeEndpoint};
pub use go::strict;
pub use server::ApiServer;
