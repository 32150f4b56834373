//! Every recorded command about Applications, each in the world that it was recorded in. A case that is not played here
//! must stand in `not-yet.txt` with its reason, and a case that stands there must fail.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use cli::Colour;
use object::{Object, Time, json, yaml};

use super::rebuilt::{comparable, listed, states};
use super::{Live, application, live_objects, surroundings};
use crate::api::Api;
use crate::case::{Case, Outcome, play};
use crate::repository;
use crate::served::Served;

/// What there was when a case was recorded.
#[derive(Clone, Copy)]
enum World {
    /// A recorded Application, and what was live of it.
    App(&'static str, Live),
    /// The same, with the name that the command gives.
    Named(&'static str, Live),
    /// A recorded Application with a change.
    Changed(&'static str, fn(&mut Object)),
    /// A recorded Application with objects that own others.
    Tree,
    /// What the command printed tells what there was.
    Rebuilt,
    /// The same, of a table of Applications.
    Listed,
    /// The same, of names.
    Names,
    /// The Applications are printed as JSON or YAML.
    Printed,
    /// The live objects are printed.
    LivePrinted(&'static str),
    /// The live objects are what the source says, with other counts of pods.
    Drifted(&'static str, i64),
    /// One live object is printed as lines of a difference.
    DiffPrinted(&'static str),
    /// A folder of this machine, in which `v1` became `v9`; the Deployment is live.
    Local(&'static str),
    /// No Application.
    Nothing,
    /// The embedded API server, with no Application.
    Served,
}

use World::{App, DiffPrinted, Drifted, LivePrinted, Named, Nothing, Printed, Rebuilt};

const SYNCED: World = App("05-synced-healthy", Live::Healthy);
const MISSING: World = App("02-out-of-sync-missing", Live::Nothing);

/// Cases and their worlds; all others that print a page of an Application are rebuilt from it.
const WORLDS: &[(&str, World)] = &[
    ("app-create", Nothing),
    ("app-create-appname-positional-and-file", Nothing),
    ("app-create-differs-no-upsert", MISSING),
    ("app-create-err-bad-cluster", Nothing),
    ("app-create-err-bad-flag", Nothing),
    ("app-create-err-bad-name", World::Served),
    ("app-create-err-bad-path", Nothing),
    ("app-create-err-bad-project", Nothing),
    ("app-create-err-bad-repo", Nothing),
    ("app-create-err-bad-revision", Nothing),
    ("app-create-err-broken-manifest", Nothing),
    ("app-create-err-no-args", Nothing),
    ("app-create-err-no-dest", Nothing),
    ("app-create-err-no-repo", Nothing),
    ("app-create-err-project-denies", Nothing),
    ("app-create-file", Nothing),
    ("app-create-helm", Nothing),
    ("app-create-hooks", Nothing),
    ("app-create-kustomize", Nothing),
    ("app-create-same-again", MISSING),
    ("app-create-upsert", MISSING),
    ("app-add-source", App("34-multi-source", Live::Healthy)),
    ("app-confirm-deletion", App("54-delete-waits-for-confirm", Live::Healthy)),
    ("app-patch-json", Printed),
    ("app-patch-merge", Printed),
    ("app-remove-source", World::Changed("34-multi-source", with_third_source)),
    ("app-delete", Named("21-waves-synced", Live::Healthy)),
    ("app-delete-answer-no", Named("23-pruned", Live::Healthy)),
    ("app-delete-missing", Nothing),
    ("app-delete-needs-confirm", Named("54-delete-waits-for-confirm", Live::Healthy)),
    ("app-delete-no-cascade", Named("31-helm", Live::Healthy)),
    ("app-delete-no-tty", Named("23-pruned", Live::Healthy)),
    ("app-delete-selector-none", SYNCED),
    ("app-diff-drift", Drifted("05-synced-healthy", 3)),
    ("app-diff-drift-code-2", Drifted("05-synced-healthy", 3)),
    ("app-diff-exit-zero", MISSING),
    ("app-diff-local", World::Local("05-synced-healthy")),
    ("app-diff-missing-objects", MISSING),
    ("app-diff-none", Drifted("05-synced-healthy", 1)),
    ("app-diff-prune", DiffPrinted("22-prune-skipped")),
    ("app-diff-revision", Drifted("05-synced-healthy", 3)),
    ("app-get-after-confirm", Nothing),
    ("app-get-comparison-error", App("27-comparison-error", Live::Healthy)),
    ("app-get-deleting", App("54-delete-waits-for-confirm", Live::Healthy)),
    ("app-get-json", Printed),
    ("app-get-json-missing", Printed),
    ("app-get-missing", Nothing),
    ("app-get-empty-refused", App("51-auto-prune-refuses-empty", Live::Healthy)),
    ("app-get-kind-not-permitted", App("53-kind-not-permitted", Live::Nothing)),
    ("app-get-orphaned", App("52-orphaned-warning", Live::Healthy)),
    ("app-get-retrying", App("47-auto-sync-retrying", Live::Without("Service/not-fine"))),
    ("app-get-shared", App("42-shared-resource-warning", Live::Healthy)),
    ("app-get-tree", World::Tree),
    ("app-get-tree-detailed", World::Tree),
    ("app-get-unknown-project", App("28-unknown-project", Live::Healthy)),
    ("app-history", SYNCED),
    ("app-history-empty", MISSING),
    ("app-history-id", SYNCED),
    ("app-history-multi", App("34-multi-source", Live::Healthy)),
    ("app-history-two", App("07-synced-to-other-revision", Live::Healthy)),
    ("app-list", World::Listed),
    ("app-list-appset", World::Names),
    ("app-list-conditions", World::Listed),
    ("app-list-empty", Nothing),
    ("app-list-json", Printed),
    ("app-list-name", MISSING),
    ("app-list-output-wide-many", World::Listed),
    ("app-list-project", World::Listed),
    ("app-list-repo", MISSING),
    ("app-list-selector", MISSING),
    ("app-list-synced", World::Listed),
    ("app-list-table", World::Listed),
    ("app-list-wide", World::Listed),
    ("app-list-yaml", Printed),
    ("app-manifests-git", MISSING),
    ("app-manifests-live", LivePrinted("05-synced-healthy")),
    ("app-manifests-live-empty", MISSING),
    ("app-manifests-local-revision", SYNCED),
    ("app-resources", SYNCED),
    ("app-resources-before-sync", MISSING),
    ("app-resources-tree", World::Tree),
    ("app-rollback-automated", App("08-automated", Live::Healthy)),
    ("app-rollback-missing", SYNCED),
    ("app-set", SYNCED),
    ("app-set-nothing", SYNCED),
    ("app-set-param", App("31-helm", Live::Healthy)),
    ("app-set-revision-tag", App("23-pruned", Live::Healthy)),
    ("app-set-source-position", App("34-multi-source", Live::Healthy)),
    ("app-set-sync-none", App("08-automated", Live::Healthy)),
    ("app-set-sync-policy", SYNCED),
    ("app-sync-async", Named("05-synced-healthy", Live::Healthy)),
    ("app-sync-json", World::Named("47-auto-sync-retrying", Live::Nothing)),
    ("app-sync-local", SYNCED),
    ("app-sync-local-automated", App("32-auto-synced", Live::Healthy)),
    ("app-sync-denied-by-window", Named("05-synced-healthy", Live::Healthy)),
    ("app-sync-resource-bad-syntax", SYNCED),
    ("app-sync-resource-missing", SYNCED),
    ("app-sync-revision-automated", App("32-auto-synced", Live::Healthy)),
    ("app-sync-selector-none", SYNCED),
    ("app-terminate-op", App("47-auto-sync-retrying", Live::Healthy)),
    ("app-terminate-op-none", SYNCED),
    ("app-unset-none", App("31-helm", Live::Healthy)),
    ("app-unset-param", World::Changed("31-helm", with_colour)),
    ("app-wait-missing-app", Nothing),
];

/// A command that takes longer, by the virtual clock, does not end.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Where the recorded repository was.
const RECORDED: &str = "http://127.0.0.1:3000/";

/// The recorded repository, made again.
struct Repository {
    folder: tempfile::TempDir,
    base: String,
}

impl Repository {
    fn make() -> Self {
        let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli-argocd/_repo");
        let folder = tempfile::tempdir().unwrap();
        repository::recorded(&content, &folder.path().join("guestbook.git"));
        let base = format!("file://{}/", folder.path().display());
        Self { folder, base }
    }

    /// Returns the objects with the addresses that hold here.
    fn here(&self, objects: &[Object]) -> Vec<Object> {
        let text = serde_json::to_string(objects).unwrap().replace(RECORDED, &self.base);
        serde_json::from_str(&text).unwrap()
    }

    /// Returns the arguments with the addresses that hold here, in files too.
    fn arguments(&self, case: &Case) -> Vec<OsString> {
        let here = |word: OsString| {
            let word = word.into_string().unwrap().replace(RECORDED, &self.base);
            let path = Path::new(&word);
            if !path.is_absolute() || !path.is_file() {
                return word.into();
            }
            let copy = self.folder.path().join(path.file_name().unwrap());
            std::fs::write(&copy, std::fs::read_to_string(path).unwrap().replace(RECORDED, &self.base))
                .unwrap();
            copy.into_os_string()
        };
        case.arguments_in_folder().into_iter().map(here).collect()
    }

    /// Returns a folder with the manifests of the guestbook in which the first `v1` of each line of one became `v9`.
    fn changed_folder(&self) -> OsString {
        let folder = self.folder.path().join("local");
        repository::copy(&self.folder.path().join("guestbook.git/guestbook"), &folder);
        let deployment = folder.join("deployment.yaml");
        let text = std::fs::read_to_string(&deployment).unwrap();
        let lines: Vec<String> = text.lines().map(|line| line.replacen("v1", "v9", 1)).collect();
        std::fs::write(&deployment, lines.join("\n")).unwrap();
        folder.into_os_string()
    }

    /// Returns the outcome with the recorded addresses.
    fn there(&self, outcome: Outcome) -> Outcome {
        let Outcome { out, err, exit } = outcome;
        Outcome { out: out.replace(&self.base, RECORDED), err: err.replace(&self.base, RECORDED), exit }
    }
}

/// Returns what the command says in its world.
async fn outcome(case: &Case, world: World, repository: &Repository) -> Outcome {
    let recorded = case.recorded();
    let mut arguments = repository.arguments(case);
    if matches!(world, World::Local(_)) {
        arguments = cli::words("app diff guestbook --local");
        arguments.push(repository.changed_folder());
    }
    if matches!(world, World::Served) {
        let served = Served::start().await;
        return masked(repository.there(served.play(cli::Face::Argocd, arguments).await));
    }
    let (objects, script) = world_of(case, world, &recorded.out, repository).await;
    // Another address would make the columns of a table wider.
    let here = |objects: Vec<Object>| {
        if matches!(world, World::Listed) { objects } else { repository.here(&objects) }
    };
    let api = Api::new(here(objects));
    api.play(here(script));
    let command = async |session: &mut cli::Session| cli::argocd::run(arguments, session).await;
    masked(repository.there(play(&api, now(case), Colour::Off, command).await))
}

/// Returns the objects at the beginning, and the states of Applications that came while the command waited.
async fn world_of(
    case: &Case,
    world: World,
    printed: &str,
    repository: &Repository,
) -> (Vec<Object>, Vec<Object>) {
    let mut objects = surroundings();
    let mut script = Vec::new();
    match world {
        App(name, live) => {
            objects.push(application(name));
            objects.extend(live_objects(&application(name), live));
        }
        Named(name, live) => {
            let mut app = application(name);
            app.set(&["metadata", "name"], case.arguments()[2].to_str().unwrap());
            objects.extend(live_objects(&app, live));
            objects.push(app);
        }
        Rebuilt => {
            for states in states(printed) {
                let mut states = states.into_iter();
                objects.extend(states.next());
                script.extend(states);
            }
        }
        World::Listed => objects.extend(listed(printed)),
        World::Names => objects.extend(printed.lines().map(named)),
        Printed => objects.extend(printed_objects(printed)),
        LivePrinted(name) => {
            objects.push(application(name));
            objects.extend(yaml::documents(printed).unwrap().into_iter().map(Object::from_value));
        }
        Drifted(name, replicas) => {
            let app = application(name);
            objects.extend(drifted(&app, replicas, repository).await);
            objects.push(app);
        }
        DiffPrinted(name) => {
            objects.push(application(name));
            let lines = printed.lines().filter_map(|line| line.strip_prefix("< "));
            let text = lines.collect::<Vec<_>>().join("\n");
            objects.push(Object::from_value(yaml::document(&text).unwrap()));
            objects.extend(drifted(&application(name), 1, repository).await);
        }
        World::Changed(name, change) => {
            let mut app = application(name);
            change(&mut app);
            objects.push(app);
        }
        World::Local(name) => {
            let live = drifted(&application(name), 1, repository).await;
            objects.extend(live.into_iter().filter(|object| object.kind() == "Deployment"));
            objects.push(application(name));
        }
        World::Tree => objects.extend(super::views::tree()),
        Nothing | World::Served => {}
    }
    (objects, script)
}

fn with_third_source(app: &mut Object) {
    let mut sources = app.items(&["spec", "sources"]).to_vec();
    sources.push(sources[0].clone());
    app.set(&["spec", "sources"], sources);
}

fn with_colour(app: &mut Object) {
    let mut parameters = app.items(&["spec", "source", "helm", "parameters"]).to_vec();
    parameters.insert(0, json!({"name": "colour", "value": "blue"}));
    app.set(&["spec", "source", "helm", "parameters"], parameters);
}

fn named(qualified: &str) -> Object {
    let (namespace, name) = qualified.split_once('/').unwrap();
    let mut app = application("05-synced-healthy");
    app.set(&["metadata", "name"], name);
    app.set(&["metadata", "namespace"], namespace);
    app
}

/// Returns Applications that were printed without their kind.
fn printed_objects(printed: &str) -> Vec<Object> {
    let value = yaml::document(printed).unwrap();
    let all = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let typed = |value| {
        let mut app = Object::from_value(value);
        app.set(&["apiVersion"], "argoproj.io/v1alpha1");
        app.set(&["kind"], "Application");
        app
    };
    all.into_iter().map(typed).collect()
}

/// Returns the objects that the source of the Application says, with this many pods.
async fn drifted(app: &Object, replicas: i64, repository: &Repository) -> Vec<Object> {
    let mut objects = surroundings();
    objects.push(app.clone());
    let api = Api::new(repository.here(&objects));
    let arguments = cli::words(&format!("app manifests {}", app.name()));
    let now = Time::parse("2026-11-21T10:40:00Z").unwrap();
    let command = async |session: &mut cli::Session| cli::argocd::run(arguments, session).await;
    let printed = play(&api, now, Colour::Off, command).await.out;
    let mut live: Vec<Object> =
        yaml::documents(&printed).unwrap().into_iter().map(Object::from_value).collect();
    for object in live.iter_mut().filter(|object| object.kind() == "Deployment") {
        object.set(&["spec", "replicas"], replicas);
    }
    live
}

/// Returns the time of the recorded log line or of the first line about a resource.
fn now(case: &Case) -> Time {
    let (out, err) = (case.text("stdout.txt"), case.text("stderr.txt"));
    let row = out.lines().find(|line| line.starts_with("2026-")).map(|line| format!("{}Z", &line[..19]));
    let log = || err.rsplit_once("\"time\":\"").map(|(_, rest)| rest[..20].to_owned());
    let text = row.or_else(log).unwrap_or_else(|| "2026-11-21T10:40:00Z".into());
    Time::parse(&text).unwrap()
}

/// Returns the outcome without the times of log lines.
fn masked(outcome: Outcome) -> Outcome {
    let mask = |line: &str| line.split_once("\"time\":\"").map_or(line, |(before, _)| before).to_owned();
    let err: Vec<String> = outcome.err.lines().map(mask).collect();
    Outcome { err: err.join("\n"), ..outcome }
}

/// Returns true when both are alike. A usage text is ours, and line numbers of differences depend on fields that the
/// recorded API server added.
fn agree(case: &Case, got: &Outcome, wanted: &Outcome) -> bool {
    let out = if !case.has("stdout.txt") {
        got.out.contains("Usage:")
    } else if case.name.starts_with("app-diff-") {
        numberless(&got.out) == numberless(&wanted.out)
    } else if case.name.starts_with("app-patch-") {
        unversioned(&got.out) == unversioned(&wanted.out)
    } else {
        comparable(&got.out) == comparable(&wanted.out)
    };
    out && got.exit == wanted.exit && got.err == wanted.err
}

/// Returns the lines without the one that counts writes.
fn unversioned(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim_start().starts_with("resourceVersion: ")).collect()
}

fn numberless(text: &str) -> Vec<&str> {
    let is_number = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
    text.lines().filter(|line| !is_number(line)).collect()
}

/// Returns the cases that are not played yet, with their reasons.
fn not_yet() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli-argocd/not-yet.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let entries = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    entries.map(|line| line.split_once(": ").unwrap()).map(|(name, why)| (name.into(), why.into())).collect()
}

#[tokio::test(start_paused = true)]
async fn every_recorded_command_says_the_same() {
    let (repository, not_yet) = (Repository::make(), not_yet());
    let worlds: BTreeMap<&str, World> = WORLDS.iter().copied().collect();
    let cases: Vec<Case> =
        Case::all("cli-argocd").into_iter().filter(|case| case.name.starts_with("app-")).collect();
    assert!(worlds.keys().all(|name| cases.iter().any(|case| case.name == *name)), "a world without a case");
    assert!(
        not_yet.keys().all(|name| cases.iter().any(|case| case.name == *name)),
        "a reason without a case"
    );
    let (mut wrong, mut stale) = (Vec::new(), Vec::new());
    for case in &cases {
        let wanted = masked(case.recorded());
        let prints_page = wanted.out.contains("\nHealth Status:");
        let world = match worlds.get(case.name.as_str()) {
            Some(world) => *world,
            None if prints_page => Rebuilt,
            None => SYNCED,
        };
        let played = tokio::time::timeout(PATIENCE, outcome(case, world, &repository)).await;
        let got =
            played.unwrap_or_else(|_| Outcome { out: String::new(), err: "does not end".into(), exit: 255 });
        match (agree(case, &got, &wanted), not_yet.contains_key(&case.name)) {
            (true, false) | (false, true) => {}
            (true, true) => stale.push(case.name.clone()),
            (false, false) => {
                eprintln!("--- {}: wanted\n{}{}\nexit {}", case.name, wanted.out, wanted.err, wanted.exit);
                eprintln!("--- {}: got\n{}{}\nexit {}", case.name, got.out, got.err, got.exit);
                wrong.push(case.name.clone());
            }
        }
    }
    assert!(stale.is_empty(), "these pass: take them off not-yet.txt: {stale:?}");
    assert!(wrong.is_empty(), "{} of {} differ: {wrong:?}", wrong.len(), cases.len());
}
