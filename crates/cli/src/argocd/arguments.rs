//! Verbs and flags.

use clap::{Args, Parser, Subcommand};

use crate::print::arguments::{integer, unsigned};

mod automation;
mod global;
mod operation;
mod renderers;
mod resource;
mod source;
mod spec;

pub(super) use global::{Global, LogFormat};
pub(super) use operation::{Rollback, Sync, Wait};
pub(super) use renderers::image_name;
pub(super) use resource::{AddSource, Choice, DeleteResource, Patch, PatchResource, RemoveSource};
pub(super) use source::{SourceFlags, SpecFlags, position, set_source, source};
pub(super) use spec::{Create, Set, Unset};

/// Manage Applications on the cluster of the kubeconfig.
#[derive(Debug, Parser)]
#[command(name = "argocd", bin_name = "argocd", disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Work with Applications.
    #[command(after_help = "Example:\n  argocd app list")]
    App {
        #[command(subcommand)]
        verb: Box<App>,
    },
    /// Tell the version of this program.
    #[command(after_help = "Example:\n  argocd version --short")]
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
    #[command(
        after_help = "Examples:\n  argocd app create guestbook --repo https://git.example/guestbook.git --path . --dest-server https://kubernetes.default.svc --dest-namespace default\n  argocd app create --file application.yaml --upsert"
    )]
    Create(Box<Create>),
    /// Show an Application.
    #[command(
        after_help = "Examples:\n  argocd app get guestbook\n  argocd app get guestbook -o tree=detailed"
    )]
    Get(Get),
    /// List Applications.
    #[command(after_help = "Examples:\n  argocd app list -l team=a\n  argocd app list -p default -o name")]
    List(List),
    /// Bring the cluster to what the source says.
    #[command(
        after_help = "Examples:\n  argocd app sync guestbook --prune\n  argocd app sync guestbook --resource apps:Deployment:web"
    )]
    Sync(Box<Sync>),
    /// Wait for Applications to be as they should.
    #[command(after_help = "Example:\n  argocd app wait guestbook --health --timeout 60")]
    Wait(Wait),
    /// Show what was deployed before.
    #[command(after_help = "Example:\n  argocd app history guestbook -o id")]
    History(History),
    /// Deploy again what was deployed before.
    #[command(after_help = "Example:\n  argocd app rollback guestbook 3")]
    Rollback(Rollback),
    /// Delete Applications.
    #[command(after_help = "Example:\n  argocd app delete guestbook --yes --wait")]
    Delete(Delete),
    /// Change the spec of an Application.
    #[command(
        after_help = "Example:\n  argocd app set guestbook --revision v1.1.0 --sync-policy auto --self-heal"
    )]
    Set(Box<Set>),
    /// Take parts of a source's configuration back.
    #[command(after_help = "Example:\n  argocd app unset guestbook --nameprefix")]
    Unset(Unset),
    /// List the resources of an Application.
    #[command(after_help = "Example:\n  argocd app resources guestbook -o tree")]
    Resources {
        /// Name of the Application.
        #[arg(value_name = "APPNAME")]
        name: String,
        /// Form: table, or tree with what the resources own.
        #[arg(short, long, default_value = "", hide_default_value = true)]
        output: String,
    },
    /// Print the manifests of an Application.
    #[command(after_help = "Example:\n  argocd app manifests guestbook --source live")]
    Manifests(Manifests),
    /// Show how the cluster differs from what the source says.
    #[command(
        after_help = "Examples:\n  argocd app diff guestbook\n  argocd app diff guestbook --revision next --exit-code=false"
    )]
    Diff(Diff),
    /// Change an Application by a JSON patch.
    #[command(
        after_help = "Example:\n  argocd app patch guestbook --type merge --patch '{\"spec\": {\"revisionHistoryLimit\": 3}}'"
    )]
    Patch(Patch),
    /// Add a source to an Application with several.
    #[command(
        after_help = "Example:\n  argocd app add-source guestbook --repo https://git.example/more.git --path ."
    )]
    AddSource(Box<AddSource>),
    /// Take a source from an Application with several.
    #[command(after_help = "Example:\n  argocd app remove-source guestbook --source-position 2")]
    RemoveSource(RemoveSource),
    /// Let go what waits for a confirmation of its deletion.
    #[command(after_help = "Example:\n  argocd app confirm-deletion guestbook")]
    ConfirmDeletion {
        /// Name of the Application.
        #[arg(value_name = "APPNAME")]
        name: String,
    },
    /// Delete a live resource of an Application.
    #[command(
        after_help = "Example:\n  argocd app delete-resource guestbook --kind Service --resource-name web"
    )]
    DeleteResource(DeleteResource),
    /// Change a live resource of an Application.
    #[command(
        after_help = "Example:\n  argocd app patch-resource guestbook --kind Service --resource-name web --patch '{\"metadata\": {\"labels\": {\"a\": \"b\"}}}'"
    )]
    PatchResource(PatchResource),
    /// Stop the operation that runs.
    #[command(after_help = "Example:\n  argocd app terminate-op guestbook")]
    TerminateOp {
        /// Name of the Application.
        #[arg(value_name = "APPNAME")]
        name: String,
    },
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
    /// Which source among several, from 1.
    #[arg(long, value_parser = integer, allow_hyphen_values = true, value_name = "POSITION")]
    pub source_position: Option<i64>,
    /// Which source among several, by name.
    #[arg(long, value_name = "NAME")]
    pub source_name: Option<String>,
    /// Give up after so many seconds; 0 means never.
    #[arg(long, value_parser = unsigned, default_value_t = 0, value_name = "SECONDS")]
    pub timeout: u64,
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
pub(super) struct History {
    /// Name of the Application.
    #[arg(value_name = "APPNAME")]
    pub name: String,
    /// Form: wide or id.
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
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
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
    #[arg(long = "diff-exit-code", default_value_t = 1, value_name = "CODE")]
    pub code_for_differences: u8,
    /// Folder of this machine to compare with, instead of the repository.
    #[arg(long, value_name = "PATH")]
    pub local: Option<String>,
    /// Accepted for compatibility: manifests are always read here.
    #[arg(long, hide = true)]
    pub server_side_generate: bool,
    /// Accepted for compatibility: differences are always predicted here.
    #[arg(long = "server-side-diff", hide = true)]
    pub server_side: bool,
    /// Accepted for compatibility: a plain folder needs nothing above it.
    #[arg(long, hide = true)]
    pub local_repo_root: Option<String>,
    /// Accepted for compatibility: files with manifests are always those with their extensions.
    #[arg(long, hide = true)]
    pub local_include: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_says_what_it_does() {
        crate::print::arguments::assert_told::<Arguments>(&[]);
    }
}
