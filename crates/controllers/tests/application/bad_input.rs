//! Applications that are wrong in themselves, and what depends on a project.
//!
//! Where other bad input is tried:
//!
//! | input | test |
//! |---|---|
//! | malformed YAML, missing or mistyped parts of a manifest, repeated keys, broken lists | `source::manifests::tests::nothing_vanishes`, `sources::a_broken_file_stops_the_comparison_and_leaves_what_runs` |
//! | files that are passed over | `source::manifests::tests::{a_broken_file_of_something_else_is_left_out_and_told, links_that_lead_nowhere_and_submodules_are_told_where_they_are_picked, what_is_kept_elsewhere_is_an_error}`, `sync::lost::what_was_left_out_is_told_as_long_as_it_is` |
//! | two manifests with one key, names that the server would make | `sync::lost` |
//! | alias bomb, deep nesting, too many documents | `source::manifests::tests::documents_that_would_fill_the_memory_are_refused` |
//! | too many or too large files, too large repositories | `source::repositories::{sizes_and_counts_are_limited, a_repository_over_the_quota_is_refused_and_not_kept}` |
//! | paths and links that leave the repository | `source::repositories::{paths_stay_in_the_repository, links_that_leave_the_repository_are_errors}`, `sources::a_source_that_cannot_be_read_is_a_comparison_error` |
//! | a server that hangs, answers nonsense, or is not there | `source::repositories::a_hanging_…`, `source::repositories::refused`, `sources::a_git_server_that_hangs_is_given_up` |
//! | wrong password, wrong key, unknown host key | `source::repositories::{passwords_are_asked_for_and_never_shown, refused::what_ssh_says_becomes_a_typed_error}`, `sources` |
//! | unknown revision, empty repository, missing path | `source::repositories::{revisions_resolve_to_commits, refused::an_empty_repository_has_no_revision}`, `sources` |
//! | objects that the server refuses | `syncing::nothing_is_applied_when_the_server_refuses_one_object`, `sync::rehearsal` |
//! | payloads of the webhook | `server::faces` |

use std::time::Duration;

use object::{Key, Object, Value, json};
use runtime::resources::{APP_PROJECTS, APPLICATIONS, CONFIG_MAPS, CRDS};
use runtime::{ApiError, Patch};

use crate::world::{World, condition, config, object};

fn automated() -> Value {
    json!({"syncPolicy": {"automated": {"prune": true}}})
}

/// Lets the definition of Applications take anything, as one of another version may.
async fn anything_goes(world: &World) {
    let path = "/spec/versions/0/schema/openAPIV3Schema";
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let patch = Patch::json(json!([{"op": "replace", "path": path, "value": schema}]));
    let key = Key::new("", "applications.argoproj.io");
    world.cluster.patch(&CRDS, &key, &patch).await.unwrap();
}

async fn try_to_create(world: &World, name: &str, more: &Value) -> Result<Object, ApiError> {
    let app = world.application(name, more);
    world.cluster.create(&APPLICATIONS, &app).await
}

