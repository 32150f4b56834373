//! The project's own tasks: `cargo xtask <task>`. Nothing here ships.

mod bench;
mod child;
mod demo;
mod gate;
mod kube;
mod paths;
mod record;
mod schema;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// Slipway's development tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// How fast Slipway is and how much memory it needs: prints figures, judges nothing
    Bench(bench::Arguments),
    /// One commit becomes one canary: real processes, real requests, each step observed
    Demo {
        /// Keep everything up at the end and say what to try
        #[arg(long)]
        stay: bool,
    },
    /// Format, lints, tidy, all tests, and the tests against a real Kubernetes
    Test {
        /// Leave out the tests against a real Kubernetes
        #[arg(long)]
        skip_kube: bool,
    },
    /// The rules of this tree that no compiler checks
    Tidy,
    /// A real Kubernetes control plane from the package registries
    Kube {
        #[command(subcommand)]
        task: kube::Task,
    },
    /// Make the type data of the built-in kinds again, for a new Kubernetes
    Schema {
        #[command(subcommand)]
        task: SchemaTask,
    },
}

#[derive(Debug, Subcommand)]
enum SchemaTask {
    /// From the published OpenAPI: types, defaults, list and patch strategies
    Openapi {
        /// `api/openapi-spec/swagger.json` of the Kubernetes module
        swagger: PathBuf,
        /// The file to write
        #[arg(default_value = "crates/patch/src/schema/builtin.json")]
        out: PathBuf,
    },
    /// From Go sources: the order in which Go writes a struct's fields
    GoOrder {
        /// The `types.go` files of the API module and of apimachinery
        #[arg(required = true)]
        sources: Vec<PathBuf>,
        /// The struct to begin with
        #[arg(long, default_value = "PodTemplateSpec")]
        root: String,
        /// The file to write
        #[arg(long, default_value = "crates/rollout/src/hash/go-order.json")]
        out: PathBuf,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Built together with crates that bring another provider, rustls cannot choose by itself. A second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Dropping the task on a signal stops what it started.
    let result = tokio::select! {
        result = run(Args::parse().task) => result,
        interrupted = interrupted() => interrupted,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Bench(arguments) => bench::run(&arguments).await,
        Task::Demo { stay: false } => demo::run(demo::Stay::No).await,
        Task::Demo { stay: true } => demo::run(demo::Stay::Yes).await,
        Task::Test { skip_kube: false } => gate::run(gate::RealCluster::Run).await,
        Task::Test { skip_kube: true } => gate::run(gate::RealCluster::Skip).await,
        Task::Tidy => tidy::run(),
        Task::Kube { task } => kube::run(task).await,
        Task::Schema { task } => make_schema(task),
    }
}

fn make_schema(task: SchemaTask) -> anyhow::Result<()> {
    match task {
        SchemaTask::Openapi { swagger, out } => schema::run(&swagger, &out),
        SchemaTask::GoOrder { sources, root, out } => {
            let sources: Vec<_> = sources.iter().map(PathBuf::as_path).collect();
            schema::go_order::run(&sources, &root, &out)
        }
    }
}

async fn interrupted() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    bail!("interrupted")
}
