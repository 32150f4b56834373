//! Routers from manifests to manifests: tables in `cases/`, laws over what the tables hold.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "routing/case.rs"]
mod case;
#[path = "routing/laws.rs"]
mod laws;
#[path = "routing/references.rs"]
mod references;
#[path = "routing/schema.rs"]
mod schema;
#[path = "routing/tables.rs"]
mod tables;
#[path = "routing/world.rs"]
mod world;