#[tokio::test(start_paused = true)]
async fn the_definition_refuses_a_mistyped_field_by_name() {
    let world = World::start().await;
    for (more, field) in [
        (json!({"source": "https://git.example/a"}), "spec.source"),
        (json!({"syncPolicy": {"retry": {"limit": "x"}}}), "spec.syncPolicy.retry.limit"),
        (json!({"destination": {"namespace": 7}}), "spec.destination.namespace"),
    ] {
        let error = try_to_create(&world, "app", &more).await.unwrap_err();
        assert_eq!(error.code, 422);
        assert!(error.message.contains("\"app\"") && error.message.contains(field), "{}", error.message);
    }
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_field_of_another_type_that_gets_through_is_told_and_stops_nothing_else() {
    let world = World::start().await;
    anything_goes(&world).await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    world.create("app", automated()).await;
    world.settled("app", "Synced").await;

    world.commit(&[("a.yaml", &config("a", "1")), ("b.yaml", &config("b", "1"))]);
    for (change, named) in [
        (json!({"source": "https://git.example/a"}), "spec.source: invalid type: string"),
        (
            json!({"syncPolicy": {"retry": {"limit": "x"}}}),
            "spec.syncPolicy.retry.limit: invalid type: string",
        ),
    ] {
        let good = world.get(&APPLICATIONS, ("argocd", "app")).await.unwrap();
        let spec = good.get(&["spec"]).cloned().unwrap();
        world.merge(&APPLICATIONS, ("argocd", "app"), json!({"spec": change})).await;
        let app = world.until("app", |app| condition(app, "InvalidSpecError").starts_with(named)).await;
        assert_eq!(app.str(&["status", "sync", "status"]), "Unknown");
        assert_eq!(app.items(&["status", "history"]).len(), good.items(&["status", "history"]).len());
        let before = world.writes();
        world.pass(600_000).await;
        assert_eq!(world.writes(), before, "it is told once, and not tried again and again");
        let back = Patch::json(json!([{"op": "replace", "path": "/spec", "value": spec}]));
        world.cluster.patch(&APPLICATIONS, &app.key(), &back).await.unwrap();
        let app = world.settled("app", "Synced").await;
        assert_eq!(condition(&app, "InvalidSpecError"), "");
    }
    assert_eq!(world.names(&CONFIG_MAPS).await, ["a", "b"]);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_application_applies_nothing_and_others_go_on() {
    let world = World::start().await;
    anything_goes(&world).await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    try_to_create(&world, "bad", &json!({"syncPolicy": {"automated": "yes"}})).await.unwrap();
    world
        .until("bad", |app| condition(app, "InvalidSpecError").starts_with("spec.syncPolicy.automated"))
        .await;
    world.pass(10_000).await;
    assert_eq!(world.names(&CONFIG_MAPS).await, Vec::<String>::new());
    world.create("good", automated()).await;
    world.settled("good", "Synced").await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn unknown_fields_survive_comparisons_and_syncs() {
    let world = World::start().await;
    anything_goes(&world).await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    let later = json!({"later": {"version": [1, 2]}});
    world.create("app", json!({"source": later, "syncPolicy": later, "more": later})).await;
    world.settled("app", "OutOfSync").await;
    let status = json!({"status": {"later": {"version": [1, 2]}, "sync": later}});
    world.merge(&APPLICATIONS, ("argocd", "app"), status).await;
    world.sync("app", json!({"later": {"version": [1, 2]}})).await;
    let app = world.settled("app", "Synced").await;
    for path in [
        &["spec", "source", "later"][..],
        &["spec", "syncPolicy", "later"],
        &["spec", "more", "later"],
        &["status", "later"],
        &["status", "sync", "later"],
        &["status", "operationState", "operation", "sync", "later"],
    ] {
        // what the comparison makes anew is not kept: nobody else may own it
        let made_anew = path == ["status", "sync", "later"];
        assert_eq!(app.get(path), (!made_anew).then_some(&later["later"]), "{path:?}");
    }
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_project_that_changes_wakes_its_applications() {
    let world = World::start().await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    let at_once = Duration::from_secs(5);
    world.create("app", json!({"project": "team", "syncPolicy": {"automated": {}}})).await;
    let told = |text: &'static str| move |app: &Object| condition(app, "InvalidSpecError").contains(text);
    world.until("app", told("project team which does not exist")).await;
    world.pass(10_000).await;

    let start = world.now();
    let nowhere = json!({"spec": {"sourceRepos": ["*"], "destinations": []}});
    world
        .apply(&APP_PROJECTS, object("argoproj.io/v1alpha1", "AppProject", ("argocd", "team"), nowhere))
        .await;
    world.until("app", told("do not match any of the allowed destinations")).await;
    assert!(world.now() < start.after(at_once), "{}", world.now());
    world.pass(10_000).await;
    assert_eq!(world.names(&CONFIG_MAPS).await, Vec::<String>::new());

    let start = world.now();
    let everywhere = json!({"spec": {"destinations": [{"server": "*", "namespace": "*"}]}});
    world.merge(&APP_PROJECTS, ("argocd", "team"), everywhere).await;
    world.settled("app", "Synced").await;
    assert!(world.now() < start.after(at_once), "{}", world.now());
    assert_eq!(world.names(&CONFIG_MAPS).await, ["a"]);

    let before = world.writes();
    world.merge(&APP_PROJECTS, ("argocd", "team"), json!({"spec": {"description": "the team"}})).await;
    world.pass(10_000).await;
    assert_eq!(world.writes(), before + 1, "nothing else changes");
    world.stop().await;
}
