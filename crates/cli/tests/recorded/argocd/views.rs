//! What is shown.

use object::{Object, json, yaml};

use super::{Live, api, application, assert_same, case, live_objects, run};

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

/// Returns a recorded Application with objects that own others.
pub fn tree() -> Vec<Object> {
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
    let mut objects = Vec::new();
    objects.push(app.clone());
    for (index, mut root) in live_objects(&app, Live::Healthy).into_iter().enumerate() {
        root.set(&["metadata", "uid"], format!("root-{index}"));
        root.set(&["metadata", "creationTimestamp"], "2026-11-21T10:39:59Z");
        objects.push(root);
    }
    objects.push(child("ReplicaSet", "guestbook-ui-f875c486c", "set", "root-1"));
    objects.push(child("Pod", "guestbook-ui-f875c486c-sdjzf", "pod", "set"));
    objects
}
