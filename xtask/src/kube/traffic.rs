//! `cargo xtask kube traffic`: real requests through Contour and Envoy to real containers.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::image::Image;
use super::{Cluster, Level};
use crate::{child, paths};

/// Versions of the sample application and their colours.
const VERSIONS: [(&str, &str); 2] = [("1.0", "red"), ("2.0", "blue")];

/// Runs the ignored tests of `tests/traffic.rs` on a fresh cluster of level 3.
///
/// **Errors**: this machine cannot run level 3, or a test fails.
pub(crate) async fn run() -> anyhow::Result<()> {
    let colorapi = build_colorapi().await?;
    let dir = tempfile::Builder::new().prefix("slipway-kube-").tempdir()?;
    let cluster = Cluster::start(Level::Front, dir.path()).await?;
    for (version, color) in VERSIONS {
        let env = [format!("COLOR={color}"), format!("VERSION={version}")];
        let name = format!("docker.io/library/colorapi:{version}");
        cluster.add_image(&Image { name: &name, program: &colorapi, env: &env }).await?;
    }
    let gateway = cluster.gateway().context("a cluster of level 3 has a gateway")?;
    let mut command = Command::new(paths::cargo());
    command
        .args([
            "test",
            "--workspace",
            "--test",
            "traffic",
            "--",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .current_dir(paths::workspace())
        .env("SLIPWAY_KUBECONFIG", cluster.kubeconfig())
        .env("SLIPWAY_GATEWAY", gateway);
    let status = child::run(command).await?;
    ensure!(status.success(), "the tests of real traffic failed");
    Ok(())
}

async fn build_colorapi() -> anyhow::Result<std::path::PathBuf> {
    let mut build = Command::new(paths::cargo());
    build.current_dir(paths::workspace()).args(["build", "--workspace", "--bin", "colorapi"]);
    ensure!(child::run(build).await?.success(), "the sample application does not build");
    let program = paths::target()?.join(Path::new("debug/colorapi"));
    Ok(program)
}
