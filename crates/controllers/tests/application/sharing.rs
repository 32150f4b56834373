//! Replicas that share the Applications.

use std::time::Duration;

use object::{Key, json};

use crate::world::World;

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// A webhook reaches one replica; the Applications of the others are compared as soon.
#[tokio::test(start_paused = true)]
async fn a_webhook_reaches_the_applications_of_all_replicas() {
    let world = World::shared().await;
    let (other, _) = world.replica("second");
    world.pass(5_000).await;
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: \"1\"}\n";
    for name in NAMES {
        world.commit_to(name, &[("a.yaml", &map.replace("NAME", name))]);
        world.create(name, json!({"source": {"path": name}, "syncPolicy": {"automated": {}}})).await;
    }
    for name in NAMES {
        world.settled(name, "Synced").await;
    }
    let ours = NAMES.iter().filter(|name| world.shards.owns(&Key::new("argocd", name))).count();
    let theirs = NAMES.iter().filter(|name| other.owns(&Key::new("argocd", name))).count();
    assert!(ours > 0 && theirs > 0 && ours + theirs == NAMES.len(), "{ours} and {theirs}");

    // between two comparisons for their own sake
    world.pass(5_000).await;
    let pushed = world.now();
    let commit = world.commit_to("new", &[("a.yaml", &map.replace("NAME", "new"))]);
    assert_eq!(world.refresher.refresh(|_| true), NAMES.len());
    for name in NAMES {
        world.until(name, |app| app.str(&["status", "sync", "revision"]) == commit).await;
    }
    assert!(world.now() < pushed.after(Duration::from_secs(5)), "{}", world.now());
    world.stop().await;
}
