//! The HTTP faces of the controller process: health, metrics, and the webhook of Git hosts.
//!
//! Nothing here decides anything or keeps state: metrics are made of the watch caches when they are asked for, and the
//! webhook only wakes the Application controller. This crate never writes to the cluster and never answers with
//! anything that a request sent.
//!
//! Who may ask, as with the systems that this one stands in for: health and metrics are open to everybody who reaches the
//! port (metrics name objects: bind to a loopback address or use a NetworkPolicy where that matters); the webhook wants a
//! signature as soon as `webhook.github.secret` is set in the Secret `argocd-secret`, and takes any payload before.
//! A payload can do no more than have Applications compared earlier. Start at [`serve`].

pub mod health;
pub mod metrics;
mod readiness;
mod serve;
pub mod webhook;

pub use readiness::Readiness;
pub use serve::{Addresses, Caches, Config, Faces, serve};

/// Returns where a recording of the reference implementation is, when this machine has it.
#[cfg(test)]
fn recorded(path: &str) -> std::path::PathBuf {
    let shared = std::env::var_os("SLIPWAY_SHARED").map(std::path::PathBuf::from);
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    shared.unwrap_or_else(beside).join(path)
}
