//! J1 on a real Kubernetes: kube-apiserver, controller manager and scheduler of upstream, Slipway's own node, gateway and
//! controllers. Run it with `cargo xtask kube test`, which starts the control plane.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use object::{Key, Object, yaml};
use runtime::{Clock, Cluster, Patch, resources};
use testkit::processes::{Processes, Server, build_colorapi, build_images};
use testkit::scenario::{Scenario, play};

#[path = "real_cluster/scenarios.rs"]
mod scenarios;

/// Returns the kubeconfig of the control plane.
fn kubeconfig() -> PathBuf {
    PathBuf::from(std::env::var("SLIPWAY_KUBECONFIG").expect("SLIPWAY_KUBECONFIG names a kubeconfig"))
}

/// Ports and addresses of a controller beside others.
const QUIET: [&str; 8] =
    ["--metricsport", "0", "--healthzPort", "0", "--webhook-port", "0", "--bind-address", "127.0.0.1"];

/// Applies our definitions, as `slipway crds` prints them, and the namespaces that the controllers use.
async fn install(slipway: &Path, cluster: &Cluster) {
    let output = std::process::Command::new(slipway).arg("crds").output().unwrap();
    assert!(output.status.success());
    apply_definitions(cluster, &String::from_utf8(output.stdout).unwrap()).await;
    for name in ["argocd", "argo-rollouts"] {
        let namespace = Object::new(&resources::NAMESPACES.gvk(), &Key::new("", name));
        let patch = Patch::apply(namespace.to_value(), "test").force();
        cluster.patch(&resources::NAMESPACES, &namespace.key(), &patch).await.unwrap();
    }
}

/// Applies the definitions in a YAML text.
async fn apply_definitions(cluster: &Cluster, text: &str) {
    for definition in yaml::documents(text).unwrap() {
        let definition = Object::parse(definition).unwrap();
        let patch = Patch::apply(definition.to_value(), "test").force();
        cluster.patch(&resources::CRDS, &definition.key(), &patch).await.unwrap();
    }
}

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
    install(slipway, &cluster).await;

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
