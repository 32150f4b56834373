//! Syncs, and waiting for them.

use cli::Colour;
use object::{Object, Time, json};

use super::{Live, api, application, assert_same, case, run};
use crate::case::play;

/// Returns the Application with health beside each status, as it is while an operation runs.
fn with_health(mut app: Object, health: &[&str]) -> Object {
    let mut entries = app.items(&["status", "resources"]).to_vec();
    for (entry, health) in entries.iter_mut().zip(health) {
        entry["health"] = json!({"status": health});
    }
    app.set(&["status", "resources"], entries);
    app
}

#[tokio::test(start_paused = true)]
async fn sync_prints_each_change_and_the_result() {
    let before = with_health(application("02-out-of-sync-missing"), &["Missing", "Missing"]);
    let after = application("05-synced-healthy");
    let operation = after.get(&["status", "operationState"]).unwrap().clone();
    let mut running = before.clone();
    running.set(&["status", "operationState"], operation.clone());
    running.remove(&["status", "operationState", "finishedAt"]);
    let mut beginning = running.clone();
    let results = ["status", "operationState", "syncResult", "resources"];
    beginning.set(&results, running.items(&results)[..1].to_vec());
    let mut synced = with_health(after.clone(), &["Healthy", "Progressing"]);
    synced.remove(&["status", "operationState", "finishedAt"]);
    let case = case("app-sync");
    let api = api(Some(&before), Live::Healthy);
    api.script(vec![beginning, running, synced, with_health(after, &["Healthy", "Healthy"])]);
    let arguments = case.arguments();
    let now = Time::parse("2026-11-21T10:21:18Z").unwrap();
    let got = play(&api, now, Colour::Off, async |session| cli::argocd::run(arguments, session).await).await;
    assert_same(&case, &got);
    let writes = api.writes();
    assert_eq!(
        writes[0].body["operation"]["sync"],
        json!({
            "syncStrategy": {"hook": {}}, "syncOptions": ["CreateNamespace=true"]
        })
    );
    assert_eq!(writes.len(), 2, "the operation and a refresh: {writes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_sync_fails_the_command() {
    for (name, input) in
        [("app-sync-failed", "24-sync-failed"), ("app-sync-without-prune", "22-prune-skipped")]
    {
        let (case, app) = (case(name), application(input));
        let api = api(Some(&app), Live::Healthy);
        api.script(vec![app]);
        let got = run(&case, &api).await;
        let wanted = case.recorded();
        assert_eq!((got.exit, got.err), (wanted.exit, wanted.err), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_asynchronous_sync_only_asks() {
    let (case, mut app) = (case("app-sync-async"), application("05-synced-healthy"));
    app.set(&["metadata", "name"], "kust");
    let api = api(Some(&app), Live::Healthy);
    assert_same(&case, &run(&case, &api).await);
    assert_eq!(api.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_time_given() {
    let case = case("app-wait-timeout");
    let api = api(Some(&application("02-out-of-sync-missing")), Live::Nothing);
    let arguments = case.arguments();
    let now = Time::parse("2026-11-21T10:21:13Z").unwrap();
    let got = play(&api, now, Colour::Off, async |session| cli::argocd::run(arguments, session).await).await;
    let mut sorted: Vec<String> = got.out.lines().map(str::to_owned).collect();
    let mut wanted: Vec<String> = case.recorded().out.lines().map(str::to_owned).collect();
    // The recorded program prints the resources of one change in no particular order.
    sorted[1..3].sort();
    wanted[1..3].sort();
    assert_eq!(sorted, wanted);
    assert_eq!((got.exit, got.err), (case.recorded().exit, case.recorded().err));
}

#[tokio::test(start_paused = true)]
async fn terminate_asks_the_running_operation_to_stop() {
    let (case, mut app) = (case("app-terminate-op"), application("47-auto-sync-retrying"));
    app.set(&["operation"], json!({"sync": {}}));
    let api = api(Some(&app), Live::Healthy);
    assert_same(&case, &run(&case, &api).await);
    assert_eq!(api.writes()[0].body, json!({"status": {"operationState": {"phase": "Terminating"}}}));
}
