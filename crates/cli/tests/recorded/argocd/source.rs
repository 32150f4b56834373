//! What needs the repository.

use std::path::Path;

use object::{Object, yaml};

use super::{Live, api, application, assert_same, case, run, surroundings};
use crate::api::Api;
use crate::repository;

/// Returns the Application with a repository of ours instead of the recorded one.
fn moved(mut app: Object, url: &str) -> Object {
    app.set(&["spec", "source", "repoURL"], url);
    app
}

/// Makes a repository of the recorded content; it is there as long as the folder.
fn recorded_repository() -> (tempfile::TempDir, String) {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli-argocd/_repo");
    let folder = tempfile::tempdir().unwrap();
    let url = repository::recorded(&content, &folder.path().join("repo"));
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
    let changes = |text: &str| {
        let is_number = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
        text.lines().filter(|line| !is_number(line)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!((changes(&got.out), got.exit), (changes(&drift.recorded().out), 1), "{got:?}");
}
