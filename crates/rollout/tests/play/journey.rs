//! The first journey, played in a world of objects in memory: plans are applied, pods come at once or when told.

use object::json;
use rollout::{Action, Reason};

use crate::world::World;

const CANARY: &str = "
canaryService: shop-canary
stableService: shop-stable
steps:
- setWeight: 20
- pause: {}
- setWeight: 50
- analysis: {templates: [{templateName: webcheck}]}
- pause: {duration: 10}
";

fn world() -> World {
    let mut world = World::new(5, CANARY);
    world.service("shop-canary");
    world.service("shop-stable");
    world.template(json!({"metadata": {"name": "webcheck"}, "spec": {
        "args": [{"name": "service"}, {"name": "hash", "value": "none"}],
        "metrics": [{"name": "webcheck", "provider": {"web": {"url": "http://x"}}}]
    }}));
    world.set_args(&json!([
        {"name": "service", "value": "shop-canary"},
        {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}
    ]));
    world
}

#[test]
fn the_first_deployment_skips_the_steps() {
    let mut world = world();
    world.settle();
    assert_eq!(world.phase(), "Healthy");
    assert_eq!(world.status()["currentStepIndex"], json!(5));
    assert_eq!(world.status()["duration"]["completionStatus"], json!("Promoted"));
    assert_eq!(world.sizes(), [5]);
    let hash = world.status()["stableRS"].as_str().unwrap().to_owned();
    assert_eq!(world.selected("shop-stable"), hash);
    assert_eq!(world.selected("shop-canary"), hash);
    let reasons: Vec<&str> = world.events.iter().map(|event| event.reason.as_str()).collect();
    assert!(reasons.starts_with(&["RolloutUpdated", "NewReplicaSetCreated"]), "{reasons:?}");
    assert!(world.said(
        "RolloutCompleted",
        &format!("Rollout completed update to revision 1 ({hash}): Initial deploy")
    ));
}

#[test]
fn a_good_version_goes_step_by_step() {
    let mut world = world();
    world.settle();
    let first = world.status()["stableRS"].as_str().unwrap().to_owned();
    world.set_image("shop:2");
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![4, 1]));
    assert_eq!(world.status()["message"], json!("CanaryPauseStep"));
    assert!(world.said("RolloutStepCompleted", "Rollout step 1/5 completed (setWeight: 20)"));
    assert_eq!(world.selected("shop-stable"), first);
    assert_ne!(world.selected("shop-canary"), first);
    assert!(world.waits_for(|reason| matches!(reason, Reason::WaitingOnPromotion { .. })));

    world.promote();
    world.settle();
    let run = world.only_run();
    assert_eq!(run.label("rollout-type"), Some("Step"));
    assert_eq!(run.label("step-index"), Some("3"));
    let hash = world.status()["currentPodHash"].clone();
    assert_eq!(run.name(), format!("shop-{}-2-3", hash.as_str().unwrap()));
    assert_eq!(
        run.get(&["spec", "args"]),
        Some(&json!([
            {"name": "service", "value": "shop-canary"}, {"name": "hash", "value": hash}
        ]))
    );
    assert_eq!(world.sizes().iter().sum::<i64>(), 6, "5 pods at 50 % with one to spare are 3 and 3");
    assert!(world.waits_for(|reason| matches!(reason, Reason::WaitingOnAnalysis { .. })));

    world.finish_run("Successful", "");
    world.settle();
    assert_eq!(world.phase(), "Paused");
    let start = world.now;
    world.wake();
    assert_eq!(world.now.since(start).as_secs(), 10);
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Healthy".to_owned(), vec![0, 5]));
    assert!(world.said("RolloutStepCompleted", "Rollout step 5/5 completed (pause: 10s)"));
    assert_eq!(world.selected("shop-stable"), world.selected("shop-canary"));
    assert_eq!(world.status()["stableRS"], hash);
}

#[test]
fn a_bad_version_is_taken_back() {
    let mut world = world();
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.promote();
    world.settle();
    world.finish_run("Failed", "Metric \"webcheck\" assessed Failed due to failed (2) > failureLimit (1)");
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Degraded".to_owned(), vec![5, 0]));
    let message = "Rollout aborted update to revision 2: Step-based analysis phase error/failed: Metric \"webcheck\" assessed Failed due to failed (2) > failureLimit (1)";
    assert_eq!(world.status()["message"], json!(format!("RolloutAborted: {message}")));
    assert!(world.said("RolloutAborted", message));
    assert_eq!(world.status()["currentStepIndex"], json!(0));
    assert_eq!(world.status()["duration"]["completionStatus"], json!("Aborted"));
    assert_eq!(world.status()["canary"], json!({}));
    assert_eq!(world.selected("shop-canary"), world.selected("shop-stable"));
    assert!(world.waits_for(|reason| matches!(reason, Reason::BlockedByAbort { .. })));

    // The user puts the stable template back: no steps, healthy at once.
    world.set_image("shop:1");
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Healthy".to_owned(), vec![5, 0]));
    assert_eq!(world.status()["message"], json!(null));
    assert!(world.said("SkipSteps", "Rollback to stable"));
    assert_eq!(world.rollout.annotation("rollout.argoproj.io/revision"), Some("3"));
}

