//! api

pub mod application;
