//! Verbs that start operations or wait for them.

use clap::Args;

use crate::print::arguments::{go_duration, integer, unsigned};

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
pub(in super::super) struct Sync {
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
    /// Revision of a source among several; one for each of --source-positions or --source-names.
    #[arg(long, value_name = "REVISION", value_delimiter = ',')]
    pub revisions: Vec<String>,
    /// Which sources --revisions are for, from 1.
    #[arg(long, value_name = "POSITION", value_delimiter = ',', value_parser = integer)]
    pub source_positions: Vec<i64>,
    /// Which sources --revisions are for, by name.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub source_names: Vec<String>,
    /// Delete what the source no longer has.
    #[arg(long)]
    pub prune: bool,
    /// Change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Only these resources: GROUP:KIND:NAME, `!` before to leave out.
    #[arg(long = "resource", value_name = "GROUP:KIND:NAME")]
    pub resources: Vec<String>,
    /// Only resources with these labels.
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub labels: Vec<String>,
    /// Folder of this machine with the manifests; not supported yet.
    #[arg(long, value_name = "PATH")]
    pub local: Option<String>,
    /// Folder of this machine with the repository of --local.
    #[arg(long, default_value = "/", value_name = "PATH")]
    pub local_repo_root: String,
    /// Show the differences first, and ask.
    #[arg(long)]
    pub preview_changes: bool,
    /// Do not ask.
    #[arg(long = "assumeYes", alias = "assume-yes")]
    pub assume_yes: bool,
    /// Try again with the latest revision instead of the first one.
    #[arg(long)]
    pub retry_refresh: bool,
    /// Accepted for compatibility: ignored fields are given by path only.
    #[arg(long, hide = true)]
    pub ignore_normalizer_jq_execution_timeout: Option<String>,
    /// Do not wait.
    #[arg(long = "async")]
    pub detached: bool,
    /// Give up waiting after so many seconds; 0 means never.
    #[arg(long, value_parser = unsigned, default_value_t = 0, value_name = "SECONDS")]
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
    #[arg(long, default_value_t = 0, allow_hyphen_values = true, value_parser = integer)]
    pub retry_limit: i64,
    /// First wait between tries.
    #[arg(long, default_value = "5s", value_parser = go_duration, value_name = "DURATION")]
    pub retry_backoff_duration: String,
    /// Longest wait between tries.
    #[arg(long, default_value = "3m0s", value_parser = go_duration, value_name = "DURATION")]
    pub retry_backoff_max_duration: String,
    /// How much longer each wait is.
    #[arg(long, default_value_t = 2, value_parser = integer)]
    pub retry_backoff_factor: i64,
    /// Notes kept with the operation, e.g. ticket=1.
    #[arg(long = "info", value_name = "KEY=VALUE")]
    pub infos: Vec<String>,
    /// Form of the result: json, yaml, wide, tree, tree=detailed.
    #[arg(short, long, default_value = "wide")]
    pub output: String,
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
pub(in super::super) struct Wait {
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
    /// Until hydrated; there is no hydrator yet, so this is always so.
    #[arg(long)]
    pub hydrated: bool,
    /// Only these resources: GROUP:KIND:NAME, `!` before to leave out.
    #[arg(long = "resource", value_name = "GROUP:KIND:NAME")]
    pub resources: Vec<String>,
    /// Give up after so many seconds; 0 means never.
    #[arg(long, value_parser = unsigned, default_value_t = 0, value_name = "SECONDS")]
    pub timeout: u64,
    /// Form of the result: json, yaml, wide, tree, tree=detailed.
    #[arg(short, long, default_value = "wide")]
    pub output: String,
}

#[derive(Args, Debug)]
pub(in super::super) struct Rollback {
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
    #[arg(long, value_parser = unsigned, default_value_t = 0, value_name = "SECONDS")]
    pub timeout: u64,
    /// Form of the result: json, yaml, wide, tree, tree=detailed.
    #[arg(short, long, default_value = "wide")]
    pub output: String,
}
