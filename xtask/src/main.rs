//! The project's own tasks: `cargo xtask <task>`. Nothing here ships.

mod kube;
mod paths;
mod record;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Slipway's development tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// A real Kubernetes control plane from the package registries
    Kube {
        #[command(subcommand)]
        task: kube::Task,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Args::parse().task).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Kube { task } => kube::run(task).await,
    }
}
