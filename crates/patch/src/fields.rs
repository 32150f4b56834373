//! Field sets.
