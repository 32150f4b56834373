//! What goes wrong in the middle of an update.

use std::time::Duration;

use node::Rule;
use object::{Key, Object, json};
use runtime::{Patch, Subresource, resources};

use crate::world::{Setup, World, half_and_pause, template};

#[tokio::test(start_paused = true)]
async fn a_replica_set_deleted_by_hand_comes_back() {
    let world = World::start().await;
    world.healthy_rollout("r", half_and_pause()).await;
    world.image("r", "shop:2").await;
    let paused = world.phase("r", "Paused").await;
    let canary = format!("r-{}", paused.str(&["status", "currentPodHash"]));
    let uid = world.get(&resources::REPLICA_SETS, &canary).await.unwrap().uid().to_owned();
    world.delete(&resources::REPLICA_SETS, &canary).await;
    let is_back = |set: &Object| set.uid() != uid && set.int(&["status", "availableReplicas"]) == Some(2);
    world.until(&resources::REPLICA_SETS, &canary, is_back).await;
    let again = world.phase("r", "Paused").await;
    assert_eq!(again.int(&["status", "currentStepIndex"]), Some(1));
    assert_eq!(world.sizes().await.iter().sum::<i64>(), 4);
    world.patch_on(Subresource::Status, "r", json!({"status": {"pauseConditions": null}})).await;
    world.phase("r", "Healthy").await;
    world.stop().await;
}

/// Waits for the deadline of an update to `shop:bad`, whose pods do as the rule says, and returns how many seconds after
/// the last progress it came.
async fn misses_deadline(rule: Rule) -> u64 {
    let rule = Rule { image: "shop:bad".to_owned(), ..rule };
    let world = World::with(Setup { rules: vec![rule], ..Setup::default() }).await;
    // No whole second, so that rounding shows.
    world.cluster.clock().sleep(Duration::from_millis(700)).await;
    world.healthy_rollout("r", half_and_pause()).await;
    world.patch(&resources::ROLLOUTS, "r", json!({"spec": {"progressDeadlineSeconds": 60}})).await;
    world.image("r", "shop:bad").await;
    world.phase("r", "Progressing").await;
    world.pass(30).await;
    let waiting = world.phase("r", "Progressing").await;
    let since = waiting.condition("Progressing").unwrap().last_update_time.unwrap();
    let degraded = world.phase("r", "Degraded").await;
    let now = world.cluster.clock().now();
    let set = format!("r-{}", degraded.str(&["status", "currentPodHash"]));
    let message = format!("ProgressDeadlineExceeded: ReplicaSet \"{set}\" has timed out progressing.");
    assert_eq!(degraded.str(&["status", "message"]), message);
    let late = degraded.condition("Progressing").unwrap().last_update_time.unwrap();
    let (since, late) = (object::Time::parse(&since).unwrap(), object::Time::parse(&late).unwrap());
    assert!(now.since(late) < Duration::from_secs(1));
    // The stable version is as available as before, but for what the strategy lets go.
    let available = degraded.int(&["status", "availableReplicas"]).unwrap();
    assert!(available >= 3, "{available}");
    world.stop().await;
    late.since(since).as_secs()
}

#[tokio::test(start_paused = true)]
async fn pods_that_are_never_ready_miss_the_deadline() {
    assert_eq!(misses_deadline(Rule { never_ready: true, ..Rule::default() }).await, 60);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_had_misses_the_deadline() {
    assert_eq!(misses_deadline(Rule { image_pull_error: true, ..Rule::default() }).await, 60);
}

#[tokio::test(start_paused = true)]
async fn a_scale_during_a_pause_keeps_the_step() {
    let world = World::start().await;
    world.healthy_rollout("r", half_and_pause()).await;
    world.image("r", "shop:2").await;
    world.phase("r", "Paused").await;
    let scale = Patch::merge(json!({"spec": {"replicas": 10}})).on(Subresource::Scale);
    world.cluster.patch(&resources::ROLLOUTS, &Key::new(crate::world::SPACE, "r"), &scale).await.unwrap();
    let is_scaled = |rollout: &Object| rollout.int(&["status", "availableReplicas"]) == Some(10);
    world.until(&resources::ROLLOUTS, "r", is_scaled).await;
    let paused = world.phase("r", "Paused").await;
    assert_eq!(paused.int(&["status", "currentStepIndex"]), Some(1));
    assert_eq!(world.sizes().await, [5, 5]);
    assert_eq!(paused.int(&["status", "HPAReplicas"]), Some(10));
    assert!(paused.str(&["status", "selector"]).starts_with("app=r"));
    world.stop().await;
}

/// Statuses hold whole seconds, the clock does not: a pause never ends late, and less than a second early.
#[tokio::test(start_paused = true)]
async fn a_pause_ends_on_time() {
    for offset in [0, 1, 499, 500, 999] {
        let world = World::start().await;
        world.healthy_rollout("r", json!([{"setWeight": 50}, {"pause": {"duration": "20s"}}])).await;
        world.cluster.clock().sleep(Duration::from_millis(offset)).await;
        world.image("r", "shop:2").await;
        let paused = world.phase("r", "Paused").await;
        let start = paused.items(&["status", "pauseConditions"])[0]["startTime"].as_str().unwrap().to_owned();
        let stepped = |rollout: &Object| rollout.int(&["status", "currentStepIndex"]) == Some(2);
        world.until(&resources::ROLLOUTS, "r", stepped).await;
        let took = world.cluster.clock().now().since(object::Time::parse(&start).unwrap());
        // Waiting here looks every 250 ms.
        assert!((20_000..20_300).contains(&took.as_millis()), "{offset}: {took:?}");
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn finished_runs_are_kept_as_the_limits_say() {
    let world = World::start().await;
    world.create(&resources::ANALYSIS_TEMPLATES, template("check", &json!({}))).await;
    let analysis = json!({"templates": [{"templateName": "check"}]});
    world.healthy_rollout("r", json!([{"setWeight": 50}, {"analysis": analysis}])).await;
    let limits = json!({"spec": {"analysis": {"successfulRunHistoryLimit": 2}}});
    world.patch(&resources::ROLLOUTS, "r", limits).await;
    for version in 2..7 {
        world.image("r", &format!("shop:{version}")).await;
        world.phase("r", "Progressing").await;
        world.phase("r", "Healthy").await;
    }
    world.pass(60).await;
    let runs = world.list(&resources::ANALYSIS_RUNS).await;
    let mut revisions: Vec<_> =
        runs.iter().map(|run| run.annotation(rollout::keys::REVISION).unwrap()).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, ["5", "6"]);
    world.stop().await;
}
