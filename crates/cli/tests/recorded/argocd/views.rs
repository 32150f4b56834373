//! What is shown.

use object::{Object, json, yaml};

use super::{Live, api, application, assert_same, case, live_objects, run, surroundings};
use crate::api::Api;

/// Case, the Application it was recorded on, and what was live.
const VIEWS: [(&str, &str, Live); 42] = [
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
    ("app-get-resource-missing", "10-out-of-sync-resource-deleted", Live::Without("Service/guestbook-ui")),
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

#[tokio::test(start_paused = true)]
async fn views_are_those_recorded() {
    let mut wrong = Vec::new();
    for (name, input, live) in VIEWS {
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

#[tokio::test(start_paused = true)]
async fn trees_show_what_the_resources_own() {
    let app = application("05-synced-healthy");
    let child = |kind: &str, name: &str, uid: &str, owner: &str| {
        let version = if kind == "Pod" { "v1" } else { "apps/v1" };
        let created = "2026-11-21T10:39:59Z";
        Object::from_value(
            json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "guestbook",
            "uid": uid, "creationTimestamp": created, "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": owner}]},
            "spec": {"restartPolicy": "Always"}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}),
        )
    };
    let mut objects = surroundings();
    objects.push(app.clone());
    for (index, mut root) in live_objects(&app, Live::Healthy).into_iter().enumerate() {
        root.set(&["metadata", "uid"], format!("root-{index}"));
        root.set(&["metadata", "creationTimestamp"], "2026-11-21T10:39:59Z");
        objects.push(root);
    }
    objects.push(child("ReplicaSet", "guestbook-ui-f875c486c", "set", "root-1"));
    objects.push(child("Pod", "guestbook-ui-f875c486c-sdjzf", "pod", "set"));
    let api = Api::new(objects);
    for name in ["app-get-tree", "app-get-tree-detailed", "app-resources-tree"] {
        let case = case(name);
        assert_same(&case, &run(&case, &api).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_nothing_has_a_header() {
    let case = case("app-list-empty");
    assert_same(&case, &run(&case, &api(None, Live::Nothing)).await);
}