#[test]
fn abort_and_retry_by_hand() {
    let mut world = world();
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.patch_status(&json!({"abort": true}));
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Degraded".to_owned(), vec![5, 0]));
    assert_eq!(world.status()["message"], json!("RolloutAborted: Rollout aborted update to revision 2"));
    world.patch_status(&json!({"abort": false}));
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![4, 1]));
    assert_eq!(world.status()["abortedAt"], json!(null));
    world.patch_status(&json!({"promoteFull": true}));
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Healthy".to_owned(), vec![0, 5]));
    assert_eq!(world.status()["duration"]["completionStatus"], json!("FastPromoted"));
    assert_eq!(world.status()["promoteFull"], json!(null));
    assert!(world.runs.is_empty(), "a full promotion judges nothing");
}

#[test]
fn an_inconclusive_run_pauses_and_a_resume_makes_a_new_one() {
    let mut world = world();
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.promote();
    world.settle();
    world.finish_run("Inconclusive", "who knows");
    world.settle();
    assert_eq!(world.status()["message"], json!("InconclusiveAnalysisRun"));
    world.promote();
    world.settle();
    assert_eq!(world.runs.len(), 2, "{:?}", world.runs.keys());
    assert!(world.runs.keys().any(|name| name.ends_with("-2-3.1")));
}

#[test]
fn a_background_run_begins_with_its_step_and_ends_with_the_update() {
    let mut world = World::new(
        4,
        "{analysis: {startingStep: 1, templates: [{templateName: t}]}, steps: [{setWeight: 50}, {pause: {}}]}",
    );
    let metric = json!({"name": "m", "interval": "1s", "provider": {"web": {"url": "http://x"}}});
    world.template(json!({"metadata": {"name": "t"}, "spec": {"metrics": [metric]}}));
    world.settle();
    world.set_image("shop:2");
    world.settle();
    assert_eq!(world.only_run().label("rollout-type"), Some("Background"));
    world.finish_run("Running", "");
    world.settle();
    assert!(world.said(
        "AnalysisRunRunning",
        &format!("Background Analysis Run '{}' Status New: 'Running' Previous: ''", world.only_run().name())
    ));
    world.promote();
    world.settle();
    assert_eq!(world.phase(), "Healthy");
    assert!(world.only_run().flag(&["spec", "terminate"]));
    assert_eq!(world.status()["canary"], json!({}));
}

#[test]
fn pods_that_never_come_pass_the_deadline() {
    let mut world = World::new(3, "{steps: [{setWeight: 50}, {pause: {}}]}");
    world.settle();
    world.broken.insert("shop:bad".to_owned());
    world.set_image("shop:bad");
    world.settle();
    assert_eq!(world.phase(), "Progressing");
    assert!(world.waits_for(|reason| matches!(reason, Reason::WaitingOnDeadline { .. })));
    world.wake();
    world.settle();
    assert_eq!(world.phase(), "Degraded");
    let hash = world.status()["currentPodHash"].as_str().unwrap().to_owned();
    assert_eq!(
        world.status()["message"],
        json!(format!("ProgressDeadlineExceeded: ReplicaSet \"shop-{hash}\" has timed out progressing."))
    );

    let mut world = World::new(3, "{steps: [{setWeight: 50}, {pause: {}}]}");
    world.rollout.set(&["spec", "progressDeadlineAbort"], true);
    world.settle();
    world.broken.insert("shop:bad".to_owned());
    world.set_image("shop:bad");
    world.settle();
    world.wake();
    world.settle();
    assert_eq!(world.sizes(), [3, 0]);
    assert_eq!(
        world.status()["message"],
        json!(format!(
            "RolloutAborted: Rollout aborted update to revision 2: ReplicaSet \"shop-{hash}\" has timed out progressing."
        ))
    );
}

#[test]
fn a_paused_rollout_stands_still_and_a_scaled_one_keeps_its_step() {
    let mut world = World::new(4, "{steps: [{setWeight: 50}, {pause: {}}]}");
    world.settle();
    world.set_image("shop:2");
    world.rollout.set(&["spec", "paused"], true);
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![4, 0]));
    assert_eq!(world.status()["message"], json!("manually paused"));
    world.rollout.set(&["spec", "paused"], false);
    world.bump();
    world.settle();
    assert_eq!(world.sizes(), [2, 2]);
    world.rollout.set(&["spec", "replicas"], 8);
    world.bump();
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![4, 4]));
}

