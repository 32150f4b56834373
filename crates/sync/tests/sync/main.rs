//! The crate against a world in memory: recorded runs, laws, and tables.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod deletion_hooks;
mod laws;
mod lost;
mod more_recorded;
mod projects;
mod recorded;
mod rehearsal;
mod tables;
mod world;
