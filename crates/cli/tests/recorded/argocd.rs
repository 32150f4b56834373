//! The verbs of `argocd` against recorded cases.

use std::path::Path;

use cli::Colour;
use object::{Object, Time, Value, json, yaml};

use crate::api::Api;
use crate::case::{Case, Outcome, play};
use crate::repository;

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
        "metadata": {"namespace": "argocd", "name": name}})
    };
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "argocd", "name": "argocd-cm"}, "data": {"url": "http://127.0.0.1:8480"}});
    let projects = ["default", "win", "orph", "team-a"].map(project);
    projects.into_iter().chain([settings]).map(Object::from_value).collect()
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
    /// All, with a Deployment that got nowhere.
    Degraded,
}

fn live_objects(app: &Object, live: Live) -> Vec<Object> {
    let exists = |entry: &&Value| match live {
        Live::Healthy | Live::Degraded => true,
        Live::Without(name) => {
            name != format!("{}/{}", entry["kind"].as_str().unwrap(), entry["name"].as_str().unwrap())
        }
        Live::Nothing => false,
    };
    app.items(&["status", "resources"]).iter().filter(exists).map(|entry| stub(entry, live)).collect()
}

fn stub(entry: &Value, live: Live) -> Object {
    let group = entry["group"].as_str().map(|group| format!("{group}/")).unwrap_or_default();
    let mut object = Object::from_value(json!({
        "apiVersion": format!("{group}{}", entry["version"].as_str().unwrap()), "kind": entry["kind"],
        "metadata": {"name": entry["name"], "namespace": entry["namespace"], "uid": "u"}
    }));
    match (object.kind(), live) {
        ("Deployment", Live::Degraded) => {
            object.set(
                &["status", "conditions"],
                json!([{"type": "Progressing", "status": "False",
                "reason": "ProgressDeadlineExceeded"}]),
            );
        }
        ("Deployment", _) => {
            object.set(&["spec", "replicas"], 1);
            object.set(&["status"], json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}));
        }
        ("Job", _) => object.set(&["status", "conditions"], json!([{"type": "Complete", "status": "True"}])),
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
    let recorded = case.text("stderr.txt");
    let time = recorded.rsplit_once("\"time\":\"").map_or("2026-11-21T10:40:00Z", |(_, rest)| &rest[..20]);
    let now = Time::parse(time).unwrap();
    let arguments = case.arguments_in_folder();
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

