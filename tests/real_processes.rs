//! J1 with the real binary, real processes and real HTTP requests, on the embedded cluster.

use std::path::{Path, PathBuf};

use testkit::processes::{Processes, Server, build_colorapi, build_images};
use testkit::scenario::{Scenario, play};

#[tokio::test]
async fn one_commit_one_canary() {
    let slipway = Path::new(env!("CARGO_BIN_EXE_slipway"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (guard, scenario) = (tempfile::tempdir().unwrap(), workspace.join("examples/j1"));
    let dir = guard.path();
    let colorapi = build_colorapi(slipway, workspace).await.unwrap();
    build_images(slipway, &colorapi, dir).await.unwrap();
    let folder = dir.display().to_string();
    let flags = ["--port", "0", "--gateway-port", "0", "--app-resync", "2s", "--app-resync-jitter", "0s"];
    let arguments: Vec<&str> = ["dev", "--dir", &folder].into_iter().chain(flags).collect();
    let server = Server::start(slipway, dir, "dev", &arguments).await.unwrap();
    let kubeconfig = PathBuf::from(server.ready()["kubeconfig"].as_str().unwrap());
    let gateway = server.ready()["gateway"].as_str().unwrap().parse().unwrap();
    let driver = Processes::new(slipway, dir, &kubeconfig, gateway, &scenario).await.unwrap();
    let text = std::fs::read_to_string(scenario.join("scenario.yaml")).unwrap();
    let story = Scenario::parse(&text).unwrap();
    let outcome = play(&story, &driver).await;
    let log = std::fs::read_to_string(dir.join("dev.log")).unwrap_or_default();
    server.stop().await;
    let observed = outcome.unwrap_or_else(|error| panic!("{error}\n{log}"));
    assert_eq!(observed.len(), story.steps.len());
}