#[test]
fn a_restart_evicts_older_pods_a_few_at_a_time() {
    let mut world = World::new(4, "{}");
    world.settle();
    world.tick(60);
    world.rollout.set(&["spec", "restartAt"], world.now.to_string());
    world.bump();
    world.settle();
    assert_eq!(world.evicted.len(), 4);
    assert_eq!(world.most_evicted, 1, "4 pods with 25 % to spare lose one at a time");
    assert_eq!(world.phase(), "Healthy");
    assert!(world.status()["restartedAt"].is_string());
}

#[test]
fn the_run_of_the_version_before_ends_before_another_begins() {
    let mut world =
        World::new(2, "{analysis: {templates: [{templateName: t}]}, steps: [{setWeight: 50}, {pause: {}}]}");
    let metric = json!({"name": "m", "interval": "1m", "provider": {"web": {"url": "http://x"}}});
    world.template(json!({"metadata": {"name": "t"}, "spec": {"metrics": [metric]}}));
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.set_image("shop:3");
    let mut orders = Vec::new();
    for _ in 0..10 {
        let actions = world.plan().actions;
        let runs = actions.iter().filter_map(|action| match action {
            Action::TerminateAnalysisRun { .. } => Some("end"),
            Action::CreateAnalysisRun { .. } => Some("begin"),
            _ => None,
        });
        orders.extend(runs);
        world.pass();
    }
    assert_eq!(orders, ["end", "begin"]);
}

#[test]
fn a_pod_that_goes_is_no_longer_counted_by_a_restart() {
    let mut world = World::new(4, "{}");
    world.settle();
    world.tick(60);
    let pod = world.pods.values_mut().next().unwrap();
    pod.set(&["metadata", "deletionTimestamp"], "2026-01-01T00:00:00Z");
    world.rollout.set(&["spec", "restartAt"], world.now.to_string());
    world.bump();
    world.pass();
    assert!(world.evicted.is_empty(), "its ReplicaSet says that 4 are available, but only 3 are");
}

#[test]
fn old_replica_sets_are_deleted_beyond_the_limit() {
    let mut world = World::new(1, "{}");
    world.rollout.set(&["spec", "revisionHistoryLimit"], 1);
    for version in 1..5 {
        world.set_image(&format!("shop:{version}"));
        world.settle();
        world.tick(10);
    }
    assert_eq!(world.sets.len(), 2);
    assert_eq!(world.phase(), "Healthy");
}

#[test]
fn unknown_fields_of_the_status_stay() {
    let mut world = world();
    world.patch_status(&json!({"future": {"a": 1}, "canary": {"other": 2}}));
    world.settle();
    assert_eq!(world.status()["future"], json!({"a": 1}));
    assert_eq!(world.status()["canary"]["other"], json!(2));
}

#[test]
fn a_taken_name_changes_the_hash() {
    let mut world = World::new(1, "{}");
    let (checked, name) = world.first_set();
    let other = object::Object::from_value(
        json!({"kind": "ReplicaSet", "metadata": {"name": name, "namespace": "n"}}),
    );
    assert!(rollout::collides(&checked, &other));
    let plan = rollout::collided(&checked);
    world.patch_status(&plan.status_patch.unwrap()["status"]);
    let (checked, next) = world.first_set();
    assert_ne!(next, name);
    world.settle();
    assert_eq!(world.phase(), "Healthy");
    assert_eq!(world.status()["collisionCount"], json!(1));
    let ours = world.sets.values().next().unwrap();
    assert_eq!(ours.name(), next);
    assert!(!rollout::collides(&checked, ours), "a ReplicaSet of ours is no collision");
}

/// Type, status, reason and message of all conditions, by type.
fn conditions(world: &World) -> Vec<[String; 4]> {
    let conditions = world.status()["conditions"].as_array().unwrap();
    let mut all: Vec<[String; 4]> = conditions
        .iter()
        .map(|condition| {
            ["type", "status", "reason", "message"].map(|field| condition[field].as_str().unwrap().to_owned())
        })
        .collect();
    all.sort();
    all
}

#[track_caller]
fn check_conditions(world: &World, expected: &[[&str; 4]]) {
    let expected: Vec<[String; 4]> = expected.iter().map(|condition| condition.map(str::to_owned)).collect();
    assert_eq!(conditions(world), expected);
}

