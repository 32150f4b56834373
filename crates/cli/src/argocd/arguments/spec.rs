//! Verbs that change the spec.

use clap::Args;

use super::SpecFlags;
use crate::print::arguments::integer;

#[derive(Args, Debug)]
pub(in super::super) struct Create {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: Option<String>,
    /// Name of the Application, for scripts that do not give it as an argument.
    #[arg(long = "name", hide = true, value_name = "NAME")]
    pub named: Option<String>,
    /// File with the Application, `-` for standard input; flags change what it says.
    #[arg(short, long)]
    pub file: Option<String>,
    /// Change an Application that exists and is different.
    #[arg(long)]
    pub upsert: bool,
    /// Labels, e.g. team=a.
    #[arg(short, long = "label", value_name = "KEY=VALUE")]
    pub labels: Vec<String>,
    /// Annotations, e.g. owner=a.
    #[arg(long, value_name = "KEY=VALUE")]
    pub annotations: Vec<String>,
    /// Delete the resources with the Application.
    #[arg(long)]
    pub set_finalizer: bool,
    #[command(flatten)]
    pub spec: SpecFlags,
}

#[derive(Args, Debug)]
pub(in super::super) struct Set {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Which source among several, from 1.
    #[arg(long, value_parser = integer, allow_hyphen_values = true, value_name = "POSITION")]
    pub source_position: Option<i64>,
    #[command(flatten)]
    pub spec: SpecFlags,
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
pub(in super::super) struct Unset {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Which source among several, from 1.
    #[arg(long, value_parser = integer, allow_hyphen_values = true, value_name = "POSITION")]
    pub source_position: Option<i64>,
    /// Which source among several, by name.
    #[arg(long, value_name = "NAME")]
    pub source_name: Option<String>,
    /// Helm parameters to take back.
    #[arg(short, long = "parameter")]
    pub parameters: Vec<String>,
    /// Helm values files to take back.
    #[arg(long)]
    pub values: Vec<String>,
    /// Take the Helm values back.
    #[arg(long)]
    pub values_literal: bool,
    /// Take the name prefix back.
    #[arg(long)]
    pub nameprefix: bool,
    /// Take the name suffix back.
    #[arg(long)]
    pub namesuffix: bool,
    /// Take the version of Kustomize back.
    #[arg(long)]
    pub kustomize_version: bool,
    /// Take the namespace of Kustomize back.
    #[arg(long)]
    pub kustomize_namespace: bool,
    /// Kustomize counts to take back, by name.
    #[arg(long = "kustomize-replica", value_name = "NAME")]
    pub kustomize_replicas: Vec<String>,
    /// Entries of the plugin's environment to take back.
    #[arg(long = "plugin-env", value_name = "NAME")]
    pub plugin_envs: Vec<String>,
    /// Insist on values files again.
    #[arg(long)]
    pub ignore_missing_value_files: bool,
    /// Insist on components again.
    #[arg(long)]
    pub ignore_missing_components: bool,
    /// Do not send credentials to all domains any longer.
    #[arg(long)]
    pub pass_credentials: bool,
    /// Take the name for other sources back.
    #[arg(long = "ref")]
    pub reference: bool,
    /// Kustomize images to take back, by name.
    #[arg(long = "kustomize-image")]
    pub kustomize_images: Vec<String>,
}
