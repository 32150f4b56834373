//! J1 on a real Kubernetes: kube-apiserver, controller manager and scheduler of upstream, Slipway's own node, gateway and
//! controllers. Run it with `cargo xtask kube test`, which starts the control plane.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use runtime::{Clock, Cluster};
use testkit::install::install;
use testkit::processes::{Processes, Server, build_colorapi, build_images};
use testkit::scenario::{Scenario, play};

#[path = "real_cluster/scenarios.rs"]
mod scenarios;
#[path = "real_cluster/shards.rs"]
mod shards;

/// Returns the kubeconfig of the control plane.
fn kubeconfig() -> PathBuf {
    PathBuf::from(std::env::var("SLIPWAY_KUBECONFIG").expect("SLIPWAY_KUBECONFIG names a kubeconfig"))
}

/// Ports and addresses of a controller beside others.
const QUIET: [&str; 8] =
    ["--metricsport", "0", "--healthzPort", "0", "--webhook-port", "0", "--bind-address", "127.0.0.1"];

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask kube test"]
async fn one_commit_one_canary() {
    let kubeconfig = kubeconfig();
    let slipway = Path::new(env!("CARGO_BIN_EXE_slipway"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (guard, scenario) = (tempfile::tempdir().unwrap(), workspace.join("examples/j1"));
    let dir = guard.path();
    let colorapi = build_colorapi(slipway, workspace).await.unwrap();
    build_images(slipway, &colorapi, dir).await.unwrap();
    let cluster = Cluster::from_kubeconfig(Some(&kubeconfig), Clock::system()).await.unwrap();
    install(slipway, &cluster).await.unwrap();

    let config = kubeconfig.display().to_string();
    let folder = dir.display().to_string();
    let node = Server::start(slipway, dir, "node", &["node", "--kubeconfig", &config, "--dir", &folder])
        .await
        .unwrap();
    let arguments = ["gateway", "--kubeconfig", &config, "--port", "0"];
    let gateway = Server::start(slipway, dir, "gateway", &arguments).await.unwrap();
    let address = gateway.ready()["gateway"].as_str().unwrap().to_owned();
    let cache = dir.join("git").display().to_string();
    let places = ["controller", "--kubeconfig", &config, "--gateway", &address, "--repository-cache", &cache];
    let flags = ["--allow-local-repositories", "--app-resync", "2s", "--app-resync-jitter", "0s"];
    let arguments: Vec<&str> = places.into_iter().chain(flags).chain(QUIET).collect();
    let controller = Server::start(slipway, dir, "controller", &arguments).await.unwrap();

    let driver =
        Processes::new(slipway, dir, &kubeconfig, address.parse().unwrap(), &scenario).await.unwrap();
    let text = std::fs::read_to_string(scenario.join("scenario.yaml")).unwrap();
    let story = Scenario::parse(&text).unwrap();
    let outcome = play(&story, &driver).await;
    let logs = ["node", "gateway", "controller"].map(|name| {
        let log = std::fs::read_to_string(dir.join(format!("{name}.log"))).unwrap_or_default();
        format!("--- {name}\n{log}")
    });
    for server in [controller, gateway, node] {
        server.stop().await;
    }
    let observed = outcome.unwrap_or_else(|error| panic!("{error}\n{}", logs.join("\n")));
    assert_eq!(observed.len(), story.steps.len());
}
