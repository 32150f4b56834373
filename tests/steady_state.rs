//! At rest nothing is written: 100 Applications that deploy 100 Rollouts, ten virtual minutes, many comparisons, no write.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use object::{Object, json};
use runtime::{Patch, Selection, resources};
use sim::{World, WorldConfig};
use testkit::repository::Repository;

const COUNT: usize = 100;

/// Writes a folder with a Rollout and its Service for each Application.
fn write_manifests(folder: &Path) {
    for number in 0..COUNT {
        let name = format!("app-{number}");
        let labels = json!({"app": name});
        let container = json!({"name": "web", "image": "web:1.0", "ports": [{"containerPort": 80}]});
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
                "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}},
            },
        });
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": labels, "ports": [{"port": 80}]},
        });
        let folder = folder.join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("rollout.json"), rollout.to_string()).unwrap();
        std::fs::write(folder.join("service.json"), service.to_string()).unwrap();
    }
}

/// Creates an automated Application for each folder.
async fn create_applications(world: &World, repository: &str) {
    for number in 0..COUNT {
        let name = format!("app-{number}");
        let app = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": {"repoURL": repository, "path": format!("deploy/{name}"), "targetRevision": "main"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
                "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
            },
        });
        let app = Object::parse(app).unwrap();
        let patch = Patch::apply(app.to_value(), "test").force();
        world.cluster().patch(&resources::APPLICATIONS, &app.key(), &patch).await.unwrap();
    }
}

/// Returns how many Applications are synced and healthy.
async fn ready(world: &World) -> usize {
    let all = Selection::default();
    let apps = world.cluster().list(&resources::APPLICATIONS, Some("argocd"), &all).await.unwrap();
    let is_ready = |app: &&Object| {
        app.str(&["status", "sync", "status"]) == "Synced"
            && app.str(&["status", "health", "status"]) == "Healthy"
    };
    apps.iter().filter(is_ready).count()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_rollouts_and_applications_at_rest_write_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let manifests = dir.path().join("manifests");
    write_manifests(&manifests);
    let repository = Repository::create(&dir.path().join("repository")).unwrap();
    repository.commit_folder(&manifests, "deploy", "everything").unwrap();
    let config = WorldConfig { resync: Duration::from_secs(120), ..WorldConfig::new(1, dir.path()) };
    let world = World::start(config).await.unwrap();
    create_applications(&world, &repository.url()).await;
    let clock = world.cluster().clock().clone();
    let deadline = clock.now().after(Duration::from_secs(600));
    while ready(&world).await < COUNT {
        assert!(clock.now() < deadline, "{} of {COUNT} are synced and healthy", ready(&world).await);
        clock.sleep(Duration::from_secs(1)).await;
    }
    world.settle(Duration::from_secs(600)).await.unwrap();
    let before = world.revision();
    clock.sleep(Duration::from_secs(600)).await;
    assert_eq!(world.revision() - before, 0, "writes at rest");
    assert_eq!(ready(&world).await, COUNT);
    world.stop().await;
}
