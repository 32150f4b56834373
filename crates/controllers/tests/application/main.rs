//! The Application controller between a real Git repository and the embedded API server, under virtual time.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod deletion;
#[path = "../../../source/tests/repositories/http.rs"]
mod http;
mod replay;
mod rest;
mod sharing;
mod sources;
mod syncing;
mod world;