#[tokio::test(start_paused = true)]
async fn views_are_those_recorded() {
    let table = [
        ("app-get", "05-synced-healthy", Live::Healthy),
        ("app-get-wide", "05-synced-healthy", Live::Healthy),
        ("app-get-refresh", "05-synced-healthy", Live::Healthy),
        ("app-get-show-operation", "05-synced-healthy", Live::Healthy),
        ("app-get-out-of-sync", "02-out-of-sync-missing", Live::Nothing),
        ("app-get-automated", "08-automated", Live::Healthy),
        ("app-get-degraded", "26-degraded", Live::Degraded),
        ("app-get-comparison-error", "27-comparison-error", Live::Healthy),
        ("app-get-hooks", "20-hooks-synced", Live::Without("ConfigMap/skipped")),
        ("app-get-info", "46-ignore-differences", Live::Healthy),
        ("app-get-multi", "34-multi-source", Live::Healthy),
        ("app-get-sync-failed", "24-sync-failed", Live::Without("Service/not-fine")),
        ("app-get-waves", "21-waves-synced", Live::Healthy),
        ("app-get-deleting", "54-delete-waits-for-confirm", Live::Healthy),
        (
            "app-get-resource-missing",
            "10-out-of-sync-resource-deleted",
            Live::Without("Service/guestbook-ui"),
        ),
        ("app-get-drift", "06-out-of-sync-drift", Live::Healthy),
        ("app-get-after-revision-sync", "07-synced-to-other-revision", Live::Healthy),
        ("app-get-parent", "35-app-of-apps-parent", Live::Healthy),
        ("app-get-auto", "32-auto-synced", Live::Healthy),
        ("app-get-orphaned", "52-orphaned-warning", Live::Healthy),
        ("app-get-empty-refused", "51-auto-prune-refuses-empty", Live::Healthy),
        ("app-get-retrying", "47-auto-sync-retrying", Live::Without("Service/not-fine")),
        ("app-get-kind-not-permitted", "53-kind-not-permitted", Live::Nothing),
        ("app-get-shared", "42-shared-resource-warning", Live::Healthy),
        ("app-history", "05-synced-healthy", Live::Healthy),
        ("app-history-id", "05-synced-healthy", Live::Healthy),
        ("app-history-empty", "02-out-of-sync-missing", Live::Healthy),
        ("app-history-two", "07-synced-to-other-revision", Live::Healthy),
        ("app-history-multi", "34-multi-source", Live::Healthy),
        ("app-list", "02-out-of-sync-missing", Live::Nothing),
        ("app-list-wide", "02-out-of-sync-missing", Live::Nothing),
        ("app-list-name", "02-out-of-sync-missing", Live::Nothing),
        ("app-list-selector", "02-out-of-sync-missing", Live::Nothing),
        ("app-list-repo", "02-out-of-sync-missing", Live::Nothing),
        ("app-list-project", "02-out-of-sync-missing", Live::Nothing),
        ("app-list-table", "02-out-of-sync-missing", Live::Nothing),
        ("app-list-synced", "05-synced-healthy", Live::Healthy),
        ("app-resources", "05-synced-healthy", Live::Healthy),
        ("app-resources-before-sync", "02-out-of-sync-missing", Live::Nothing),
        ("app-manifests-live-empty", "02-out-of-sync-missing", Live::Nothing),
        ("app-wait", "05-synced-healthy", Live::Healthy),
        ("app-wait-degraded-flag", "26-degraded", Live::Degraded),
    ];
    let mut wrong = Vec::new();
    for (name, input, live) in table {
        let case = case(name);
        let app = application(input);
        let (got, wanted) = (run(&case, &api(Some(&app), live)).await, case.recorded());
        if got != wanted {
            wrong.push(name);
            eprintln!("--- {name}: wanted\n{}{}exit {}", wanted.out, wanted.err, wanted.exit);
            eprintln!("--- {name}: got\n{}{}exit {}", got.out, got.err, got.exit);
        }
    }
    assert!(wrong.is_empty(), "{} differ: {wrong:?}", wrong.len());
}

#[tokio::test(start_paused = true)]
async fn refusals_are_those_recorded() {
    let table = [
        ("app-get-missing", "05-synced-healthy"),
        ("app-get-unknown-project", "28-unknown-project"),
        ("app-wait-missing-app", "05-synced-healthy"),
        ("app-delete-missing", "05-synced-healthy"),
        ("app-delete-selector-none", "05-synced-healthy"),
        ("app-create-err-no-dest", "05-synced-healthy"),
        ("app-create-err-no-repo", "05-synced-healthy"),
        ("app-create-err-bad-project", "05-synced-healthy"),
        ("app-create-err-bad-flag", "05-synced-healthy"),
        ("app-sync-resource-bad-syntax", "05-synced-healthy"),
        ("app-sync-resource-missing", "05-synced-healthy"),
        ("app-sync-selector-none", "05-synced-healthy"),
        ("app-sync-revision-automated", "32-auto-synced"),
        ("app-rollback-automated", "08-automated"),
        ("app-rollback-missing", "05-synced-healthy"),
        ("app-terminate-op-none", "05-synced-healthy"),
    ];
    for (name, input) in table {
        let case = case(name);
        let api = api(Some(&application(input)), Live::Healthy);
        assert_same(&case, &run(&case, &api).await);
        assert_eq!(api.writes(), [], "{name} wrote something");
    }
}

