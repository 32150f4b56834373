//! Verbs and flags.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::connect::ConnectFlags;
use crate::print::arguments::{duration, integer, unsigned};

/// Watch and steer Rollouts and Experiments.
#[derive(Debug, Parser)]
#[command(name = "kubectl-argo-rollouts", bin_name = "kubectl-argo-rollouts")]
pub(super) struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags of every verb.
#[derive(Args, Debug)]
pub(super) struct Global {
    #[command(flatten)]
    pub connect: ConnectFlags,
    /// Level of log messages.
    #[arg(long, global = true, default_value = "info", value_parser = LEVELS, hide_possible_values = true)]
    pub loglevel: String,
    /// Level of client log messages.
    #[arg(short = 'v', long, global = true, value_parser = integer, default_value_t = 0, hide_default_value = true)]
    pub kloglevel: i64,
}

const LEVELS: [&str; 8] = ["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"];

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show a Rollout or an Experiment with everything that belongs to it.
    #[command(after_help = "Example:\n  kubectl argo rollouts get rollout guestbook -w")]
    Get {
        #[command(subcommand)]
        what: Get,
    },
    /// List Rollouts or Experiments.
    #[command(after_help = "Example:\n  kubectl argo rollouts list rollouts -A")]
    List {
        #[command(subcommand)]
        what: List,
    },
    /// Tell the phase of a Rollout and wait until it is final.
    #[command(
        after_help = "Examples:\n  kubectl argo rollouts status guestbook\n  kubectl argo rollouts status guestbook --watch=false\n  kubectl argo rollouts status guestbook --timeout 60s"
    )]
    Status(Status),
    /// Go on with a Rollout that is paused.
    #[command(
        after_help = "Examples:\n  kubectl argo rollouts promote guestbook\n  kubectl argo rollouts promote guestbook --full"
    )]
    Promote(Promote),
    /// Take the new version back: all traffic returns to the stable one.
    #[command(after_help = "Example:\n  kubectl argo rollouts abort guestbook")]
    Abort {
        /// Rollouts to abort.
        #[arg(required = true, value_name = "ROLLOUT_NAME")]
        names: Vec<String>,
    },
    /// Try again what was aborted or has failed.
    #[command(after_help = "Example:\n  kubectl argo rollouts retry rollout guestbook")]
    Retry {
        #[command(subcommand)]
        what: Retry,
    },
    /// Hold a Rollout where it is.
    #[command(after_help = "Example:\n  kubectl argo rollouts pause guestbook")]
    Pause {
        /// Rollouts to pause.
        #[arg(required = true, value_name = "ROLLOUT_NAME")]
        names: Vec<String>,
    },
    /// Replace the pods of a Rollout one after the other.
    #[command(
        after_help = "Examples:\n  kubectl argo rollouts restart guestbook\n  kubectl argo rollouts restart guestbook --in 10s"
    )]
    Restart {
        /// Rollouts to restart.
        #[arg(required = true, value_name = "ROLLOUT")]
        names: Vec<String>,
        /// How long to wait before, e.g. 30s, 5m, 1h.
        #[arg(short = 'i', long = "in", value_parser = duration, default_value = "0s", value_name = "DURATION")]
        after: Duration,
    },
    /// Create a Rollout, an Experiment, a template or an AnalysisRun.
    Create(Create),
    /// End an AnalysisRun or an Experiment.
    #[command(after_help = "Example:\n  kubectl argo rollouts terminate analysisrun guestbook-877894d5b-4")]
    Terminate {
        #[command(subcommand)]
        what: Terminate,
    },
    /// Bring an earlier revision back as the new version.
    #[command(
        after_help = "Examples:\n  kubectl argo rollouts undo guestbook\n  kubectl argo rollouts undo guestbook --to-revision=3"
    )]
    Undo(Undo),
    /// Change a Rollout.
    #[command(after_help = "Example:\n  kubectl argo rollouts set image guestbook web=web:2.0")]
    Set {
        #[command(subcommand)]
        what: Set,
    },
    /// Check the Rollouts of a file.
    #[command(after_help = "Example:\n  kubectl argo rollouts lint -f rollout.yaml")]
    Lint(Lint),
    /// Write the completions of a shell.
    #[command(
        after_help = "Examples:\n  source <(kubectl-argo-rollouts completion bash)\n  kubectl-argo-rollouts completion zsh > \"${fpath[1]}/_kubectl-argo-rollouts\"\n  kubectl-argo-rollouts completion fish | source\n  kubectl-argo-rollouts completion powershell | Out-String | Invoke-Expression"
    )]
    Completion {
        /// The shell.
        shell: Shell,
    },
    /// Serve a page that shows Rollouts; not offered yet.
    #[command(after_help = "Example:\n  kubectl argo rollouts dashboard --port 8080")]
    Dashboard {
        /// Path under which the page is.
        #[arg(long, default_value = "rollouts", value_name = "PATH")]
        root_path: String,
        /// Port to listen on.
        #[arg(short, long, value_parser = integer, default_value_t = 3100)]
        port: i64,
    },
    /// Look at what notifications would say; not offered yet.
    #[command(
        after_help = "Example:\n  kubectl argo rollouts notifications template get",
        subcommand_required = false
    )]
    Notifications {
        #[command(flatten)]
        flags: NotificationFlags,
        #[command(subcommand)]
        what: Option<Notifications>,
    },
    /// Tell the version of this program.
    #[command(after_help = "Example:\n  kubectl argo rollouts version --short")]
    Version {
        /// Only the number.
        #[arg(long)]
        short: bool,
    },
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  kubectl argo rollouts create -f experiment.yaml -w")]
pub(super) struct Create {
    /// Files with one object each.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub filenames: Vec<String>,
    /// Repaint the object whenever something changes.
    #[arg(short, long)]
    pub watch: bool,
    /// Plain text on a terminal too.
    #[arg(long)]
    pub no_color: bool,
    #[command(subcommand)]
    pub what: Option<CreateWhat>,
}

