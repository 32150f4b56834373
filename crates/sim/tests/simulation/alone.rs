//! An Experiment that stands alone, with a user who deletes pods and ends it early.

use std::time::Duration;

use object::{Object, Value, json};
use runtime::{Deletion, Patch, Selection, resources};
use sim::{Random, World};

use super::stage::{create, key, services, template};

/// Creates an Experiment with settings by a seed, disturbs it, and waits until it is over; returns its spec.
pub async fn play(world: &World, random: &mut Random) -> Value {
    services(world).await;
    template(world).await;
    let spec = spec(random);
    create(world, &resources::EXPERIMENTS, json!({"metadata": {"name": "e"}, "spec": spec})).await;
    let clock = world.cluster().clock().clone();
    for round in 0..200 {
        clock.sleep(Duration::from_millis(random.below(20_000))).await;
        let experiment = world.cluster().get(&resources::EXPERIMENTS, &key("e")).await.unwrap().unwrap();
        if matches!(experiment.str(&["status", "phase"]), "Successful" | "Failed" | "Error" | "Inconclusive")
        {
            return spec;
        }
        match random.below(10) {
            0 => delete_pod(world, random).await,
            1 if round > 20 => {
                let patch = Patch::merge(json!({"spec": {"terminate": true}}));
                world.cluster().patch(&resources::EXPERIMENTS, &key("e"), &patch).await.unwrap();
            }
            _ => {}
        }
    }
    let end = world.cluster().get(&resources::EXPERIMENTS, &key("e")).await.unwrap().unwrap();
    panic!("never over: {}", end.into_value());
}

fn spec(random: &mut Random) -> Value {
    let image = |random: &mut Random| match random.below(6) {
        0 => "shop:slow-20",
        1 => "shop:never",
        2 => "shop:sick",
        _ => "shop:1",
    };
    let template = |name: &str, random: &mut Random| {
        let labels = json!({"app": "r", "part": name});
        json!({
            "name": name, "replicas": 1 + random.below(3), "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image(random)}]}}
        })
    };
    let mut spec = json!({
        "templates": [template("base", random), template("next", random)], "progressDeadlineSeconds": 60,
    });
    if random.chance(500) {
        spec["duration"] = json!("40s");
    }
    if random.chance(500) {
        spec["analyses"] =
            json!([{"name": "check", "templateName": "check", "requiredForCompletion": random.chance(500)}]);
    }
    if random.chance(500) {
        spec["scaleDownDelaySeconds"] = json!(random.below(40));
    }
    spec
}

async fn delete_pod(world: &World, random: &mut Random) {
    let all = Selection::default();
    let pods = world.cluster().list(&resources::PODS, Some("default"), &all).await.unwrap();
    if let Some(pod) = pods.get(usize::try_from(random.below(4)).unwrap()) {
        let _ = world.cluster().delete(&resources::PODS, &pod.key(), &Deletion::default()).await;
    }
}

/// At rest an Experiment that is over has no pods, and made each ReplicaSet and analysis once.
pub async fn look(world: &World, spec: &Value) {
    let all = Selection::default();
    let sets = world.cluster().list(&resources::REPLICA_SETS, Some("default"), &all).await.unwrap();
    let runs = world.cluster().list(&resources::ANALYSIS_RUNS, Some("default"), &all).await.unwrap();
    let size = |set: &Object| set.int(&["spec", "replicas"]).unwrap_or(0);
    assert_eq!(sets.iter().map(size).sum::<i64>(), 0, "{spec}");
    assert!(sets.len() <= 2 && runs.len() <= 1, "{} ReplicaSets, {} runs: {spec}", sets.len(), runs.len());
}
