//! Blue-green updates in a world of objects in memory.

use object::{Value, json};
use rollout::{Action, Reason};

use crate::world::World;

fn world(extra: &str) -> World {
    let mut world = World::blue_green(3, &format!("activeService: live\npreviewService: next\n{extra}"));
    world.service("live");
    world.service("next");
    let metric = json!({"name": "m", "provider": {"web": {"url": "http://x"}}});
    world.template(json!({"metadata": {"name": "t"}, "spec": {"metrics": [metric]}}));
    world
}

fn reasons(world: &World) -> Vec<&str> {
    world.events.iter().map(|event| event.reason.as_str()).collect()
}

fn hash(world: &World) -> String {
    world.status()["currentPodHash"].as_str().unwrap().to_owned()
}

#[test]
fn by_itself_it_switches_when_all_new_pods_are_there() {
    let mut world = world("");
    world.settle();
    let first = hash(&world);
    assert_eq!(world.phase(), "Healthy");
    assert_eq!(
        reasons(&world),
        [
            "RolloutUpdated",
            "NewReplicaSetCreated",
            "SwitchService",
            "ScalingReplicaSet",
            "RolloutCompleted",
            "SwitchService"
        ]
    );
    assert!(
        world.said("SwitchService", &format!("Switched selector for service 'live' from '' to '{first}'"))
    );
    world.events.clear();
    world.set_image("shop:2");
    world.settle();
    let second = hash(&world);
    assert_eq!((world.phase(), world.sizes()), ("Healthy".to_owned(), vec![3, 3]));
    assert_eq!(
        reasons(&world),
        [
            "RolloutUpdated",
            "NewReplicaSetCreated",
            "SwitchService",
            "RolloutNotCompleted",
            "ScalingReplicaSet",
            "SwitchService",
            "RolloutCompleted"
        ]
    );
    let message = format!("Rollout completed update to revision 2 ({second}): Completed blue-green update");
    assert!(world.said("RolloutCompleted", &message));
    let status = world.status();
    for (field, value) in
        [("replicas", 6), ("HPAReplicas", 3), ("availableReplicas", 3), ("readyReplicas", 3)]
    {
        assert_eq!(status[field], json!(value), "{field}");
    }
    assert_eq!(status["selector"], json!(format!("app=shop,rollouts-pod-template-hash={second}")));
    assert_eq!(status["blueGreen"], json!({"activeSelector": second, "previewSelector": second}));
    assert_eq!(status["duration"]["completionStatus"], json!("Promoted"));
    assert_eq!((status.get("currentStepHash"), status.get("currentStepIndex")), (None, None));

    // The old pods stay for half a minute.
    let before = world.now;
    world.wake();
    assert!(world.now.since(before).as_secs() <= 30);
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Healthy".to_owned(), vec![0, 3]));
    assert_eq!(world.set_of(&first).annotation("scale-down-deadline"), None);
    assert_eq!(world.last_wake(), None);
}

#[test]
fn by_hand_with_a_small_preview() {
    let mut world = world("autoPromotionEnabled: false\npreviewReplicaCount: 1");
    world.settle();
    let first = hash(&world);
    world.set_image("shop:2");
    world.settle();
    let second = hash(&world);
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![3, 1]));
    assert_eq!(world.status()["message"], json!("BlueGreenPause"));
    assert_eq!((world.selected("live"), world.selected("next")), (first.clone(), second.clone()));
    assert_eq!(world.status()["availableReplicas"], json!(3));
    assert_eq!(world.status()["updatedReplicas"], json!(1));
    assert!(world.waits_for(|reason| matches!(reason, Reason::WaitingOnPromotion { .. })));
    world.tick(60);
    world.promote();
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Healthy".to_owned(), vec![3, 3]));
    assert_eq!(world.selected("live"), second);
    assert_eq!(world.status()["blueGreen"].get("scaleUpPreviewCheckPoint"), None);
    assert_eq!(world.status()["duration"]["totalManualPauseDurationSeconds"], json!(60));
}

