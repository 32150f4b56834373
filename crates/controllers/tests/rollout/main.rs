//! The Rollout and AnalysisRun controllers between the embedded API server, the workload controllers and simulated pods,
//! under virtual time.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod analysis;
mod bad_neighbour;
mod bad_spec;
mod definitions;
mod experiments;
mod jobs;
mod refused;
mod rest;
mod services;
mod several;
mod shards;
mod strategies;
mod trouble;
mod world;
