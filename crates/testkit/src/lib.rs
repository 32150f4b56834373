//! What tests, demos and benches share: literate [`scenario`]s and the Git repositories they commit to.
//!
//! A scenario is one file: commits, commands as users type them, and expectations with the time they may take. The
//! same file runs in process under virtual time, against the real binary, and against a real Kubernetes; only the
//! [`scenario::Driver`] differs. This crate is never part of the product.

pub mod install;
pub mod pages;
pub mod processes;
pub mod repository;
pub mod scenario;
pub mod traffic;