#[test]
fn the_time_before_the_switch() {
    let mut world = world("autoPromotionSeconds: 20");
    world.settle();
    world.set_image("shop:2");
    world.settle();
    assert_eq!(
        (world.phase(), world.status()["message"].clone()),
        ("Paused".to_owned(), json!("BlueGreenPause"))
    );
    assert!(world.waits_for(|reason| matches!(reason, Reason::WaitingOnTime { .. })));
    let start = world.now;
    world.wake();
    assert_eq!(world.now.since(start).as_secs(), 20);
    world.settle();
    assert_eq!(world.phase(), "Healthy");
    assert_eq!(world.selected("live"), hash(&world));
}

#[test]
fn an_abort_keeps_the_users_and_lets_the_preview_go_later() {
    let mut world = world("autoPromotionEnabled: false");
    world.settle();
    let first = hash(&world);
    world.set_image("shop:2");
    world.settle();
    world.patch_status(&json!({"abort": true}));
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Degraded".to_owned(), vec![3, 3]));
    assert_eq!(world.status()["message"], json!("RolloutAborted: Rollout aborted update to revision 2"));
    assert_eq!(world.selected("live"), first);
    let preview = hash(&world);
    assert!(world.set_of(&preview).annotation("scale-down-deadline").is_some());
    assert!(world.waits_for(|reason| matches!(reason, Reason::WaitingOnScaleDown { .. })));
    world.wake();
    world.settle();
    assert_eq!(world.sizes(), [3, 0]);
    // Retried, it pauses again before the switch.
    world.patch_status(&json!({"abort": false}));
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![3, 3]));
    assert_eq!(world.set_of(&preview).annotation("scale-down-deadline"), None);
    assert_eq!(world.status()["abortedAt"], json!(null));
    world.promote();
    world.settle();
    assert_eq!((world.phase(), world.selected("live")), ("Healthy".to_owned(), preview));
}

#[test]
fn an_abort_delay_of_zero_is_for_ever() {
    let mut world = world("autoPromotionEnabled: false\nabortScaleDownDelaySeconds: 0");
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.patch_status(&json!({"abort": true}));
    world.settle();
    world.tick(86_400);
    world.settle();
    assert_eq!(world.sizes(), [3, 3]);
}

#[test]
fn back_within_the_delay_needs_no_pause() {
    let mut world = world("autoPromotionEnabled: false\nscaleDownDelaySeconds: 600");
    world.settle();
    let first = hash(&world);
    world.set_image("shop:2");
    world.settle();
    world.promote();
    world.settle();
    assert_eq!(world.sizes(), [3, 3]);
    world.set_image("shop:1");
    world.settle();
    assert_eq!((world.phase(), world.selected("live")), ("Healthy".to_owned(), first.clone()));
    let message = format!("Rollout completed update to revision 3 ({first}): Fast rollback");
    assert!(world.said("RolloutCompleted", &message));
    assert_eq!(world.set_of(&first).annotation("scale-down-deadline"), None);
    assert_eq!(world.status()["duration"]["completionStatus"], json!("FastRolledBack"));

    // Once the pods are gone, going back is an update like any other.
    world.tick(700);
    world.settle();
    assert_eq!(world.sizes(), [3, 0]);
    world.set_image("shop:2");
    world.settle();
    assert_eq!(world.phase(), "Paused");
}

#[test]
fn delays_are_limited_in_number_and_zero_is_at_once() {
    let mut limited = world("scaleDownDelayRevisionLimit: 1");
    for version in 1..=4 {
        limited.set_image(&format!("shop:{version}"));
        limited.settle();
    }
    assert_eq!(limited.sizes(), [0, 0, 3, 3]);
    let mut at_once = world("scaleDownDelaySeconds: 0");
    at_once.settle();
    at_once.set_image("shop:2");
    at_once.settle();
    assert_eq!((at_once.phase(), at_once.sizes()), ("Healthy".to_owned(), vec![0, 3]));
}

