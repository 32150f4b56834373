//! Routers from manifests to manifests: tables in `cases/`, laws over what the tables hold.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod case;
mod laws;
mod references;
mod schema;
mod tables;
mod world;
