//! Rollouts that use the template of another workload.

use object::{Object, Value, json};

use crate::world::World;

fn world(scale_down: &str) -> World {
    let mut world = World::new(4, "{steps: [{setWeight: 50}, {pause: {}}]}");
    let template = world.rollout.remove(&["spec", "template"]).unwrap();
    let selector = world.rollout.remove(&["spec", "selector"]).unwrap();
    world.rollout.set(
        &["spec", "workloadRef"],
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "scaleDown": scale_down}),
    );
    world.workload = Some(Object::from_value(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": "n", "generation": 1},
        "spec": {"replicas": 4, "selector": selector, "template": template}
    })));
    world
}

fn image(world: &mut World, image: &str) {
    let workload = world.workload.as_mut().unwrap();
    workload.set(&["spec", "template", "spec", "containers"], json!([{"name": "c", "image": image}]));
    let generation = workload.generation() + 1;
    workload.set(&["metadata", "generation"], generation);
}

fn left(world: &World) -> Option<i64> {
    world.workload.as_ref().unwrap().int(&["spec", "replicas"])
}

#[test]
fn a_change_of_the_workload_is_an_update() {
    let mut world = world("never");
    world.settle();
    assert_eq!((world.phase(), left(&world)), ("Healthy".to_owned(), Some(4)));
    assert_eq!(world.status()["workloadObservedGeneration"], json!("1"));
    image(&mut world, "shop:2");
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![2, 2]));
    assert_eq!(world.rollout.annotation("rollout.argoproj.io/workload-generation"), Some("2"));
    assert_eq!(world.status()["workloadObservedGeneration"], json!("2"));
    assert_eq!(world.rollout.get(&["spec", "template"]), None::<&Value>);
}

#[test]
fn its_pods_go_when_the_rollout_is_healthy() {
    let mut world = world("onsuccess");
    world.broken.insert("shop:1".to_owned());
    world.settle();
    assert_eq!(left(&world), Some(4), "not before");
    world.broken.clear();
    world.settle();
    world.settle();
    assert_eq!((world.phase(), left(&world)), ("Healthy".to_owned(), Some(0)));
    // Somebody else scales it up again.
    world.workload.as_mut().unwrap().set(&["spec", "replicas"], 4);
    world.settle();
    assert_eq!(left(&world), Some(0), "#4935");
}

#[test]
fn its_pods_go_as_those_of_the_rollout_come() {
    let mut world = world("progressively");
    world.few.insert("shop:1".to_owned(), 3);
    world.settle();
    assert_eq!(left(&world), Some(1));
    world.few.clear();
    world.settle();
    world.settle();
    assert_eq!(left(&world), Some(0));
}

#[test]
fn what_cannot_be_used() {
    let mut gone = world("never");
    gone.workload = None;
    assert_eq!(gone.problems(), [r#"deployments.apps "shop" not found"#]);
    gone.rollout.set(&["spec", "workloadRef", "kind"], "StatefulSet");
    assert_eq!(gone.problems(), ["workload of type apps/v1/StatefulSet is not supported"]);
    let mut both = world("never");
    both.rollout.set(&["spec", "template"], json!({"spec": {"containers": [{"name": "c"}]}}));
    let message = "spec.template: Internal error: template must be empty for workload reference rollout";
    assert_eq!(both.problems(), [message]);
}
