//! Measures how fast Slipway is and how much memory it needs. Run it with `cargo xtask bench`.
//!
//! It prints figures, and the share of the goal where there is one. It never judges: times depend on the machine and on
//! what else runs there, so no test may depend on them. It fails only when what it measures does not work.
//! Start reading at [`Part`].

mod compare;
mod figure;
mod passes;
mod place;
mod process;
mod reconcile;
mod rollouts;
mod start;
mod stores;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

use figure::Figure;
use passes::Passes;

/// Measures Slipway.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// What to measure; everything when absent
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// The `slipway` binary to start; needed for `dev`
    #[arg(long, value_name = "FILE")]
    slipway: Option<PathBuf>,
    /// A control plane with controller manager and scheduler; needed for `rollouts`
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Rollouts of `rollouts`
    #[arg(long, default_value_t = 1000, value_name = "N")]
    count: usize,
    /// Definitions of the custom resources for `rollouts` instead of ours
    #[arg(long, value_name = "FILE")]
    crds: Option<PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Writes and watches of the store, in memory and on disk
    Store,
    /// Passes over Rollouts, at rest and through steps
    Reconcile,
    /// Comparison of an Application of 1,000 objects
    Compare,
    /// Start of `slipway dev` and its memory at rest
    Dev,
    /// A thousand Rollouts on a real control plane, beside the original
    Rollouts,
}

impl Part {
    /// What needs no control plane.
    const ALL: [Self; 4] = [Self::Store, Self::Reconcile, Self::Compare, Self::Dev];
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let passes = Passes::count();
    let parts = if arguments.parts.is_empty() { &Part::ALL[..] } else { &arguments.parts };
    for part in parts {
        if let Err(error) = measure(*part, &arguments, &passes).await {
            eprintln!("error: {part:?}: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

async fn measure(part: Part, arguments: &Arguments, passes: &Passes) -> anyhow::Result<()> {
    let mut print = |figure: Figure| println!("{figure}");
    match part {
        Part::Store => stores::measure(&mut print).await,
        Part::Reconcile => reconcile::measure(passes, &mut print).await,
        Part::Compare => compare::measure(&mut print).await,
        Part::Dev => start::measure(slipway(arguments)?, &mut print).await,
        Part::Rollouts => {
            let kubeconfig = arguments.kubeconfig.as_deref();
            let place = rollouts::Place {
                slipway: slipway(arguments)?,
                kubeconfig: kubeconfig.context("--kubeconfig says which control plane to use")?,
                count: arguments.count,
                crds: arguments.crds.as_deref(),
            };
            rollouts::measure(&place, &mut print).await
        }
    }
}

fn slipway(arguments: &Arguments) -> anyhow::Result<&Path> {
    arguments.slipway.as_deref().context("--slipway says which binary to start")
}