#[derive(Debug, Subcommand)]
pub(super) enum CreateWhat {
    /// Create an AnalysisRun of a template.
    #[command(
        name = "analysisrun",
        aliases = ["ar"],
        after_help = "Example:\n  kubectl argo rollouts create analysisrun --from success-rate --argument service=web"
    )]
    AnalysisRun(AnalysisRunFlags),
}

#[derive(Args, Debug)]
pub(super) struct AnalysisRunFlags {
    /// Template of the cluster.
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// File with the template.
    #[arg(long, value_name = "FILE")]
    pub from_file: Option<String>,
    /// The template is a ClusterAnalysisTemplate.
    #[arg(long)]
    pub global: bool,
    /// Arguments of the template.
    #[arg(short = 'a', long = "argument", value_name = "NAME=VALUE")]
    pub arguments: Vec<String>,
    /// Name of the AnalysisRun.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Beginning of the name of the AnalysisRun, completed by the server; that of the template when absent.
    #[arg(long, value_name = "PREFIX")]
    pub generate_name: Option<String>,
    /// Controllers that act on the AnalysisRun.
    #[arg(long, value_name = "ID")]
    pub instance_id: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Get {
    /// Show a Rollout.
    #[command(aliases = ["ro", "rollouts"])]
    Rollout(GetOne),
    /// Show an Experiment.
    #[command(aliases = ["exp", "experiments"])]
    Experiment(GetOne),
}

#[derive(Args, Debug)]
pub(super) struct GetOne {
    /// Name of the object.
    pub name: String,
    /// Repaint whenever something changes.
    #[arg(short, long)]
    pub watch: bool,
    /// Plain text on a terminal too.
    #[arg(long)]
    pub no_color: bool,
    /// Stop watching after so many seconds; 0 means never.
    #[arg(long, value_parser = unsigned, default_value_t = 0, value_name = "SECONDS")]
    pub timeout_seconds: u64,
}

#[derive(Debug, Subcommand)]
pub(super) enum List {
    /// List Rollouts.
    #[command(aliases = ["ro", "rollout"])]
    Rollouts(ListRollouts),
    /// List Experiments.
    #[command(aliases = ["exp", "experiment"])]
    Experiments {
        /// Of all namespaces.
        #[arg(short = 'A', long)]
        all_namespaces: bool,
    },
}

#[derive(Args, Debug)]
pub(super) struct ListRollouts {
    /// Of all namespaces.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only the one with this name.
    #[arg(long)]
    pub name: Option<String>,
    /// Print a line whenever one changes.
    #[arg(short, long)]
    pub watch: bool,
    /// Begin each line with the time.
    #[arg(long)]
    pub timestamps: bool,
}

#[derive(Args, Debug)]
pub(super) struct Status {
    /// Name of the Rollout.
    #[arg(value_name = "ROLLOUT_NAME")]
    pub name: String,
    /// Wait for a final phase.
    #[arg(short, long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        action = clap::ArgAction::Set)]
    pub watch: bool,
    /// Give up after this time; 0 means never.
    #[arg(short, long, value_parser = duration, default_value = "0s")]
    pub timeout: Duration,
}

/// A shell that can complete commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

#[derive(Args, Debug)]
pub(super) struct Lint {
    /// File with Rollouts, and with what they name.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub filename: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct NotificationFlags {
    /// File with the ConfigMap of templates and triggers.
    #[arg(long, global = true, value_name = "FILE")]
    pub config_map: Option<String>,
    /// File with the Secret that templates and services use; `:empty` for none.
    #[arg(long, global = true, value_name = "FILE")]
    pub secret: Option<String>,
    /// User of basic authentication.
    #[arg(long, global = true, value_name = "NAME")]
    pub username: Option<String>,
    /// Password of basic authentication.
    #[arg(long, global = true, value_name = "PASSWORD")]
    pub password: Option<String>,
    /// Proxy to connect through.
    #[arg(long, global = true, value_name = "URL")]
    pub proxy_url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Notifications {
    /// Templates: get, notify.
    Template(Rest),
    /// Triggers: get, run.
    Trigger(Rest),
}

#[derive(Args, Debug)]
pub(super) struct Rest {
    /// Arguments of the command.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<String>,
}

#[derive(Args, Debug)]
pub(super) struct Promote {
    /// Name of the Rollout.
    #[arg(value_name = "ROLLOUT_NAME")]
    pub name: String,
    /// Go to the end at once, past all steps, pauses and analyses.
    #[arg(long)]
    pub full: bool,
    /// Deprecated.
    #[arg(short = 'c', long, hide = true)]
    pub skip_current_step: bool,
    /// Deprecated.
    #[arg(short = 'a', long, hide = true)]
    pub skip_all_steps: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Retry {
    /// Start the update of an aborted Rollout again.
    #[command(aliases = ["ro", "rollouts"])]
    Rollout {
        /// Rollouts to retry.
        #[arg(required = true, value_name = "ROLLOUT_NAME")]
        names: Vec<String>,
    },
    /// Run an Experiment again.
    #[command(aliases = ["exp", "experiments"])]
    Experiment {
        /// Experiments to retry.
        #[arg(required = true, value_name = "EXPERIMENT_NAME")]
        names: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Terminate {
    /// End an AnalysisRun.
    #[command(name = "analysisrun", aliases = ["ar", "analysisruns"])]
    AnalysisRun {
        /// AnalysisRuns to end.
        #[arg(required = true, value_name = "ANALYSISRUN_NAME")]
        names: Vec<String>,
    },
    /// End an Experiment.
    #[command(aliases = ["exp", "experiments"])]
    Experiment {
        /// Experiments to end.
        #[arg(required = true, value_name = "EXPERIMENT_NAME")]
        names: Vec<String>,
    },
}

#[derive(Args, Debug)]
pub(super) struct Undo {
    /// Name of the Rollout.
    #[arg(value_name = "ROLLOUT_NAME")]
    pub name: String,
    /// Revision to bring back; 0 means the one before the latest.
    #[arg(long, value_parser = integer, default_value_t = 0)]
    pub to_revision: i64,
}

#[derive(Debug, Subcommand)]
pub(super) enum Set {
    /// Change the image of a container, or of all with `*`.
    Image {
        /// Name of the Rollout.
        #[arg(value_name = "ROLLOUT_NAME")]
        name: String,
        /// The container and its new image.
        #[arg(value_name = "CONTAINER=IMAGE")]
        image: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_says_what_it_does() {
        crate::print::arguments::assert_told::<Arguments>(&[
            "get ",
            "list ",
            "retry ",
            "terminate ",
            "set ",
            "notifications ",
        ]);
    }
}
