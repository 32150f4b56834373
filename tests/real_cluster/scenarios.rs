//! The scenarios of `tests/scenarios` that say `real: true`, each in a namespace of its own, side by side.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use object::{Key, Object, Value, yaml};
use runtime::{Clock, Cluster, Deletion, Patch, Selection, Tasks, resources};
use testkit::install::{apply_definitions, install};
use testkit::processes::{Processes, Server};
use testkit::scenario::{Scenario, play};
use tokio::task::JoinSet;

use crate::{QUIET, kubeconfig};

/// Scenarios that play at the same time.
const AT_ONCE: usize = 12;

/// The instance of the controller: it leaves alone what does not say that it is its own.
const INSTANCE: &str = "scenarios";

/// Scenarios that every change has to pass on a real control plane.
const GATE: [&str; 16] = [
    "canary/pauses-until-promoted",
    "canary/abort-and-retry",
    "canary/undo-midway",
    "canary/services-without-a-router",
    "blue-green/by-hand",
    "blue-green/fast-rollback",
    "analysis/another-version-ends-runs",
    "deadline/exceeded",
    "duration/aborted",
    "experiments/analysis-good",
    "gateway-api/abort-delay",
    "istio/header-route",
    "nginx/annotations",
    "alb/action",
    "metrics/job-good",
    "workload-ref/deployment",
];

