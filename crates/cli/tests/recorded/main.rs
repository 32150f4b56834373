//! Our commands against what the existing tools were recorded to do: the same output, exit codes and writes.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

mod api;
mod argocd;
mod case;
mod explain;
mod repository;
mod rollouts;
mod served;