#[test]
fn a_bad_run_before_the_switch_aborts() {
    let mut world = world("prePromotionAnalysis: {templates: [{templateName: t}]}");
    world.settle();
    assert!(world.runs.is_empty(), "the first deployment is not judged");
    let first = hash(&world);
    world.set_image("shop:2");
    world.settle();
    let run = world.only_run();
    let revision = format!("shop-{}-2-pre", hash(&world));
    assert_eq!((run.name(), run.label("rollout-type")), (revision.as_str(), Some("PrePromotion")));
    assert_eq!(world.selected("live"), first);
    world.finish_run("Failed", "no good");
    world.settle();
    let message =
        "Rollout aborted update to revision 2: Blue/green pre-promotion analysis phase error/failed: no good";
    assert_eq!(world.status()["message"], json!(format!("RolloutAborted: {message}")));
    let shown = &world.status()["blueGreen"]["prePromotionAnalysisRunStatus"];
    assert_eq!(shown["status"], json!("Failed"), "an abort keeps what it came from");
    // Another try makes another run.
    world.patch_status(&json!({"abort": false}));
    world.settle();
    assert_eq!(world.runs.len(), 2);
    world.finish_run("Successful", "");
    world.settle();
    assert_eq!((world.phase(), world.selected("live")), ("Healthy".to_owned(), hash(&world)));
}

#[test]
fn a_bad_run_after_the_switch_goes_back() {
    for broken in [false, true] {
        let mut world = world("postPromotionAnalysis: {templates: [{templateName: t}]}");
        world.settle();
        let first = hash(&world);
        world.set_image("shop:2");
        world.settle();
        assert_eq!(world.selected("live"), hash(&world));
        assert_eq!(world.status()["stableRS"], json!(first));
        assert_eq!(world.status()["message"], json!("waiting for analysis to complete"));
        assert_eq!(world.only_run().label("rollout-type"), Some("PostPromotion"));
        world.tick(120);
        world.settle();
        assert_eq!(world.sizes(), [3, 3], "the old pods stay while the new ones are judged");
        if broken {
            world.broken.insert("shop:2".to_owned());
        }
        world.finish_run("Failed", "m");
        world.settle();
        assert_eq!((world.phase(), world.selected("live")), ("Degraded".to_owned(), first), "{broken}");
        assert_eq!(world.status()["blueGreen"]["activeSelector"], world.status()["stableRS"]);
    }
}

#[test]
fn a_good_run_after_the_switch_completes() {
    let mut world = world("postPromotionAnalysis: {templates: [{templateName: t}]}");
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.finish_run("Inconclusive", "");
    world.settle();
    assert_eq!(world.status()["message"], json!("InconclusiveAnalysisRun"));
    world.promote();
    world.settle();
    assert_eq!(world.runs.len(), 2);
    world.finish_run("Successful", "");
    world.settle();
    assert_eq!(
        (world.phase(), world.status()["stableRS"].clone()),
        ("Healthy".to_owned(), json!(hash(&world)))
    );
}

#[test]
fn a_third_version_leaves_the_users_with_the_first() {
    let mut world = world("autoPromotionEnabled: false");
    world.settle();
    let first = hash(&world);
    world.set_image("shop:2");
    world.settle();
    world.set_image("shop:3");
    world.settle();
    assert_eq!((world.phase(), world.selected("live")), ("Paused".to_owned(), first));
    assert_eq!(world.sizes(), [3, 3, 3], "the second goes after its delay");
    world.wake();
    world.settle();
    assert_eq!(world.sizes(), [3, 0, 3]);
    world.promote();
    world.settle();
    assert_eq!((world.phase(), world.selected("live")), ("Healthy".to_owned(), hash(&world)));
}

