//! Typed walks.
