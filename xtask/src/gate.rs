//! `cargo xtask test`: everything that must hold before a change goes in.

mod packages;

use std::process::Command;

use anyhow::{bail, ensure};

use crate::{child, kube, paths, tidy};

/// Whether the tests that need a real Kubernetes run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RealCluster {
    /// They run.
    Run,
    /// The caller does without them.
    Skip,
}

/// Runs all gates, also after one has failed, and names those that failed.
///
/// **Errors**: a system package is missing, or a gate fails.
pub(crate) async fn run(real: RealCluster) -> anyhow::Result<()> {
    packages::ensure_installed()?;
    let mut failed = Vec::new();
    let mut gate = |name: &'static str, result: anyhow::Result<()>| {
        if let Err(error) = result {
            eprintln!("== {name} FAILED: {error:#}");
            failed.push(name);
        }
    };
    gate("format", cargo(&["fmt", "--all", "--check"]).await);
    gate("lints", cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).await);
    title("cargo xtask tidy");
    gate("tidy", tidy::run());
    gate("tests", cargo(&["test", "--workspace", "--no-fail-fast"]).await);
    match real {
        RealCluster::Run => {
            title("cargo xtask kube test");
            gate("real Kubernetes", kube::test().await);
        }
        RealCluster::Skip => eprintln!("\n== real Kubernetes: NOT RUN, as asked by --skip-kube"),
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    eprintln!("\n== all gates passed");
    Ok(())
}

fn title(text: &str) {
    eprintln!("\n== {text}");
}

async fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    title(&format!("cargo {}", arguments.join(" ")));
    let mut command = Command::new(paths::cargo());
    command.args(arguments).current_dir(paths::workspace());
    let status = child::run(command).await?;
    ensure!(status.success(), "cargo {} ended with {status}", arguments.join(" "));
    Ok(())
}
