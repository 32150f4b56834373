//! The Rollout part of J1, for tests of this crate.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use object::{Key, Object, Value, json, yaml};
use runtime::{Patch, resources};
use sim::{Rates, User, World, WorldConfig};

fn answers() -> BTreeMap<String, Value> {
    [("1.0", "red", "ok"), ("2.0", "blue", "ok"), ("3.0", "blue", "nok")]
        .into_iter()
        .map(|(version, color, status)| {
            (format!("colorapi:{version}"), json!({"color": color, "status": status}))
        })
        .collect()
}

async fn apply(world: &World, folder: &str) {
    world.invariants().acting();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/j1").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        for document in yaml::documents(&std::fs::read_to_string(file).unwrap()).unwrap() {
            let object = Object::parse(document).unwrap();
            let resource = [resources::ROLLOUTS, resources::ANALYSIS_TEMPLATES, resources::SERVICES]
                .into_iter()
                .find(|resource| resource.kind == object.kind())
                .unwrap();
            let patch = Patch::apply(object.to_value(), "test").force();
            world.cluster().patch(&resource, &Key::new("default", object.name()), &patch).await.unwrap();
        }
    }
}

/// Waits until the Rollout's status says so; fails after an hour of virtual time with what it says instead.
async fn until(world: &World, what: &str, holds: impl Fn(&Object) -> bool) {
    let clock = world.cluster().clock().clone();
    let key = Key::new("default", "colorapi");
    let deadline = clock.now().after(Duration::from_secs(3600));
    loop {
        let rollout = world.cluster().get(&resources::ROLLOUTS, &key).await.unwrap();
        if rollout.as_ref().is_some_and(&holds) {
            return;
        }
        assert!(clock.now() < deadline, "{what}: {}", rollout.unwrap_or_default().into_value()["status"]);
        clock.sleep(Duration::from_millis(500)).await;
    }
}

fn phase(rollout: &Object, phase: &str) -> bool {
    rollout.str(&["status", "phase"]) == phase
        && rollout.str(&["status", "observedGeneration"]) == rollout.generation().to_string()
}

/// Plays the Rollout part of J1 and returns the world at its end.
pub async fn play(seed: u64, faults: Option<Rates>, dir: &Path) -> World {
    let config = WorldConfig { faults, answers: answers(), user: User::Told, ..WorldConfig::new(seed, dir) };
    let world = World::start(config).await.unwrap();
    apply(&world, "3-rollout").await;
    until(&world, "1.0 is healthy", |rollout| phase(rollout, "Healthy")).await;
    apply(&world, "4-blue").await;
    until(&world, "2.0 is paused", |rollout| phase(rollout, "Paused")).await;
    until(&world, "2.0 is healthy", |rollout| phase(rollout, "Healthy")).await;
    apply(&world, "5-broken").await;
    until(&world, "3.0 is degraded", |rollout| {
        phase(rollout, "Degraded") && rollout.str(&["status", "message"]).starts_with("RolloutAborted")
    })
    .await;
    apply(&world, "6-blue-again").await;
    until(&world, "2.0 is healthy again", |rollout| phase(rollout, "Healthy")).await;
    world
}
