//! `slipway <verb>`.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::{Exit, Session};

mod controller;
mod crds;
mod dev;
mod explain;
mod gateway;
mod image;
mod node;
mod pods;
mod ready;

/// GitOps continuous delivery and progressive delivery for Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "slipway", version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a Kubernetes-compatible cluster in this process, with all controllers, for trying and testing.
    #[command(
        after_help = "Examples:\n  slipway dev --dir ./cluster\n  slipway dev --memory --simulate-pods"
    )]
    Dev(dev::Arguments),
    /// Run the controllers against a Kubernetes cluster.
    #[command(after_help = "Example:\n  slipway controller --kubeconfig ./kubeconfig --leader-elect=false")]
    Controller(Box<controller::Arguments>),
    /// Join a cluster as a node that runs pods as processes of this machine.
    #[command(after_help = "Example:\n  slipway node --kubeconfig ./kubeconfig --dir ./node")]
    Node(node::Arguments),
    /// Serve the Services of a cluster over HTTP on this machine.
    #[command(after_help = "Example:\n  slipway gateway --kubeconfig ./kubeconfig --port 8000")]
    Gateway(gateway::Arguments),
    /// Build, import and list images of the local content store.
    #[command(after_help = "Example:\n  slipway image list --dir ./cluster")]
    Image(image::Arguments),
    /// Tell why something is where it is, what would end the wait, and what comes next.
    Explain(Box<explain::Arguments>),
    /// Write the completions of a shell.
    #[command(after_help = "Example:\n  source <(slipway completion bash)")]
    Completion {
        /// The shell.
        shell: crate::rollouts::Shell,
    },
    /// Print the CustomResourceDefinitions.
    #[command(after_help = "Example:\n  slipway crds | kubectl apply --server-side -f -")]
    Crds,
    /// The commands of kubectl-argo-rollouts.
    #[command(disable_help_flag = true)]
    Rollouts(Rest),
    /// The commands of `argocd app`.
    #[command(disable_help_flag = true)]
    App(Rest),
}

/// Arguments that another face reads.
#[derive(Debug, clap::Args)]
struct Rest {
    /// Arguments of the command.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs a command line without its program name.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, session: &mut Session) -> Exit {
    let program = std::iter::once(OsString::from("slipway"));
    let parsed = match Arguments::try_parse_from(program.chain(arguments)) {
        Ok(parsed) => parsed,
        Err(error) => return session.usage(&error),
    };
    let outcome = match parsed.command {
        Command::Rollouts(rest) => return crate::rollouts::run(rest.arguments, session).await,
        Command::App(rest) => {
            let app = std::iter::once(OsString::from("app"));
            return crate::argocd::run(app.chain(rest.arguments), session).await;
        }
        Command::Crds => crds::run(session),
        Command::Explain(arguments) => Box::pin(explain::run(*arguments, session)).await,
        Command::Completion { shell } => {
            let text = crate::rollouts::completion::<Arguments>(shell);
            session.out.write_all(&text).map_err(anyhow::Error::from)
        }
        Command::Image(arguments) => image::run(&arguments, session),
        Command::Dev(arguments) => dev::run(arguments, session).await,
        Command::Controller(arguments) => Box::pin(controller::run(*arguments, session)).await,
        Command::Node(arguments) => node::run(arguments, session).await,
        Command::Gateway(arguments) => gateway::run(arguments, session).await,
    };
    match outcome {
        Ok(()) => Exit::OK,
        Err(error) => session.fail(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_says_what_it_does() {
        crate::print::arguments::assert_told::<Arguments>(&["rollouts", "app"]);
    }
}
