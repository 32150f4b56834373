//! Verbs and flags.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod source;

pub(super) use source::{SpecFlags, image_name, set_source, source};

/// Manage Applications on the cluster of the kubeconfig.
#[derive(Debug, Parser)]
#[command(name = "argocd", bin_name = "argocd", disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags of every verb.
#[derive(Args, Debug)]
pub(super) struct Global {
    /// Namespace of the Applications.
    #[arg(
        short = 'N',
        long,
        global = true,
        env = "ARGOCD_NAMESPACE",
        default_value = "argocd",
        hide_env_values = true
    )]
    pub app_namespace: String,
    /// Kubeconfig file to use.
    #[arg(long, global = true)]
    pub kubeconfig: Option<PathBuf>,
    /// Accepted for compatibility: the Kubernetes API is always asked directly.
    #[arg(long, global = true, hide = true)]
    pub core: bool,
    /// Form of log lines.
    #[arg(long, global = true, value_enum, default_value = "json")]
    pub logformat: LogFormat,
    /// Level of log lines.
    #[arg(long, global = true, default_value = "info", hide = true)]
    pub loglevel: String,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// `key=value` pairs.
    Text,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Work with Applications.
    App {
        #[command(subcommand)]
        verb: Box<App>,
    },
    /// Tell the version of this program.
    Version {
        /// Only the number.
        #[arg(long)]
        short: bool,
        /// Accepted for compatibility: there is no server to ask.
        #[arg(long, hide = true)]
        client: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum App {
    /// Create an Application.
    Create(Box<Create>),
    /// Show an Application.
    Get(Get),
    /// List Applications.
    List(List),
    /// Bring the cluster to what the source says.
    Sync(Sync),
    /// Wait for Applications to be as they should.
    Wait(Wait),
    /// Show what was deployed before.
    History(History),
    /// Deploy again what was deployed before.
    Rollback(Rollback),
    /// Delete Applications.
    Delete(Delete),
    /// Change the spec of an Application.
    Set(Box<Set>),
    /// Take parts of a source's configuration back.
    Unset(Unset),
    /// List the resources of an Application.
    Resources {
        /// Name of the Application.
        #[arg(value_name = "APPNAME")]
        name: String,
        /// Form: table, or tree with what the resources own.
        #[arg(short, long, default_value = "", hide_default_value = true)]
        output: String,
    },
    /// Print the manifests of an Application.
    Manifests(Manifests),
    /// Show how the cluster differs from what the source says.
    Diff(Diff),
    /// Stop the operation that runs.
    TerminateOp {
        /// Name of the Application.
        #[arg(value_name = "APPNAME")]
        name: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct Create {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: Option<String>,
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
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
pub(super) struct Get {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Form: json, yaml, wide, tree, tree=detailed.
    #[arg(short, long, default_value = "wide")]
    pub output: String,
    /// Compare again first.
    #[arg(long)]
    pub refresh: bool,
    /// Render and compare again first.
    #[arg(long)]
    pub hard_refresh: bool,
    /// Show the latest operation.
    #[arg(long)]
    pub show_operation: bool,
    /// Show the parameters of a Helm source.
    #[arg(long)]
    pub show_params: bool,
}

#[derive(Args, Debug)]
pub(super) struct List {
    /// Form: wide, name, json, yaml.
    #[arg(short, long, default_value = "wide")]
    pub output: String,
    /// Only those with these labels.
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    /// Only those of these projects.
    #[arg(short, long = "project")]
    pub projects: Vec<String>,
    /// Only those of this repository.
    #[arg(short, long)]
    pub repo: Option<String>,
    /// Only those of this cluster, by name or address.
    #[arg(short, long)]
    pub cluster: Option<String>,
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
pub(super) struct Sync {
    /// Names of the Applications.
    #[arg(value_name = "APPNAME")]
    pub names: Vec<String>,
    /// Those with these labels.
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    /// Those of these projects.
    #[arg(long = "project")]
    pub projects: Vec<String>,
    /// Revision instead of the one in the spec.
    #[arg(long)]
    pub revision: Option<String>,
    /// Delete what the source no longer has.
    #[arg(long)]
    pub prune: bool,
    /// Change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Only these resources: GROUP:KIND:NAME, `!` before to leave out.
    #[arg(long = "resource", value_name = "GROUP:KIND:NAME")]
    pub resources: Vec<String>,
    /// Do not wait.
    #[arg(long = "async")]
    pub detached: bool,
    /// Give up waiting after so many seconds; 0 means never.
    #[arg(long, default_value_t = 0)]
    pub timeout: u64,
    /// Delete and create what cannot be changed.
    #[arg(long)]
    pub force: bool,
    /// Replace instead of apply.
    #[arg(long)]
    pub replace: bool,
    /// Use server-side apply.
    #[arg(long)]
    pub server_side: bool,
    /// Leave alone what is in sync.
    #[arg(long)]
    pub apply_out_of_sync_only: bool,
    /// How: `hook` runs hooks, `apply` does not.
    #[arg(long, value_parser = ["apply", "hook"])]
    pub strategy: Option<String>,
    /// How often a failed sync is tried again.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    pub retry_limit: i64,
    /// First wait between tries.
    #[arg(long, default_value = "5s")]
    pub retry_backoff_duration: String,
    /// Longest wait between tries.
    #[arg(long, default_value = "3m0s")]
    pub retry_backoff_max_duration: String,
    /// How much longer each wait is.
    #[arg(long, default_value_t = 2)]
    pub retry_backoff_factor: i64,
    /// Notes kept with the operation, e.g. ticket=1.
    #[arg(long = "info", value_name = "KEY=VALUE")]
    pub infos: Vec<String>,
    /// Form of the result: json, yaml, wide.
    #[arg(short, long, default_value = "wide")]
    pub output: String,
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
pub(super) struct Wait {
    /// Names of the Applications.
    #[arg(value_name = "APPNAME")]
    pub names: Vec<String>,
    /// Those with these labels.
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    /// Until in sync.
    #[arg(long)]
    pub sync: bool,
    /// Until healthy.
    #[arg(long)]
    pub health: bool,
    /// Until no operation runs.
    #[arg(long)]
    pub operation: bool,
    /// Until suspended.
    #[arg(long)]
    pub suspended: bool,
    /// Until degraded.
    #[arg(long)]
    pub degraded: bool,
    /// Until deleted.
    #[arg(long)]
    pub delete: bool,
    /// Only these resources: GROUP:KIND:NAME, `!` before to leave out.
    #[arg(long = "resource", value_name = "GROUP:KIND:NAME")]
    pub resources: Vec<String>,
    /// Give up after so many seconds; 0 means never.
    #[arg(long, default_value_t = 0)]
    pub timeout: u64,
    /// Form of the result: json, yaml, wide.
    #[arg(short, long, default_value = "wide")]
    pub output: String,
}

#[derive(Args, Debug)]
pub(super) struct History {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Form: wide or id.
    #[arg(short, long, default_value = "wide")]
    pub output: String,
}

#[derive(Args, Debug)]
pub(super) struct Rollback {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Entry of the history; the one before the latest when absent.
    #[arg(value_name = "ID")]
    pub id: Option<i64>,
    /// Delete what that revision does not have.
    #[arg(long)]
    pub prune: bool,
    /// Give up waiting after so many seconds; 0 means never.
    #[arg(long, default_value_t = 0)]
    pub timeout: u64,
    /// Form of the result: json, yaml, wide.
    #[arg(short, long, default_value = "wide")]
    pub output: String,
}

#[derive(Args, Debug)]
pub(super) struct Delete {
    /// Names of the Applications.
    #[arg(value_name = "APPNAME")]
    pub names: Vec<String>,
    /// Those with these labels.
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    /// Whether the resources go too.
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        action = clap::ArgAction::Set)]
    pub cascade: bool,
    /// How the resources go: foreground or background.
    #[arg(short, long)]
    pub propagation_policy: Option<String>,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// Wait until they are gone.
    #[arg(long)]
    pub wait: bool,
}

#[derive(Args, Debug)]
pub(super) struct Set {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Which source, from 1.
    #[arg(long)]
    pub source_position: Option<usize>,
    #[command(flatten)]
    pub spec: SpecFlags,
}

#[derive(Args, Debug)]
pub(super) struct Unset {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Which source, from 1.
    #[arg(long)]
    pub source_position: Option<usize>,
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
    /// Kustomize images to take back, by name.
    #[arg(long = "kustomize-image")]
    pub kustomize_images: Vec<String>,
}

#[derive(Args, Debug)]
pub(super) struct Manifests {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Which: live or git.
    #[arg(long, default_value = "git")]
    pub source: String,
    /// Revision instead of the one in the spec.
    #[arg(long)]
    pub revision: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Diff {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Revision instead of the one in the spec.
    #[arg(long)]
    pub revision: Option<String>,
    /// Compare again first.
    #[arg(long)]
    pub refresh: bool,
    /// Render and compare again first.
    #[arg(long)]
    pub hard_refresh: bool,
    /// Whether differences make the exit code.
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        action = clap::ArgAction::Set)]
    pub exit_code: bool,
    /// Exit code for differences.
    #[arg(long = "diff-exit-code", default_value_t = 1)]
    pub code_for_differences: u8,
}
