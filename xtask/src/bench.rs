//! `cargo xtask bench`: how fast Slipway is and how much memory it needs.

use std::process::Command;

use anyhow::{Context as _, bail};

use crate::{child, paths};

/// Arguments of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Measure a debug build: only to try the measuring
    #[arg(long)]
    debug: bool,
    /// What to measure: store, reconcile, compare, dev; everything when absent
    parts: Vec<String>,
}

/// Builds the binary and the measuring program, and runs that. Its figures are printed, never judged.
///
/// **Errors**: the build failed, or something that is measured does not work.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut build = Command::new(paths::cargo());
    build.current_dir(paths::workspace());
    build.args(["build", "--package", "slipway", "--package", "bench", "--bins"]);
    if !arguments.debug {
        build.arg("--release");
    }
    if !child::run(build).await.context("cannot run cargo")?.success() {
        bail!("the build failed");
    }
    let folder = paths::target()?.join(if arguments.debug { "debug" } else { "release" });
    let mut bench = Command::new(folder.join("bench"));
    bench.arg("--slipway").arg(folder.join("slipway")).args(&arguments.parts);
    if !child::run(bench).await.context("cannot run the measuring program")?.success() {
        bail!("something that is measured does not work");
    }
    Ok(())
}
