//! The real kubectl against `slipway dev` with real processes.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "kubectl_dev/dev.rs"]
mod dev;
#[path = "kubectl_dev/durability.rs"]
mod durability;
#[path = "kubectl_dev/verbs.rs"]
mod verbs;