#[test]
fn promote_full_skips_pause_and_analysis_and_waits_for_all_pods() {
    let mut world = world(
        "autoPromotionEnabled: false\npreviewReplicaCount: 1\nprePromotionAnalysis: {templates: [{templateName: t}]}",
    );
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.patch_status(&json!({"promoteFull": true}));
    world.settle();
    assert_eq!((world.phase(), world.selected("live")), ("Healthy".to_owned(), hash(&world)));
    assert!(world.only_run().flag(&["spec", "terminate"]));
    let message =
        format!("Rollout completed update to revision 2 ({}): Full promotion requested", hash(&world));
    assert!(world.said("RolloutCompleted", &message));
    assert_eq!(world.status()["duration"]["completionStatus"], json!("FastPromoted"));
}

#[test]
fn another_number_of_pods_during_the_pause() {
    let mut world = world("autoPromotionEnabled: false");
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world.rollout.set(&["spec", "replicas"], 5);
    world.bump();
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![5, 5]));
    assert_eq!(world.status()["HPAReplicas"], json!(5));
}

#[test]
fn a_paused_one_scales_and_does_not_switch() {
    let mut world = world("");
    world.settle();
    let first = hash(&world);
    world.set_image("shop:2");
    world.rollout.set(&["spec", "paused"], true);
    world.settle();
    assert_eq!((world.phase(), world.sizes()), ("Paused".to_owned(), vec![3, 3]));
    assert_eq!((world.selected("live"), world.selected("next")), (first.clone(), first));
    world.rollout.set(&["spec", "paused"], false);
    world.bump();
    world.settle();
    assert_eq!((world.phase(), world.selected("live")), ("Healthy".to_owned(), hash(&world)));
}

#[test]
fn pods_that_never_come_keep_the_users_where_they_are() {
    let mut world = world("");
    world.rollout.set(&["spec", "progressDeadlineAbort"], Value::Bool(true));
    world.settle();
    let first = hash(&world);
    world.broken.insert("shop:bad".to_owned());
    world.set_image("shop:bad");
    world.settle();
    assert_eq!(world.status()["message"], json!("active service cutover pending"));
    world.tick(600);
    world.settle();
    assert_eq!((world.phase(), world.selected("live")), ("Degraded".to_owned(), first));
    assert_eq!(world.status()["abort"], json!(true));
}

#[test]
fn a_restart_evicts_a_few_pods_at_a_time() {
    let mut world = world("maxUnavailable: 1");
    world.settle();
    world.tick(60);
    world.rollout.set(&["spec", "restartAt"], world.now.to_string());
    world.bump();
    world.settle();
    assert_eq!((world.evicted.len(), world.most_evicted), (3, 1));
    assert_eq!(world.phase(), "Healthy");
}

/// Found by simulation (seed 177): pods of the version before, which are on their way out, made up for missing ones.
#[test]
fn a_restart_does_not_count_pods_that_are_going() {
    let mut world = world("");
    world.settle();
    world.set_image("shop:2");
    world.settle();
    let before = world.pods.clone();
    world.tick(31);
    world.settle();
    let named = |size: i64| {
        let mut sets = world.sets.values();
        sets.find(|set| set.int(&["spec", "replicas"]) == Some(size)).unwrap().name().to_owned()
    };
    let (old, new) = (named(0), named(3));
    world.pods = before;
    let counts = |count: i64| json!({"replicas": 3, "readyReplicas": count, "availableReplicas": count});
    world.sets.get_mut(&old).unwrap().set(&["status"], counts(3));
    world.sets.get_mut(&new).unwrap().set(&["status"], counts(2));
    let missing = world.pods.keys().find(|pod| pod.starts_with(&new)).cloned().unwrap();
    world.pods.get_mut(&missing).unwrap().set(&["status"], json!({}));
    world.tick(10);
    world.rollout.set(&["spec", "restartAt"], world.now.to_string());
    world.bump();
    let actions = world.plan().actions;
    assert!(!actions.iter().any(|action| matches!(action, Action::EvictPod { .. })), "{actions:?}");
}
