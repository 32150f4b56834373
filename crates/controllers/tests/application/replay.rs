//! Repository folders of the reference's own end-to-end suite, where they are at hand.

use std::path::{Path, PathBuf};

use object::{Object, Value, json};

use crate::world::World;

fn shared() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("SLIPWAY_SHARED").map_or_else(beside, PathBuf::from)
}

/// Syncs the folder and returns the Application; `None` when the folder is not at hand.
async fn synced(folder: &str, options: Value) -> Option<(World, Object)> {
    let from = shared().join("golden/repos").join(folder);
    if !from.is_dir() {
        eprintln!("NOT TESTED: {} is missing", from.display());
        return None;
    }
    let world = World::start().await;
    let stage = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_owned();
        // what the folder is without its renderer
        if name != "kustomization.yaml" {
            std::fs::write(stage.path().join(name), std::fs::read(path).unwrap()).unwrap();
        }
    }
    world.commit_folder(crate::world::PATH, stage.path());
    world.create("app", json!({"syncPolicy": {"syncOptions": options.clone()}})).await;
    world.settled("app", "OutOfSync").await;
    world.sync("app", json!({"syncOptions": options})).await;
    let ended = |app: &Object| {
        let state = |field| app.str(&["status", "operationState", field]).to_owned();
        app.get(&["operation"]).is_none() && !state("finishedAt").is_empty()
    };
    let app = world.until("app", ended).await;
    Some((world, app))
}

fn phase(app: &Object) -> &str {
    app.str(&["status", "operationState", "phase"])
}

fn message(app: &Object) -> &str {
    app.str(&["status", "operationState", "message"])
}

#[tokio::test(start_paused = true)]
async fn plain_folders_sync() {
    for folder in ["deployment", "guestbook-with-namespace", "secrets", "two-nice-pods"] {
        let Some((world, app)) = synced(folder, json!(["CreateNamespace=true"])).await else { continue };
        if folder == "guestbook-with-namespace" && phase(&app) == "Failed" {
            // it names a namespace that its suite makes
            assert!(message(&app).contains("not found"), "{}", message(&app));
        } else {
            assert_eq!(phase(&app), "Succeeded", "{folder}: {}", message(&app));
            world.settled("app", "Synced").await;
        }
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_validation_unknown_fields_are_let_through() {
    let Some((world, app)) = synced("sync-options-validate-false", json!([])).await else { return };
    assert_eq!(phase(&app), "Succeeded", "{}", message(&app));
    world.settled("app", "Synced").await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn definitions_and_their_objects_sync_together() {
    let Some((world, app)) = synced("crd-creation", json!(["SkipDryRunOnMissingResource=true"])).await else {
        return;
    };
    assert_eq!(phase(&app), "Succeeded", "{}", message(&app));
    world.settled("app", "Synced").await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_valid_fails_before_anything_is_applied() {
    for (folder, options) in [
        ("failure-during-sync", json!([])),
        ("crd-validation", json!([])),
        ("crd-validation", json!(["Validate=false"])),
    ] {
        let Some((world, app)) = synced(folder, options.clone()).await else { continue };
        assert_eq!(phase(&app), "Failed", "{folder} {options}");
        let text = if folder == "crd-validation" {
            "one or more objects failed to apply (dry run), reason: "
        } else {
            "one or more synchronization tasks completed unsuccessfully, reason: "
        };
        assert!(message(&app).starts_with(text), "{folder} {options}: {}", message(&app));
        world.stop().await;
    }
}
