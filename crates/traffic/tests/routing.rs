//! Routers from manifests to manifests: tables in `cases/`, laws over made-up ones.

#[path = "routing/case.rs"]
mod case;
#[path = "routing/tables.rs"]
mod tables;
#[path = "routing/world.rs"]
mod world;
