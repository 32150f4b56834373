//! Rollouts played in a world of objects in memory: plans are applied, pods come at once or one by one.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod blue_green;
mod config;
mod endings;
mod experiments;
mod explain;
mod istio;
mod journey;
mod laws;
mod roles;
mod routed;
mod versions;
mod workload;
mod world;
