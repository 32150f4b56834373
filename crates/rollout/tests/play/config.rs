//! ConfigMaps and Secrets as part of a version, in a world of objects in memory.

use object::{Object, json};

use crate::world::World;

fn world() -> World {
    let mut world = World::new(4, "{steps: [{setWeight: 50}, {pause: {}}]}");
    world.rollout.set_annotation("slipway.dev/track-config", "true");
    let container =
        json!([{"name": "c", "image": "shop:1", "envFrom": [{"configMapRef": {"name": "settings"}}]}]);
    world.rollout.set(&["spec", "template", "spec", "containers"], container);
    write(&mut world, "blue");
    world
}

fn write(world: &mut World, color: &str) {
    let value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "n"},
        "data": {"color": color}});
    world.config.insert("settings".to_owned(), Object::from_value(value));
}

/// Returns what the pods of a ReplicaSet read.
fn color(world: &World, hash: &str) -> String {
    let containers = world.set_of(hash).items(&["spec", "template", "spec", "containers"]);
    let name = containers[0]["envFrom"][0]["configMapRef"]["name"].as_str().unwrap();
    world.config[name].str(&["data", "color"]).to_owned()
}

fn hash(world: &World) -> String {
    world.status()["currentPodHash"].as_str().unwrap().to_owned()
}

#[test]
fn another_content_is_another_version() {
    let mut world = world();
    world.settle();
    let blue = hash(&world);
    write(&mut world, "green");
    world.settle();
    let green = hash(&world);
    assert_ne!(blue, green);
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![2, 2]));
    assert_eq!((color(&world, &blue), color(&world, &green)), ("blue".to_owned(), "green".to_owned()));
    world.patch_status(&json!({"abort": true}));
    world.settle();
    assert_eq!(world.sizes(), [4, 0]);
    // The old content again is the old version.
    write(&mut world, "blue");
    world.settle();
    assert_eq!((world.phase(), hash(&world)), ("Healthy".to_owned(), blue));
}

#[test]
fn an_undo_brings_the_old_content_back() {
    let mut world = world();
    world.settle();
    let blue = hash(&world);
    write(&mut world, "green");
    world.settle();
    world.promote();
    world.settle();
    // What the undo command does: the old ReplicaSet's template, without the hash.
    let mut template = world.set_of(&blue).get(&["spec", "template"]).unwrap().clone();
    template["metadata"]["labels"].as_object_mut().unwrap().remove("rollouts-pod-template-hash");
    world.rollout.set(&["spec", "template"], template);
    world.bump();
    world.settle();
    assert_eq!(hash(&world), blue);
    assert_eq!(color(&world, &blue), "blue");
}

#[test]
fn copies_go_with_their_last_replica_set() {
    let mut world = world();
    world.rollout.set(&["spec", "revisionHistoryLimit"], 1);
    for color in ["red", "green", "yellow", "white"] {
        write(&mut world, color);
        world.settle();
        world.promote();
        world.settle();
        world.tick(60);
    }
    world.settle();
    assert_eq!((world.sets.len(), world.config.len()), (2, 3), "{:?}", world.config.keys());
}

#[test]
fn without_the_annotation_nothing_is_copied() {
    let mut world = world();
    world.rollout.remove(&["metadata", "annotations"]);
    world.settle();
    write(&mut world, "green");
    world.settle();
    assert_eq!((world.sets.len(), world.config.len()), (1, 1));
}
