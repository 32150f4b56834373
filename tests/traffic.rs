//! Real requests without a pause while everything changes: observed shares are as wanted, and no request fails.
//!
//! On `slipway dev` with its own gateway in every run; on real containers behind Contour and Envoy with
//! `cargo xtask kube traffic`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use runtime::{Clock, Cluster};
use testkit::install::{install, make_namespace};
use testkit::processes::{Processes, Server, build_colorapi, build_images};
use testkit::scenario::{Expectation, Scenario, Step, play_step};
use testkit::traffic::Traffic;
use tokio::task::JoinSet;

/// Connections over which each story's Service is asked all the time, beside the requests that are counted.
const ASKING: usize = 1;

/// Where stories are played.
#[derive(Clone)]
struct Place {
    kubeconfig: PathBuf,
    gateway: SocketAddr,
    dir: PathBuf,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_on_dev() {
    let (guard, slipway) = (tempfile::tempdir().unwrap(), slipway());
    let dir = guard.path();
    let colorapi = build_colorapi(slipway, Path::new(env!("CARGO_MANIFEST_DIR"))).await.unwrap();
    build_images(slipway, &colorapi, dir).await.unwrap();
    let folder = dir.display().to_string();
    let arguments = ["dev", "--dir", &folder, "--memory", "--port", "0", "--gateway-port", "0"];
    let server = Server::start(slipway, dir, "dev", &arguments).await.unwrap();
    let kubeconfig = PathBuf::from(server.ready()["kubeconfig"].as_str().unwrap());
    let gateway = server.ready()["gateway"].as_str().unwrap().parse().unwrap();
    let problems = play_all("dev", &Place { kubeconfig, gateway, dir: dir.to_owned() }).await;
    server.stop().await;
    let log = std::fs::read_to_string(dir.join("dev.log")).unwrap_or_default();
    assert!(problems.is_empty(), "{}\n{log}", problems.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs real containers and Envoy: cargo xtask kube traffic"]
async fn no_request_fails_behind_envoy() {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let (guard, slipway) = (tempfile::tempdir().unwrap(), slipway());
    let dir = guard.path();
    let kubeconfig = PathBuf::from(variable("SLIPWAY_KUBECONFIG"));
    let cluster = Cluster::from_kubeconfig(Some(&kubeconfig), Clock::system()).await.unwrap();
    install(slipway, &cluster).await.unwrap();
    let config = kubeconfig.display().to_string();
    let quiet =
        ["--metricsport", "0", "--healthzPort", "0", "--webhook-port", "0", "--bind-address", "127.0.0.1"];
    let arguments: Vec<&str> = ["controller", "--kubeconfig", &config].into_iter().chain(quiet).collect();
    let controller = Server::start(slipway, dir, "controller", &arguments).await.unwrap();
    let gateway = variable("SLIPWAY_GATEWAY").parse().unwrap();
    let problems = play_all("envoy", &Place { kubeconfig, gateway, dir: dir.to_owned() }).await;
    controller.stop().await;
    let log = std::fs::read_to_string(dir.join("controller.log")).unwrap_or_default();
    assert!(problems.is_empty(), "{}\n{log}", problems.join("\n"));
}

/// The binary under test.
fn slipway() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_slipway"))
}

/// Plays the stories of a folder side by side, each in the namespace of its name; returns what went wrong.
async fn play_all(folder: &str, place: &Place) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traffic").join(folder);
    let mut playing = JoinSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let (file, place) = (file.unwrap().path(), place.clone());
        playing.spawn(async move { play_one(&file, &place).await });
    }
    assert!(!playing.is_empty(), "there are no stories");
    playing.join_all().await.into_iter().filter_map(Result::err).collect()
}

/// Returns what answers in the first step of a story.
fn asked_for(story: &Scenario) -> &str {
    let mut expected = story.steps[0].expect.iter();
    let answers = expected.find(|one| matches!(one, Expectation::Answers { .. }));
    let Some(Expectation::Answers { service, .. }) = answers else {
        panic!("nothing answers in {}", story.scenario)
    };
    service
}

/// Returns how many requests the steps count.
fn requests(steps: &[Step]) -> u64 {
    let count = |one: &Expectation| match one {
        Expectation::Answers { requests, .. } => u64::from(*requests),
        _ => 0,
    };
    steps.iter().flat_map(|step| &step.expect).map(count).sum()
}

/// Plays a story; from its second step on what answers in the first is asked all the time.
async fn play_one(file: &Path, place: &Place) -> Result<(), String> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let story = Scenario::parse(&std::fs::read_to_string(file).unwrap()).unwrap();
    let dir = place.dir.join(&name);
    let processes = Processes::new(slipway(), &dir, &place.kubeconfig, place.gateway, file).await.unwrap();
    let traffic = Traffic::new(processes.within(&name, place.gateway), place.gateway);
    make_namespace(testkit::scenario::Driver::cluster(&traffic), &name).await.unwrap();
    let outcome = async {
        for (index, step) in story.steps.iter().enumerate() {
            if index == 1 {
                // Until the first version was there, requests had nowhere to go.
                traffic.forget();
                traffic.ask(asked_for(&story), ASKING);
            }
            let seen =
                play_step(index + 1, step, &traffic).await.map_err(|error| format!("{name}: {error}"))?;
            eprintln!("{name}: {} ({:.1?}): {}", seen.step, seen.took, seen.seen.join("; "));
        }
        Ok(())
    };
    let outcome: Result<(), String> = outcome.await;
    let asked = traffic.stop().await;
    eprintln!("{name}: {} requests, {} failed", asked.sent, asked.failed);
    outcome?;
    let least = requests(&story.steps[1..]);
    if asked.failed > 0 || asked.sent < least {
        return Err(format!("{name}: {asked:?}"));
    }
    Ok(())
}