/// The conditions at each stop are those recorded from the reference (cases `get-canary-*`).
#[test]
fn conditions_are_those_of_the_reference() {
    let available = ["Available", "True", "AvailableReason", "Rollout has minimum availability"];
    let unhealthy = ["Healthy", "False", "RolloutHealthy", "Rollout is not healthy"];
    let incomplete = ["Completed", "False", "RolloutCompleted", "RolloutCompleted"];
    let complete = ["Completed", "True", "RolloutCompleted", "RolloutCompleted"];
    let healthy = ["Healthy", "True", "RolloutHealthy", "Rollout is healthy"];
    let paused = ["Paused", "True", "RolloutPaused", "Rollout is paused"];
    let progressed = |world: &World| {
        format!(
            "ReplicaSet \"shop-{}\" has successfully progressed.",
            world.status()["currentPodHash"].as_str().unwrap()
        )
    };
    let mut world = World::new(5, "{steps: [{setWeight: 20}, {pause: {}}]}");
    world.settle();
    let message = progressed(&world);
    let rest = ["Progressing", "True", "NewReplicaSetAvailable", message.as_str()];
    check_conditions(&world, &[available, complete, healthy, rest]);

    world.set_image("shop:2");
    world.settle();
    let waits = ["Progressing", "Unknown", "RolloutPaused", "Rollout is paused"];
    check_conditions(&world, &[available, incomplete, unhealthy, paused, waits]);
    assert!(world.events.iter().any(|event| event.reason == "RolloutNotCompleted"));

    world.patch_status(&json!({"abort": true}));
    world.settle();
    let aborted = ["Progressing", "False", "RolloutAborted", "Rollout aborted update to revision 2"];
    check_conditions(&world, &[available, incomplete, unhealthy, paused, aborted]);

    world.patch_status(&json!({"abort": false}));
    world.settle();
    world.promote();
    world.settle();
    let message = progressed(&world);
    let rest = ["Progressing", "True", "NewReplicaSetAvailable", message.as_str()];
    let resumed = ["Paused", "False", "RolloutPaused", "Rollout is paused"];
    check_conditions(&world, &[available, complete, healthy, resumed, rest]);
}

#[test]
fn a_rollback_within_the_window_skips_the_steps() {
    let mut world = World::new(4, "{steps: [{setWeight: 50}, {pause: {}}]}");
    world.rollout.set(&["spec", "rollbackWindow", "revisions"], 2);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.promote();
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Healthy".to_owned(), vec![0, 4]));
    world.set_image("shop:1");
    world.settle();
    let first = world.status()["stableRS"].as_str().unwrap().to_owned();
    assert_eq!((world.phase(), world.sizes()), ("Healthy".to_owned(), vec![4, 0]));
    let message = format!("Rollout completed update to revision 3 ({first}): Rollback within window");
    assert!(world.said("RolloutCompleted", &message));
    assert_eq!(world.status()["duration"]["completionStatus"], json!("FastRolledBack"));
    world.set_image("shop:2");
    world.settle();
    let last = world.rollout.annotation("rollout.argoproj.io/revision").map(str::to_owned);
    assert_eq!(last.as_deref(), Some("4"));
    let set = world
        .sets
        .values()
        .find(|set| set.annotation("rollout.argoproj.io/revision") == last.as_deref())
        .unwrap();
    assert_eq!(set.annotation("rollout.argoproj.io/revision-history"), Some("2"));
}

#[test]
fn a_rollback_beyond_the_window_is_a_usual_update() {
    for (window, phase, sizes) in [(1, "Healthy", [4, 0]), (0, "Paused", [2, 2])] {
        let mut world = World::new(4, "{steps: [{setWeight: 50}, {pause: {}}]}");
        world.rollout.set(&["spec", "rollbackWindow", "revisions"], window);
        world.settle();
        world.tick(1);
        world.set_image("shop:2");
        world.settle();
        world.promote();
        world.settle();
        world.set_image("shop:1");
        world.settle();
        assert_eq!((world.phase().as_str(), world.sizes()), (phase, sizes.to_vec()));
    }
}

#[test]
fn steps_that_need_nothing_cost_one_write() {
    let steps =
        "{steps: [{setWeight: 50}, {pause: {}}, {setWeight: 60}, {setWeight: 70}, {pause: {duration: 5}}]}";
    let mut world = World::new(1, steps);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    assert_eq!((world.phase().as_str(), world.status()["currentStepIndex"].as_i64()), ("Paused", Some(1)));
    world.through = true;
    world.promote();
    let plan = world.plan();
    let status = plan.status.unwrap();
    assert_eq!((status["currentStepIndex"].as_i64(), &status["phase"]), (Some(4), &json!("Paused")));
    let reasons: Vec<&str> = plan.events.iter().map(|event| event.reason.as_str()).collect();
    let step = "RolloutStepCompleted";
    assert_eq!(reasons, [step, step, step, "RolloutPaused"], "{:?}", plan.events);
    assert!(plan.actions.is_empty() && plan.wake.is_some());
}
