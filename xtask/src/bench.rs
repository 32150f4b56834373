//! `cargo xtask bench`: how fast Slipway is and how much memory it needs.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::kube::{Cluster, Level};
use crate::{child, paths};

/// Arguments of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Measure a debug build: only to try the measuring
    #[arg(long)]
    debug: bool,
    /// Rollouts of `rollouts`
    #[arg(long, default_value_t = 1000, value_name = "N")]
    count: usize,
    /// For `rollouts`: install these definitions instead of ours, e.g. the original's
    #[arg(long, value_name = "FILE")]
    crds: Option<PathBuf>,
    /// What to measure: store, reconcile, compare, dev; all of these when absent; or rollouts, on a real control plane
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
    bench.arg("--slipway").arg(folder.join("slipway")).args(["--count", &arguments.count.to_string()]);
    if let Some(crds) = &arguments.crds {
        bench.arg("--crds").arg(crds);
    }
    let place = tempfile::Builder::new().prefix("slipway-kube-").tempdir()?;
    let cluster = if arguments.parts.iter().any(|part| part == "rollouts") {
        let cluster = Cluster::start(Level::Controllers, place.path()).await?;
        bench.arg("--kubeconfig").arg(cluster.kubeconfig());
        Some(cluster)
    } else {
        None
    };
    bench.args(&arguments.parts);
    if !child::run(bench).await.context("cannot run the measuring program")?.success() {
        bail!("something that is measured does not work");
    }
    drop(cluster);
    Ok(())
}
