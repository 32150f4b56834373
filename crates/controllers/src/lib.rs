//! The controllers: one module each, the thin shell around the pure crates.
//!
//! A controller observes through watch caches, asks its pure crate for a plan, carries the plan out, and reports with one
//! status write. It decides nothing itself and keeps nothing that it cannot lose. Start at [`application::run`],
//! [`rollout::run`], [`experiment::run`] and [`analysis::run`].

pub mod analysis;
pub mod application;
pub mod experiment;
mod install;
pub mod instance;
mod naming;
pub mod rollout;
mod service;
mod share;

pub use install::install;