/// Returns the spec of the only Application.
fn spec(api: &Api) -> Value {
    api.objects()
        .iter()
        .find(|object| object.kind() == "Application")
        .unwrap()
        .get(&["spec"])
        .unwrap()
        .clone()
}

#[tokio::test(start_paused = true)]
async fn create_makes_the_recorded_application_and_only_once() {
    let api = api(None, Live::Nothing);
    let wanted = application("02-out-of-sync-missing");
    let created = case("app-create");
    assert_same(&created, &run(&created, &api).await);
    assert_eq!(Some(&spec(&api)), wanted.get(&["spec"]));
    for name in ["app-create-same-again", "app-create-differs-no-upsert"] {
        let case = case(name);
        assert_same(&case, &run(&case, &api).await);
        assert_eq!(Some(&spec(&api)), wanted.get(&["spec"]), "{name}");
    }
    let upsert = case("app-create-upsert");
    assert_same(&upsert, &run(&upsert, &api).await);
    assert_eq!(Some(&spec(&api)), application("05-synced-healthy").get(&["spec"]));
    let app = api.objects().into_iter().find(|object| object.kind() == "Application").unwrap();
    assert_eq!(app.label("team"), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn create_reads_files() {
    let (api, case) = (api(None, Live::Nothing), case("app-create-file"));
    assert_same(&case, &run(&case, &api).await);
    assert_eq!(Some(&spec(&api)), application("34-multi-source").get(&["spec"]));
}

#[tokio::test(start_paused = true)]
async fn set_and_unset_change_the_spec() {
    let revision = |value: &str| json!({"source": {"targetRevision": value}});
    let automated = json!({"syncPolicy": {"automated": {"prune": true, "selfHeal": true}}});
    let table = [
        ("app-set", "05-synced-healthy", revision("next")),
        ("app-set-revision-tag", "23-pruned", revision("v1.1.0")),
        ("app-set-sync-policy", "05-synced-healthy", automated),
        ("app-set-sync-none", "08-automated", json!({"syncPolicy": {"automated": null}})),
        (
            "app-set-param",
            "31-helm",
            json!({"source": {"helm": {"parameters": [{"name": "replicas", "value": "5"}]}}}),
        ),
    ];
    for (name, input, change) in table {
        let (case, app) = (case(name), application(input));
        let api = api(Some(&app), Live::Healthy);
        assert_same(&case, &run(&case, &api).await);
        let mut wanted = app.get(&["spec"]).unwrap().clone();
        patch::merge::apply(&mut wanted, &change);
        assert_eq!(spec(&api), wanted, "{name}");
    }
    let (unset, mut helm) = (case("app-unset-param"), application("31-helm"));
    let replicas = helm.items(&["spec", "source", "helm", "parameters"]).to_vec();
    let colour = json!({"name": "colour", "value": "blue"});
    helm.set(&["spec", "source", "helm", "parameters"], [vec![colour], replicas.clone()].concat());
    let api = api(Some(&helm), Live::Healthy);
    assert_same(&unset, &run(&unset, &api).await);
    assert_eq!(spec(&api)["source"]["helm"]["parameters"], Value::from(replicas));
    sources_are_set_by_position().await;
}

async fn sources_are_set_by_position() {
    let (case, app) = (case("app-set-source-position"), application("34-multi-source"));
    let api = api(Some(&app), Live::Healthy);
    assert_same(&case, &run(&case, &api).await);
    assert_eq!(spec(&api)["sources"][1]["targetRevision"], "main");
    assert_eq!(spec(&api)["sources"][0], app.items(&["spec", "sources"])[0]);
}

/// Returns the Application with health beside each status, as it is while an operation runs.
fn with_health(mut app: Object, health: &[&str]) -> Object {
    let mut entries = app.items(&["status", "resources"]).to_vec();
    for (entry, health) in entries.iter_mut().zip(health) {
        entry["health"] = json!({"status": health});
    }
    app.set(&["status", "resources"], entries);
    app
}

#[tokio::test(start_paused = true)]
async fn sync_prints_each_change_and_the_result() {
    let before = with_health(application("02-out-of-sync-missing"), &["Missing", "Missing"]);
    let after = application("05-synced-healthy");
    let operation = after.get(&["status", "operationState"]).unwrap().clone();
    let mut running = before.clone();
    running.set(&["status", "operationState"], operation.clone());
    running.remove(&["status", "operationState", "finishedAt"]);
    let mut beginning = running.clone();
    let results = ["status", "operationState", "syncResult", "resources"];
    beginning.set(&results, running.items(&results)[..1].to_vec());
    let mut synced = with_health(after.clone(), &["Healthy", "Progressing"]);
    synced.remove(&["status", "operationState", "finishedAt"]);
    let case = case("app-sync");
    let api = api(Some(&before), Live::Healthy);
    api.script(vec![beginning, running, synced, with_health(after, &["Healthy", "Healthy"])]);
    let arguments = case.arguments();
    let now = Time::parse("2026-11-21T10:21:18Z").unwrap();
    let got = play(&api, now, Colour::Off, async |session| cli::argocd::run(arguments, session).await).await;
    assert_same(&case, &got);
    let writes = api.writes();
    assert_eq!(
        writes[0].body["operation"]["sync"],
        json!({
            "syncStrategy": {"hook": {}}, "syncOptions": ["CreateNamespace=true"]
        })
    );
    assert_eq!(writes.len(), 2, "the operation and a refresh: {writes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_sync_fails_the_command() {
    for (name, input) in
        [("app-sync-failed", "24-sync-failed"), ("app-sync-without-prune", "22-prune-skipped")]
    {
        let (case, app) = (case(name), application(input));
        let api = api(Some(&app), Live::Healthy);
        api.script(vec![app]);
        let got = run(&case, &api).await;
        let wanted = case.recorded();
        assert_eq!((got.exit, got.err), (wanted.exit, wanted.err), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_asynchronous_sync_only_asks() {
    let (case, mut app) = (case("app-sync-async"), application("05-synced-healthy"));
    app.set(&["metadata", "name"], "kust");
    let api = api(Some(&app), Live::Healthy);
    assert_same(&case, &run(&case, &api).await);
    assert_eq!(api.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_time_given() {
    let case = case("app-wait-timeout");
    let api = api(Some(&application("02-out-of-sync-missing")), Live::Nothing);
    let arguments = case.arguments();
    let now = Time::parse("2026-11-21T10:21:13Z").unwrap();
    let got = play(&api, now, Colour::Off, async |session| cli::argocd::run(arguments, session).await).await;
    let mut sorted: Vec<String> = got.out.lines().map(str::to_owned).collect();
    let mut wanted: Vec<String> = case.recorded().out.lines().map(str::to_owned).collect();
    // The recorded program prints the resources of one change in no particular order.
    (sorted[1..3].sort(), wanted[1..3].sort());
    assert_eq!(sorted, wanted);
    assert_eq!((got.exit, got.err), (case.recorded().exit, case.recorded().err));
}

#[tokio::test(start_paused = true)]
async fn delete_leaves_or_takes_the_resources() {
    let table = [
        ("app-delete", "21-waves-synced", json!(["resources-finalizer.argocd.argoproj.io"])),
        ("app-delete-no-cascade", "31-helm", json!([])),
        ("app-delete-no-tty", "23-pruned", json!(["resources-finalizer.argocd.argoproj.io"])),
    ];
    for (name, input, finalizers) in table {
        let (case, mut app) = (case(name), application(input));
        let asked = case.arguments()[2].to_str().unwrap().to_owned();
        app.set(&["metadata", "name"], asked);
        app.set(&["metadata", "finalizers"], json!(["resources-finalizer.argocd.argoproj.io/background"]));
        let api = api(Some(&app), Live::Healthy);
        assert_same(&case, &run(&case, &api).await);
        let writes = api.writes();
        assert_eq!(writes[0].body["metadata"]["finalizers"], finalizers, "{name}");
        assert_eq!(writes[1].method, "DELETE", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn terminate_asks_the_running_operation_to_stop() {
    let (case, mut app) = (case("app-terminate-op"), application("47-auto-sync-retrying"));
    app.set(&["operation"], json!({"sync": {}}));
    let api = api(Some(&app), Live::Healthy);
    assert_same(&case, &run(&case, &api).await);
    assert_eq!(api.writes()[0].body, json!({"status": {"operationState": {"phase": "Terminating"}}}));
}

#[tokio::test(start_paused = true)]
async fn objects_are_printed_whole() {
    let app = application("05-synced-healthy");
    let api = api(Some(&app), Live::Healthy);
    for (name, read) in [("app-get-json", "json"), ("app-list-yaml", "yaml")] {
        let got = run(&case(name), &api).await;
        assert_eq!(got.exit, 0, "{name}: {}", got.err);
        let value = yaml::document(&got.out).unwrap();
        let value = if value.is_array() { value[0].clone() } else { value };
        assert_eq!(Some(&value["spec"]), app.get(&["spec"]), "{read}");
        assert_eq!(value["metadata"]["name"], "guestbook");
        assert!(value.get("kind").is_none());
    }
    let mut recorded = yaml::document(&case("app-get-json").text("stdout.txt")).unwrap();
    recorded["metadata"].as_object_mut().unwrap().remove("managedFields");
    let got = yaml::document(&run(&case("app-get-json"), &api).await.out).unwrap();
    assert_eq!(got, recorded);
}

#[tokio::test(start_paused = true)]
async fn helm_parameters_are_shown_when_asked_for() {
    let got = run(&case("app-get-helm"), &api(Some(&application("31-helm")), Live::Healthy)).await;
    assert!(
        got.out.contains("Health Status:      Healthy\n\n\nNAME      VALUE\nreplicas  5\n\nGROUP"),
        "{}",
        got.out
    );
}

/// Returns the Application with a repository of ours instead of the recorded one.
fn moved(mut app: Object, url: &str) -> Object {
    app.set(&["spec", "source", "repoURL"], url);
    app
}

/// Makes a repository of the recorded content; it is there as long as the folder.
fn recorded_repository() -> (tempfile::TempDir, String) {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli-argocd/_repo");
    let folder = tempfile::tempdir().unwrap();
    let url = repository::commit(&content, &folder.path().join("repo"));
    (folder, url)
}

#[tokio::test]
async fn diff_shows_what_a_sync_would_make() {
    let (_folder, url) = recorded_repository();
    let app = moved(application("02-out-of-sync-missing"), &url);
    let api = api(Some(&app), Live::Nothing);
    let case = case("app-diff-missing-objects");
    assert_same(&case, &run(&case, &api).await);
}

#[tokio::test]
async fn diff_is_silent_until_something_drifts() {
    let (_folder, url) = recorded_repository();
    let app = moved(application("05-synced-healthy"), &url);
    let targets = run(&case("app-manifests-git"), &api(Some(&app), Live::Nothing)).await;
    let live: Vec<Object> =
        yaml::documents(&targets.out).unwrap().into_iter().map(Object::from_value).collect();
    let with = |replicas: i64| {
        let mut objects = surroundings();
        objects.push(app.clone());
        for mut object in live.clone() {
            if object.kind() == "Deployment" {
                object.set(&["spec", "replicas"], replicas);
            }
            objects.push(object);
        }
        Api::new(objects)
    };
    let none = case("app-diff-none");
    assert_same(&none, &run(&none, &with(1)).await);
    let drift = case("app-diff-drift");
    let got = run(&drift, &with(3)).await;
    // The line numbers count fields that the recorded API server added.
    let changes =
        |text: &str| text.lines().filter(|line| !line.contains('c')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((changes(&got.out), got.exit), (changes(&drift.recorded().out), 1), "{got:?}");
}
