//! AnalysisRuns whose metrics are Jobs.

use std::time::Duration;

use node::Rule;
use object::{Object, Value, json};
use runtime::resources;

use crate::world::{Setup, World};

/// A world whose pods end by their image: `ok` after 4 s, `bad` after 4 s with code 1, `long` never, `gone` cannot be had.
async fn world() -> World {
    let rule = |image: &str| Rule { image: image.to_owned(), ..Rule::default() };
    let after = Some(Duration::from_secs(4));
    let rules = vec![
        Rule { exit_after: after, ..rule("ok") },
        Rule { exit_after: after, exit_code: 1, ..rule("bad") },
        Rule { exit_after: Some(Duration::from_secs(1_000_000)), ..rule("long") },
        Rule { image_pull_error: true, ..rule("gone") },
    ];
    World::with(Setup { rules, ..Setup::default() }).await
}

fn job(image: &str) -> Value {
    let pods = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": image}]}});
    json!({"metadata": {"labels": {"team": "shop"}, "annotations": {"why": "test"}},
        "spec": {"backoffLimit": 0, "template": pods}})
}

async fn begin(world: &World, image: &str, more: Value) -> Object {
    let mut metric = json!({"name": "job", "provider": {"job": job(image)}});
    for (key, value) in more.as_object().into_iter().flatten() {
        metric[key] = value.clone();
    }
    let run = json!({"metadata": {"name": "run"}, "spec": {"metrics": [metric]}});
    world.create(&resources::ANALYSIS_RUNS, run).await
}

async fn decided(world: &World) -> Object {
    world.until(&resources::ANALYSIS_RUNS, "run", |run| !run.str(&["status", "completedAt"]).is_empty()).await
}

fn measurement(run: &Object) -> &Value {
    &run.items(&["status", "metricResults"])[0]["measurements"][0]
}

#[tokio::test(start_paused = true)]
async fn a_job_that_completes_is_a_success() {
    let world = world().await;
    let uid = begin(&world, "ok", json!({})).await.uid().to_owned();
    let run = decided(&world).await;
    assert_eq!(run.str(&["status", "phase"]), "Successful");
    let name = format!("{uid}.job.1");
    let one = measurement(&run);
    assert_eq!(one["metadata"], json!({"job-name": name, "job-namespace": "shop"}));
    assert_eq!((&one["phase"], one.get("message")), (&json!("Successful"), None));
    let job = world.get(&resources::JOBS, &name).await.unwrap();
    assert_eq!(job.label("analysisrun.argoproj.io/uid"), Some(uid.as_str()));
    assert_eq!(job.label("team"), Some("shop"));
    let notes = ["name", "namespace", "metric-name"].map(|part| {
        job.annotation(&format!("analysisrun.argoproj.io/{part}")).unwrap_or_default().to_owned()
    });
    assert_eq!(notes, ["run", "shop", "job"]);
    assert_eq!((job.annotation("why"), job.controller_uid()), (Some("test"), Some(uid.as_str())));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_a_failure() {
    let world = world().await;
    begin(&world, "bad", json!({})).await;
    let run = decided(&world).await;
    assert_eq!(
        (run.str(&["status", "phase"]), run.str(&["status", "message"])),
        ("Failed", "Metric \"job\" assessed Failed due to failed (1) > failureLimit (0)")
    );
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_image_cannot_be_had_is_inconclusive() {
    let world = world().await;
    begin(&world, "gone", json!({})).await;
    let run = decided(&world).await;
    assert_eq!(run.str(&["status", "phase"]), "Inconclusive");
    let message = measurement(&run)["message"].as_str().unwrap();
    assert!(message.contains("cannot start container 'c': "), "{message}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_ended_deletes_its_job() {
    let world = world().await;
    let uid = begin(&world, "long", json!({"count": 2, "interval": "1s", "failureLimit": 1}))
        .await
        .uid()
        .to_owned();
    let is_open = |run: &Object| measurement_phase(run) == "Running";
    world.until(&resources::ANALYSIS_RUNS, "run", is_open).await;
    world.pass(60).await;
    world.patch(&resources::ANALYSIS_RUNS, "run", json!({"spec": {"terminate": true}})).await;
    let run = decided(&world).await;
    assert_eq!(
        (run.str(&["status", "phase"]), run.str(&["status", "message"])),
        (
            "Inconclusive",
            "Metric \"job\" assessed Inconclusive due to inconclusive (1) > inconclusiveLimit (0): \
             \"Error Message: Metric Terminated\""
        )
    );
    world.pass(60).await;
    assert!(world.get(&resources::JOBS, &format!("{uid}.job.1")).await.is_none());
    world.stop().await;
}

fn measurement_phase(run: &Object) -> &str {
    run.items(&["status", "metricResults"])
        .first()
        .map_or("", |result| result["measurements"][0]["phase"].as_str().unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn jobs_of_measurements_that_are_not_kept_go() {
    let world = world().await;
    let metric = json!({"name": "job", "interval": "1s", "count": 4, "provider": {"job": job("ok")}});
    let retention = json!([{"metricName": "job", "limit": 2}]);
    let spec = json!({"metrics": [metric], "measurementRetention": retention});
    world.create(&resources::ANALYSIS_RUNS, json!({"metadata": {"name": "run"}, "spec": spec})).await;
    let run = decided(&world).await;
    assert_eq!(run.str(&["status", "phase"]), "Successful");
    world.pass(30).await;
    let mut left: Vec<String> =
        world.list(&resources::JOBS).await.iter().map(|job| job.name().to_owned()).collect();
    left.sort();
    assert_eq!(left, [3, 4].map(|number| format!("{}.job.{number}", run.uid())));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_deleted_by_hand_is_an_error() {
    let world = world().await;
    let uid = begin(&world, "long", json!({"consecutiveErrorLimit": 0})).await.uid().to_owned();
    world.until(&resources::ANALYSIS_RUNS, "run", |run| measurement_phase(run) == "Running").await;
    let name = format!("{uid}.job.1");
    world.delete(&resources::JOBS, &name).await;
    let run = decided(&world).await;
    assert_eq!(run.str(&["status", "phase"]), "Error");
    assert_eq!(measurement(&run)["message"], format!("job.batch \"{name}\" not found"));
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_finished_run_deletes_itself_after_its_time() {
    for (image, strategy) in [
        ("ok", json!({"secondsAfterSuccess": 60})),
        ("bad", json!({"secondsAfterFailure": 60, "secondsAfterSuccess": 1})),
    ] {
        let world = world().await;
        let metrics = json!([{"name": "job", "provider": {"job": job(image)}}]);
        let spec = json!({"metrics": metrics, "ttlStrategy": strategy});
        world.create(&resources::ANALYSIS_RUNS, json!({"metadata": {"name": "run"}, "spec": spec})).await;
        decided(&world).await;
        world.pass(58).await;
        assert!(world.get(&resources::ANALYSIS_RUNS, "run").await.is_some(), "{image}");
        world.pass(3).await;
        assert!(world.get(&resources::ANALYSIS_RUNS, "run").await.is_none(), "{image}");
        world.stop().await;
    }
}
