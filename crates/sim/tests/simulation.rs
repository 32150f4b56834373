//! Stories in seeded worlds: without faults, and with them for many seeds.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "simulation/alone.rs"]
mod alone;
#[path = "simulation/canary.rs"]
mod canary;
#[path = "simulation/seeds.rs"]
mod seeds;
#[path = "simulation/stage.rs"]
mod stage;
#[path = "simulation/stories.rs"]
mod stories;
#[path = "simulation/story.rs"]
mod story;
#[path = "simulation/strategies.rs"]
mod strategies;
#[path = "simulation/user.rs"]
mod user;
#[path = "simulation/users.rs"]
mod users;
