//! What is left of an Application, and what runs when it goes.

use object::{Object, json};
use runtime::resources::{APPLICATIONS, CONFIG_MAPS};

use crate::world::{World, condition, config};

fn hook(name: &str, moment: &str) -> String {
    let annotations = format!("  annotations:\n    argocd.argoproj.io/hook: {moment}\n");
    config(name, "1").replace("\ndata:\n", &format!("\n{annotations}data:\n"))
}

/// An Application that takes its objects along, with a hook before and one after.
async fn synced() -> World {
    let world = World::start().await;
    world.commit(&[
        ("a.yaml", &config("a", "1")),
        ("b.yaml", &hook("before", "PreDelete")),
        ("c.yaml", &hook("after", "PostDelete")),
    ]);
    world.create("app", json!({"syncPolicy": {"automated": {}}})).await;
    world.settled("app", "Synced").await;
    let finalizers = "resources-finalizer.argocd.argoproj.io";
    let app = world.until("app", |app| app.finalizers().len() == 4).await;
    let all = app.finalizers().into_iter().chain([finalizers]).collect::<Vec<_>>();
    world.merge(&APPLICATIONS, ("argocd", "app"), json!({"metadata": {"finalizers": all}})).await;
    assert_eq!(world.names(&CONFIG_MAPS).await, ["a"]);
    world
}

#[tokio::test(start_paused = true)]
async fn hooks_of_a_deletion_run_around_it_and_stay() {
    let world = synced().await;
    let before = world.writes();
    world.pass(600_000).await;
    assert_eq!(world.writes(), before, "at rest");
    world.delete(&APPLICATIONS, ("argocd", "app")).await;
    world.until_object(&APPLICATIONS, ("argocd", "app"), |object| object.is_none()).await;
    assert_eq!(world.names(&CONFIG_MAPS).await, ["after", "before"]);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_deletion_whose_hooks_cannot_be_read_is_told_and_goes_on_once_they_can() {
    let world = synced().await;
    let (here, away) = (world.folder().join("sample"), world.folder().join("away"));
    // another path, so that what was read before does not help
    let nowhere = format!("file://{}", away.display());
    world.merge(&APPLICATIONS, ("argocd", "app"), json!({"spec": {"source": {"repoURL": nowhere}}})).await;
    world.delete(&APPLICATIONS, ("argocd", "app")).await;
    let told = |app: &Object| condition(app, "DeletionError").contains("repository not found");
    world.until("app", told).await;
    assert_eq!(world.names(&CONFIG_MAPS).await, ["a"]);
    std::fs::rename(&here, &away).unwrap();
    world.until_object(&APPLICATIONS, ("argocd", "app"), |object| object.is_none()).await;
    assert_eq!(world.names(&CONFIG_MAPS).await, ["after", "before"]);
    world.stop().await;
}
