//! Field order of Go's structs.
//!
//! `go-order.json` was made by reflection over `PodTemplateSpec` of `k8s.io/api` v0.36.3: one line a field, in the order
//! Go writes them, embedded structs in place. When Kubernetes adds fields, make it again; a field that the reference
//! controller's libraries do not know changes the hash there only by its absence.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// One field of a Go struct.
#[derive(Debug, Deserialize)]
pub(super) struct Field {
    /// Name on the wire.
    pub name: String,
    /// `string`, `int`, `bool`, `time`, `quantity`, `intstr`, `raw`, a struct, or one of these after `[]` or `{}`.
    #[serde(rename = "type")]
    pub go_type: String,
    /// Left out when empty.
    #[serde(default)]
    pub omit: bool,
    /// Left out when it is the zero value, structs too.
    #[serde(default)]
    pub zero: bool,
    /// A pointer: left out or null only when absent.
    #[serde(default)]
    pub pointer: bool,
}

static STRUCTS: LazyLock<BTreeMap<String, Vec<Field>>> =
    LazyLock::new(|| serde_json::from_str(include_str!("go-order.json")).unwrap_or_default());

/// Returns the fields of struct `name` in order; `None` when there is no such struct.
pub(super) fn fields(name: &str) -> Option<&'static [Field]> {
    STRUCTS.get(name).map(Vec::as_slice)
}
