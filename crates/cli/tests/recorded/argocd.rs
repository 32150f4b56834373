//! The verbs of `argocd` against recorded cases.

mod all;
mod changes;
mod operations;
mod rebuilt;
mod source;
mod views;

use std::path::Path;

use cli::Colour;
use object::{Object, Time, Value, json, yaml};

use crate::api::Api;
use crate::case::{Case, Outcome, play};

/// Returns a recorded Application.
fn application(name: &str) -> Object {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/app-status").join(format!("{name}.yaml"));
    Object::from_value(yaml::document(&std::fs::read_to_string(path).unwrap()).unwrap())
}

fn case(name: &str) -> Case {
    Case::all("cli-argocd")
        .into_iter()
        .find(|case| case.name == name)
        .unwrap_or_else(|| panic!("no case {name}"))
}

/// Returns the settings and projects that all cases have.
fn surroundings() -> Vec<Object> {
    let project = |name: &str| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"namespace": "argocd", "name": name},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}})
    };
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "argocd", "name": "argocd-cm"}, "data": {"url": "http://127.0.0.1:8480"}});
    let projects = ["default", "win", "orph"].map(project);
    let recorded = application("appproject-team-a");
    projects.into_iter().chain([settings]).map(Object::from_value).chain([recorded]).collect()
}

/// What is live of an Application's resources.
#[derive(Clone, Copy)]
enum Live {
    /// All of them, healthy.
    Healthy,
    /// All but this one, by `Kind/name`.
    Without(&'static str),
    /// None.
    Nothing,
}

fn live_objects(app: &Object, live: Live) -> Vec<Object> {
    let exists = |entry: &&Value| match live {
        Live::Healthy => true,
        Live::Without(name) => {
            name != format!("{}/{}", entry["kind"].as_str().unwrap(), entry["name"].as_str().unwrap())
        }
        Live::Nothing => false,
    };
    app.items(&["status", "resources"]).iter().filter(exists).map(stub).collect()
}

fn stub(entry: &Value) -> Object {
    let group = entry["group"].as_str().map(|group| format!("{group}/")).unwrap_or_default();
    let mut object = Object::from_value(json!({
        "apiVersion": format!("{group}{}", entry["version"].as_str().unwrap()), "kind": entry["kind"],
        "metadata": {"name": entry["name"], "namespace": entry["namespace"], "uid": "u"}
    }));
    match object.kind() {
        "Deployment" => {
            object.set(&["spec", "replicas"], 1);
            object.set(&["status"], json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}));
        }
        "Job" => object.set(&["status", "conditions"], json!([{"type": "Complete", "status": "True"}])),
        _ => {}
    }
    object
}

fn api(app: Option<&Object>, live: Live) -> Api {
    let mut objects = surroundings();
    if let Some(app) = app {
        objects.push(app.clone());
        objects.extend(live_objects(app, live));
    }
    Api::new(objects)
}

/// Runs the recorded command; the clock shows the time on the recorded log line, if there is one.
async fn run(case: &Case, api: &Api) -> Outcome {
    play_case(case.arguments_in_folder(), log_time(&case.text("stderr.txt")), api).await
}

/// The same, without a look at the repository.
async fn run_unchecked(case: &Case, api: &Api) -> Outcome {
    let mut arguments = case.arguments_in_folder();
    arguments.push("--validate=false".into());
    let recorded = case.text("stderr.txt");
    play_case(arguments, log_time(&recorded), api).await
}

fn log_time(recorded: &str) -> Time {
    let time = recorded.rsplit_once("\"time\":\"").map_or("2026-11-21T10:40:00Z", |(_, rest)| &rest[..20]);
    Time::parse(time).unwrap()
}

async fn play_case(arguments: Vec<std::ffi::OsString>, now: Time, api: &Api) -> Outcome {
    play(api, now, Colour::Off, async |session| cli::argocd::run(arguments, session).await).await
}

#[track_caller]
fn assert_same(case: &Case, got: &Outcome) {
    let wanted = case.recorded();
    assert!(
        *got == wanted,
        "{}: wanted\n{}{}exit {}\n---- got\n{}{}exit {}",
        case.name,
        wanted.out,
        wanted.err,
        wanted.exit,
        got.out,
        got.err,
        got.exit
    );
}
