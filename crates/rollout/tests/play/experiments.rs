//! Experiment steps in a world of objects in memory; somebody else plays the Experiment controller.

use object::{Value, json};
use rollout::Action;

use crate::world::World;

const STEPS: &str = "
- experiment:
    duration: 10m
    templates:
    - {name: baseline, specRef: stable}
    - {name: new, specRef: canary, replicas: 2, metadata: {labels: {kind: test}}}
    analyses:
    - {name: check, templateName: t, args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]}
- setWeight: 50
- pause: {}
";

fn world() -> World {
    let mut world = World::new(2, &format!("steps:{STEPS}"));
    let metric = json!({"name": "m", "provider": {"web": {"url": "http://x"}}});
    world.template(
        json!({"metadata": {"name": "t"}, "spec": {"args": [{"name": "hash"}], "metrics": [metric]}}),
    );
    world.settle();
    world
}

fn finish(world: &mut World, status: &Value) {
    let newest = world.experiments.values_mut().max_by_key(|experiment| experiment.creation_time()).unwrap();
    newest.set(&["status"], status.clone());
    world.settle();
}

#[test]
fn a_good_one_completes_the_step() {
    let mut world = world();
    assert!(world.experiments.is_empty());
    world.set_image("shop:2");
    world.settle();
    assert_eq!(world.sizes(), [2, 0]);
    let experiment = world.experiments.values().next().unwrap();
    let hash = world.status()["currentPodHash"].as_str().unwrap();
    assert_eq!(experiment.name(), format!("shop-{hash}-2-0"));
    assert_eq!(world.status()["canary"]["currentExperiment"], json!(experiment.name()));
    let templates = experiment.items(&["spec", "templates"]);
    assert_eq!(templates[1]["selector"]["matchLabels"]["kind"], json!("test"));
    assert_eq!(templates[1]["template"]["metadata"]["labels"]["kind"], json!("test"));
    assert_eq!(experiment.items(&["spec", "analyses"])[0]["args"], json!([{"name": "hash", "value": hash}]));
    assert!(world.said("ExperimentCreated", &format!("Created Experiment 'shop-{hash}-2-0'")));
    finish(&mut world, &json!({"phase": "Successful"}));
    assert!(world.said("RolloutStepCompleted", "Rollout step 1/3 completed (experiment)"));
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![1, 1]));
    assert_eq!(world.status()["canary"], json!({}));
}

#[test]
fn a_bad_one_aborts_and_a_retry_makes_another() {
    let mut world = world();
    world.set_image("shop:2");
    world.settle();
    finish(&mut world, &json!({"phase": "Failed", "message": "no good"}));
    let message = "RolloutAborted: Rollout aborted update to revision 2: Experiment analysis phase is error/failed: no good";
    assert_eq!(world.status()["message"], json!(message));
    world.patch_status(&json!({"abort": false}));
    world.settle();
    assert_eq!(world.experiments.len(), 2);
    assert!(world.experiments.keys().any(|name| name.ends_with("-2-0-1")));
    finish(&mut world, &json!({"phase": "Successful"}));
    assert_eq!(world.phase(), "Paused");
}

#[test]
fn one_that_cannot_tell_pauses_and_a_resume_makes_another() {
    let mut world = world();
    world.set_image("shop:2");
    world.settle();
    finish(&mut world, &json!({"phase": "Inconclusive"}));
    assert_eq!(world.status()["message"], json!("InconclusiveExperiment"));
    world.tick(60);
    world.promote();
    world.settle();
    assert_eq!(world.status()["duration"]["totalManualPauseDurationSeconds"], json!(60));
    assert_eq!(world.experiments.len(), 2);
}

#[test]
fn an_abort_and_another_version_end_it() {
    let mut world = world();
    world.set_image("shop:2");
    world.settle();
    world.patch_status(&json!({"abort": true}));
    world.settle();
    assert!(world.experiments.values().all(|experiment| experiment.flag(&["spec", "terminate"])));
    world.set_image("shop:3");
    world.settle();
    assert_eq!(world.experiments.len(), 2);
    let running = world.experiments.values().filter(|it| !it.flag(&["spec", "terminate"])).count();
    assert_eq!(running, 1);
}

/// Found by simulation: the pass that made it died before its status was stored, and the next made another.
#[test]
fn one_that_runs_already_is_taken() {
    let mut world = world();
    world.set_image("shop:2");
    while world.experiments.is_empty() {
        world.pass();
    }
    let made = world.experiments.values_mut().next().unwrap();
    made.set(&["status"], json!({"phase": "Running"}));
    world.patch_status(&json!({"canary": {"currentExperiment": null}}));
    world.settle();
    assert_eq!(world.experiments.len(), 1);
    let name = world.experiments.keys().next().unwrap();
    assert_eq!(world.status()["canary"]["currentExperiment"], json!(name));
}

/// Found by simulation: two Experiments ran at once for as long as the pass took.
#[test]
fn that_of_the_version_before_ends_first() {
    let mut world = world();
    world.set_image("shop:2");
    world.settle();
    world.set_image("shop:3");
    let position = |world: &World, wanted: fn(&Action) -> bool| world.plan().actions.iter().position(wanted);
    while position(&world, |action| matches!(action, Action::CreateExperiment(_))).is_none() {
        assert!(world.pass());
    }
    let made = position(&world, |action| matches!(action, Action::CreateExperiment(_)));
    let ended = position(&world, |action| matches!(action, Action::TerminateExperiment { .. }));
    assert!(ended.is_none_or(|ended| Some(ended) < made), "{:?}", world.plan().actions);
    world.settle();
    let running = world.experiments.values().filter(|it| !it.flag(&["spec", "terminate"])).count();
    assert_eq!((world.experiments.len(), running), (2, 1));
}
