//! A seeded world: the embedded cluster, the controllers, faults between them, and invariants that are looked at after
//! every change.
//!
//! Everything runs in one process under tokio's paused clock, so hours pass in milliseconds and a seed tells the story.
//! This crate is never part of what serves a real cluster. Start at [`World`].

mod acknowledged;
mod answers;
mod faults;
mod invariants;
mod random;
pub mod seeds;
mod tale;
mod world;

pub use acknowledged::Acknowledged;
pub use answers::{Answers, PAGES};
pub use faults::{Fault, Faults, Rates, Struck};
pub use invariants::{Invariants, User};
pub use random::Random;
pub use tale::tale;
pub use world::{Scope, World, WorldConfig, WorldError};
