//! Further recorded runs: projects, shared objects, Applications of Applications, held deletions.
//!
//! Of the 47 recorded files these and those of `recorded` are played again. Not played: 01 (before any controller), 05 and
//! 45 `-deployment` and 46 `-managed-namespace` (objects of the cluster, not Applications), 31, 36 (rendered by Helm and
//! Kustomize), 34, 55 (several sources; one source with a repetition is in `lost`), 40, 41 (sync windows), 52 (orphaned
//! resources), and the ApplicationSet.

use api::application::SyncCode;
use object::{Object, Value, json};
use sync::Level;

use crate::recorded::{recording, same, sync_manually, world};
use crate::world::{FIRST, World, found, repo};

#[test]
fn a_project_that_denies_the_destination() {
    let mut world = world("30-project-denies-destination", "2026-11-21T10:23:32Z");
    let mut project = recording("appproject-team-a");
    // what it restricts besides is refused here by name
    project.remove(&["spec", "syncWindows"]);
    world.project = Some(project);
    world.refresh(Level::LatestForced);
    same(&world, "30-project-denies-destination");
}

#[test]
fn a_project_that_does_not_permit_a_kind() {
    let mut world = world("53-kind-not-permitted", "2026-11-21T10:33:30Z");
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "win"},
        "spec": {
            "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            "namespaceResourceBlacklist": [{"group": "", "kind": "ConfigMap"}],
        },
    });
    world.project = Some(Object::from_value(project));
    world.target = found(FIRST, repo("envs-dev"));
    sync_manually(&mut world, json!({}));
    same(&world, "53-kind-not-permitted");
    assert_eq!(world.log, Vec::<String>::new());
}

#[test]
fn an_application_of_applications() {
    let mut world = world("35-app-of-apps-parent", "2026-11-21T10:23:47Z");
    world.target = found(FIRST, repo("apps"));
    assert!(world.refresh(Level::LatestForced));
    world.run();
    let child = world.live.values_mut().find(|live| live.kind() == "Application").unwrap();
    child.set(&["status", "health"], json!({"status": "Healthy"}));
    world.refresh(Level::LatestForced);
    same(&world, "35-app-of-apps-parent");
}

#[test]
fn an_application_that_a_set_made() {
    let mut world = world("37-appset-child", "2026-11-21T10:23:49Z");
    world.target = found(FIRST, repo("envs-dev"));
    assert!(world.refresh(Level::LatestForced));
    world.run();
    world.refresh(Level::LatestForced);
    same(&world, "37-appset-child");
}

/// Marks the live ConfigMap as that of another Application.
fn give_to(world: &mut World, owner: &str) {
    let live = world.live.values_mut().find(|live| live.kind() == "ConfigMap").unwrap();
    live.set_annotation(sync::TRACKING_ID, &format!("{owner}:/ConfigMap:share/env-dev"));
}

#[test]
fn an_object_that_belongs_to_another_application() {
    let mut first = world("44-shared-resource-lost", "2026-11-21T10:33:35Z");
    first.target = found(FIRST, repo("envs-dev"));
    sync_manually(&mut first, json!({}));
    assert_eq!(first.app.status.sync.status, Some(SyncCode::Synced));
    let live = first.live.clone();

    let mut second = world("42-shared-resource-warning", "2026-11-21T10:33:35Z");
    second.target = found(FIRST, repo("envs-dev"));
    second.live.clone_from(&live);
    second.refresh(Level::LatestForced);
    same(&second, "42-shared-resource-warning");

    give_to(&mut first, "share-b");
    first.refresh(Level::LatestForced);
    same(&first, "44-shared-resource-lost");

    let mut third = world("43-fail-on-shared", "2026-11-21T10:35:18Z");
    third.target = found(FIRST, repo("envs-dev"));
    third.live.clone_from(&first.live);
    sync_manually(&mut third, json!({}));
    same(&third, "43-fail-on-shared");
    assert_eq!(third.log, Vec::<String>::new());
}

#[test]
fn a_deletion_that_has_to_be_confirmed() {
    let mut world = world("54-delete-waits-for-confirm", "2026-11-21T10:34:19Z");
    let mut objects = repo("envs-dev");
    objects[0].set_annotation("argocd.argoproj.io/sync-options", "Delete=confirm");
    world.target = found(FIRST, objects);
    sync_manually(&mut world, json!({}));
    same(&world, "54-delete-waits-for-confirm");

    let deletion = sync::deletion(&world.app, &world.observe(Level::Nothing));
    assert!(deletion.actions.is_empty(), "{}", deletion.why);
    assert_eq!(deletion.why.to_string(), "waiting for deletion confirmation of /ConfigMap/env-dev");
    let approved = json!("2030-01-01T00:00:00Z");
    set(&mut world, &approved);
    assert_eq!(sync::deletion(&world.app, &world.observe(Level::Nothing)).actions.len(), 1);
}

fn set(world: &mut World, approved: &Value) {
    let annotation = approved.as_str().unwrap();
    world.app.object.set_annotation("argocd.argoproj.io/deletion-approved", annotation);
}
