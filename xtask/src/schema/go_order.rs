//! Reads the order of Go struct fields, for whoever must reproduce the bytes of Go's `encoding/json`.
