//! What pods carry while they have a role, where they may stand, and how many of them make a step done.

use object::{Object, json};

use crate::world::World;

fn hash(world: &World) -> String {
    world.status()["currentPodHash"].as_str().unwrap().to_owned()
}

fn label<'a>(world: &'a World, hash: &str) -> Vec<Option<&'a str>> {
    let uid = world.set_of(hash).uid();
    let pods = world.pods.values().filter(|pod| pod.controller_uid() == Some(uid));
    pods.map(|pod| pod.label("role")).collect()
}

fn in_template<'a>(set: &'a Object, key: &str) -> &'a str {
    set.str(&["spec", "template", "metadata", "labels", key])
}

#[test]
fn labels_follow_the_role() {
    let mut world = World::new(
        2,
        "{canaryMetadata: {labels: {role: canary}}, stableMetadata: {labels: {role: stable}}, steps: [{setWeight: 50}, {pause: {}}]}",
    );
    world.settle();
    let first = hash(&world);
    assert_eq!(label(&world, &first), [Some("stable"); 2]);
    world.set_image("shop:2");
    world.settle();
    let second = hash(&world);
    assert_eq!(label(&world, &second), [Some("canary")]);
    assert_eq!(in_template(world.set_of(&second), "role"), "canary");
    assert_ne!(first, second);
    world.promote();
    world.settle();
    assert_eq!(world.phase(), "Healthy");
    assert_eq!(label(&world, &second), [Some("stable"); 2], "also of pods that were there before");
    let old = world.set_of(&first);
    assert_eq!(
        (in_template(old, "role"), old.annotation("rollout.argoproj.io/ephemeral-metadata")),
        ("", None)
    );
    assert_eq!(hash(&world), second, "a label of the role is no new version");
}

#[test]
fn labels_follow_the_role_in_blue_green() {
    let mut world = World::blue_green(
        1,
        "{activeService: live, autoPromotionEnabled: false, previewMetadata: {labels: {role: preview}},
            activeMetadata: {labels: {role: active}, annotations: {note: x}}}",
    );
    world.service("live");
    world.settle();
    world.set_image("shop:2");
    world.settle();
    assert_eq!(label(&world, &hash(&world)), [Some("preview")]);
    world.promote();
    world.settle();
    let set = world.set_of(&hash(&world)).clone();
    assert_eq!(label(&world, &hash(&world)), [Some("active")]);
    let kept = r#"{"labels":{"role":"active"},"annotations":{"note":"x"}}"#;
    assert_eq!(set.annotation("rollout.argoproj.io/ephemeral-metadata"), Some(kept));
}

#[test]
fn new_pods_stay_away_from_stable_ones() {
    let rules = ["spec", "template", "spec", "affinity", "podAntiAffinity"];
    let mut world = World::new(
        2,
        "{antiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}, steps: [{setWeight: 50}, {pause: {}}]}",
    );
    world.settle();
    let first = hash(&world);
    assert_eq!(world.set_of(&first).get(&rules), None);
    world.set_image("shop:2");
    world.settle();
    let text = world.set_of(&hash(&world)).get(&rules).unwrap().to_string();
    assert!(text.contains(&first), "{text}");
    // The rule is no new version, and it is not one's own hash either.
    world.promote();
    world.settle();
    assert_eq!((world.phase(), world.sets.len()), ("Healthy".to_owned(), 2));
    world.set_image("shop:1");
    world.settle();
    assert_eq!((hash(&world), world.sets.len()), (first, 2));
}

#[test]
fn some_pods_may_make_a_step_done() {
    for (threshold, phase) in
        [("{type: Pods, value: 1}", "Paused"), ("{type: Percent, value: 90}", "Progressing")]
    {
        let mut world = World::new(
            4,
            &format!(
                "{{replicaProgressThreshold: {threshold}, steps: [{{setWeight: 50}}, {{pause: {{}}}}]}}"
            ),
        );
        world.settle();
        world.few.insert("shop:2".to_owned(), 1);
        world.set_image("shop:2");
        world.settle();
        assert_eq!(world.phase(), phase, "{threshold} {:?}", world.sizes());
    }
}

#[test]
fn a_full_set_is_not_waited_for_at_the_end_either() {
    let mut world =
        World::new(4, "{replicaProgressThreshold: {type: Percent, value: 75}, maxUnavailable: 1}");
    world.settle();
    world.few.insert("shop:2".to_owned(), 3);
    world.set_image("shop:2");
    world.settle();
    assert_eq!(world.status()["stableRS"], json!(hash(&world)));
}
