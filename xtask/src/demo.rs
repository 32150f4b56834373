//! `cargo xtask demo`: one commit becomes one canary, before your eyes.

use std::process::Command;

use anyhow::{Context as _, bail};

use crate::{child, paths};

/// What happens at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stay {
    /// Everything is stopped.
    No,
    /// Everything stays up until Ctrl-C.
    Yes,
}

/// Builds, then plays the scenario of `examples/j1` with real processes and real requests.
///
/// **Errors**: the build failed, or a step was not observed.
pub(crate) async fn run(stay: Stay) -> anyhow::Result<()> {
    let packages = [
        "--package",
        "slipway",
        "--package",
        "colorapi",
        "--package",
        "testkit",
        "--bins",
        "--example",
        "demo",
    ];
    let mut build = Command::new(paths::cargo());
    build.current_dir(paths::workspace()).arg("build").args(packages);
    if !child::run(build).await.context("cannot run cargo")?.success() {
        bail!("the build failed");
    }
    let target = paths::target()?.join("debug");
    let dir = tempfile::Builder::new().prefix("slipway-demo-").tempdir()?;
    let mut demo = Command::new(target.join("examples/demo"));
    demo.arg(target.join("slipway")).arg(target.join("colorapi"));
    demo.arg(paths::workspace().join("examples/j1")).arg(dir.path());
    if stay == Stay::Yes {
        demo.arg("--stay");
    }
    let played = child::run(demo).await.context("cannot run the demo")?.success();
    if !played {
        bail!("the demo stopped; its files are in {}", dir.keep().display());
    }
    Ok(())
}
