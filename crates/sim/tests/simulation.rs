//! Stories in seeded worlds: without faults, and with them for many seeds.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "simulation/canary.rs"]
mod canary;
#[path = "simulation/seeds.rs"]
mod seeds;
#[path = "simulation/story.rs"]
mod story;
#[path = "simulation/strategies.rs"]
mod strategies;