/// Where things are.
#[derive(Clone)]
struct Places {
    dir: PathBuf,
    kubeconfig: PathBuf,
    pages: SocketAddr,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a control plane: cargo xtask kube test"]
async fn scenarios() {
    let slipway = Path::new(env!("CARGO_BIN_EXE_slipway"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guard = tempfile::tempdir().unwrap();
    let (dir, tasks) = (guard.path(), Tasks::new());
    let cluster = Cluster::from_kubeconfig(Some(&kubeconfig()), Clock::system()).await.unwrap();
    install(slipway, &cluster).await.unwrap();
    forget_nodes(&cluster).await;
    let routers = std::fs::read_to_string(workspace.join("tests/scenario-world/routers.yaml")).unwrap();
    apply_definitions(&cluster, &routers).await.unwrap();
    let text = std::fs::read_to_string(workspace.join("tests/scenario-world/pages.yaml")).unwrap();
    let pages: BTreeMap<String, Value> =
        yaml::document(&text).unwrap().as_object().unwrap().clone().into_iter().collect();
    let pages = testkit::pages::serve(pages, &tasks).await.unwrap();
    let places = Places { dir: dir.to_owned(), kubeconfig: kubeconfig(), pages };

    let node = simulated_node(slipway, dir).await;
    let config = places.kubeconfig.display().to_string();
    let cache = dir.join("git").display().to_string();
    let arguments = ["controller", "--kubeconfig", &config, "--repository-cache", &cache];
    let instance = ["--instance-id", INSTANCE];
    let arguments: Vec<&str> = arguments.into_iter().chain(instance).chain(QUIET).collect();
    let controller = Server::start(slipway, dir, "controller", &arguments).await.unwrap();

    let failed = play_all(&real(&workspace.join("tests/scenarios")), &places).await;
    let log = std::fs::read_to_string(dir.join("controller.log")).unwrap_or_default();
    for server in [controller, node] {
        server.stop().await;
    }
    assert!(failed.is_empty(), "{}\n--- controller\n{log}", failed.join("\n"));
}

/// Starts a node whose pods are simulated.
pub async fn simulated_node(slipway: &Path, dir: &Path) -> Server {
    let (config, folder) = (kubeconfig().display().to_string(), dir.display().to_string());
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenario-world/pods.yaml");
    let rules = rules.display().to_string();
    let simulated = ["--simulate-pods", "--pod-rules", &rules, "--name", "simulated"];
    let node = ["node", "--kubeconfig", &config, "--dir", &folder];
    let arguments: Vec<&str> = node.into_iter().chain(simulated).collect();
    Server::start(slipway, dir, "node", &arguments).await.unwrap()
}

/// Deletes the nodes of other tests, which have ended: the scheduler would still give them pods.
pub async fn forget_nodes(cluster: &Cluster) {
    for node in cluster.list(&resources::NODES, None, &Selection::default()).await.unwrap() {
        cluster.delete(&resources::NODES, &node.key(), &Deletion::default()).await.unwrap();
    }
}

/// Returns whether a scenario is played: those of the gate, or those that `SLIPWAY_SCENARIOS` names by a part of their path,
/// or all of them with `SLIPWAY_SCENARIOS=all`.
fn chosen(file: &Path) -> bool {
    let path = file.with_extension("").display().to_string();
    match std::env::var("SLIPWAY_SCENARIOS") {
        Ok(all) if all == "all" => true,
        Ok(part) => path.contains(&part),
        Err(_) => GATE.iter().any(|name| path.ends_with(name)),
    }
}

/// Returns the scenarios for a real control plane, in order.
fn real(folder: &Path) -> Vec<(PathBuf, Scenario)> {
    let mut files: Vec<PathBuf> = Vec::new();
    for theme in std::fs::read_dir(folder).unwrap() {
        files.extend(std::fs::read_dir(theme.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    files.sort();
    let read = |file: PathBuf| {
        let scenario = Scenario::parse(&std::fs::read_to_string(&file).unwrap());
        let scenario = scenario.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        (scenario.real && chosen(&file)).then_some((file, scenario))
    };
    let found: Vec<_> = files.into_iter().filter_map(read).collect();
    assert!(!found.is_empty(), "no scenario says real: true");
    found
}

/// Plays the scenarios, some at once; returns what failed.
async fn play_all(scenarios: &[(PathBuf, Scenario)], places: &Places) -> Vec<String> {
    let (mut playing, mut failed) = (JoinSet::new(), Vec::new());
    for (file, scenario) in scenarios {
        if playing.len() == AT_ONCE
            && let Some(ended) = playing.join_next().await
        {
            failed.extend(outcome(ended));
        }
        let (file, scenario, places) = (file.clone(), scenario.clone(), places.clone());
        playing.spawn(async move { play_one(&file, &scenario, &places).await });
    }
    while let Some(ended) = playing.join_next().await {
        failed.extend(outcome(ended));
    }
    failed
}

fn outcome(ended: Result<Result<(), String>, tokio::task::JoinError>) -> Option<String> {
    match ended {
        Ok(Ok(())) => None,
        Ok(Err(problem)) => Some(problem),
        Err(error) => Some(error.to_string()),
    }
}

/// Returns the scenario with all Rollouts and what belongs to them given to [`INSTANCE`].
fn labelled(mut scenario: Scenario) -> Scenario {
    let manifests = scenario.steps.iter_mut().flat_map(|step| &mut step.apply);
    for manifest in manifests.filter(|manifest| manifest["apiVersion"] == "argoproj.io/v1alpha1") {
        manifest["metadata"]["labels"]["argo-rollouts.argoproj.io/controller-instance-id"] = INSTANCE.into();
    }
    scenario
}

async fn play_one(file: &Path, scenario: &Scenario, places: &Places) -> Result<(), String> {
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = format!("{}-{}", stem(file.parent().unwrap_or(file)), stem(file));
    let said = |problem: &dyn std::fmt::Display| format!("{name}: {problem}");
    let dir = places.dir.join(&name);
    let slipway = Path::new(env!("CARGO_BIN_EXE_slipway"));
    let driver = Processes::new(slipway, &dir, &places.kubeconfig, places.pages, file).await;
    let driver = driver.map_err(|error| said(&error))?.within(&name, places.pages);
    let object = Object::new(&resources::NAMESPACES.gvk(), &Key::new("", &name));
    let patch = Patch::apply(object.to_value(), "scenario").force();
    let cluster = testkit::scenario::Driver::cluster(&driver);
    let made = cluster.patch(&resources::NAMESPACES, &object.key(), &patch).await;
    made.map_err(|error| said(&error))?;
    let observed = play(&labelled(scenario.clone()), &driver).await.map_err(|error| said(&error))?;
    eprintln!("{name}: {} steps were observed", observed.len());
    Ok(())
}
