//! `cargo xtask kube test`: the scenarios against a real control plane.

use std::process::Command;

use anyhow::{bail, ensure};

use super::{Cluster, Level};

/// Runs the ignored tests of `tests/real_cluster.rs` on a fresh control plane of level 1.
///
/// **Errors**: a test fails. Where no control plane can be had the tests are loudly reported as not run, which is
/// an error only under `CI=true`.
pub(crate) async fn run() -> anyhow::Result<()> {
    let tests = crate::paths::workspace().join("tests/real_cluster.rs");
    if !tests.exists() {
        return not_run("tests/real_cluster.rs does not exist");
    }
    let dir = tempfile::Builder::new().prefix("slipway-kube-").tempdir()?;
    let cluster = match Cluster::start(Level::Controllers, dir.path()).await {
        Ok(cluster) => cluster,
        Err(error) => return not_run(&format!("{error:#}")),
    };
    // The whole workspace, as in the tests before: another selection has other features and compiles them all again.
    let mut command = Command::new(crate::paths::cargo());
    command
        .args([
            "test",
            "--workspace",
            "--test",
            "real_cluster",
            "--",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .current_dir(crate::paths::workspace())
        .env("SLIPWAY_KUBECONFIG", cluster.kubeconfig());
    let status = crate::child::run(command).await?;
    ensure!(status.success(), "the tests against a real Kubernetes failed");
    Ok(())
}

fn not_run(why: &str) -> anyhow::Result<()> {
    let message = format!("THE TESTS AGAINST A REAL KUBERNETES WERE NOT RUN: {why}");
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        bail!(message);
    }
    eprintln!("\n{message}\n");
    Ok(())
}
