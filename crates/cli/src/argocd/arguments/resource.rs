//! Verbs about live resources, and changes of the spec that are not flags.

use clap::Args;

use super::SourceFlags;
use crate::print::arguments::integer;

/// Which live resources of an Application are meant.
#[derive(Args, Debug)]
pub(in super::super) struct Choice {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Kind of the resource.
    #[arg(long, required = true, value_name = "KIND")]
    pub kind: String,
    /// Name of the resource; any when absent.
    #[arg(long, value_name = "NAME")]
    pub resource_name: Option<String>,
    /// API group of the resource; any when absent.
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// Namespace of the resource; any when absent.
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// All that match, when there are several.
    #[arg(long)]
    pub all: bool,
    /// Accepted for compatibility: resources of other projects are not reached.
    #[arg(long, hide = true)]
    pub project: Option<String>,
}

#[derive(Args, Debug)]
pub(in super::super) struct DeleteResource {
    #[command(flatten)]
    pub choice: Choice,
    /// Delete at once, without a graceful end.
    #[arg(long)]
    pub force: bool,
    /// Leave what the resource owns.
    #[arg(long)]
    pub orphan: bool,
}

#[derive(Args, Debug)]
pub(in super::super) struct PatchResource {
    #[command(flatten)]
    pub choice: Choice,
    /// The patch, as JSON.
    #[arg(long, required = true, value_name = "JSON")]
    pub patch: String,
    /// Sort of patch: application/json-patch+json, application/merge-patch+json or
    /// application/strategic-merge-patch+json.
    #[arg(long, default_value = "application/merge-patch+json", value_name = "TYPE")]
    pub patch_type: String,
}

#[derive(Args, Debug)]
pub(in super::super) struct Patch {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// The patch, as JSON.
    #[arg(long = "patch", required = true, value_name = "JSON")]
    pub body: String,
    /// Sort of patch: json or merge.
    #[arg(long = "type", default_value = "json", value_name = "TYPE")]
    pub kind: String,
}

#[derive(Args, Debug)]
pub(in super::super) struct AddSource {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    #[command(flatten)]
    pub source: SourceFlags,
}

#[derive(Args, Debug)]
pub(in super::super) struct RemoveSource {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Which source, from 1.
    #[arg(long, value_parser = integer, allow_hyphen_values = true, value_name = "POSITION")]
    pub source_position: Option<i64>,
    /// Which source, by name.
    #[arg(long, value_name = "NAME")]
    pub source_name: Option<String>,
}
