//! Runs recorded on a real Argo CD, played again: the status must come out the same.

use std::path::Path;

use api::application::{Application, SyncCode};
use object::{Object, Time, Value, json};
use sync::{Cluster, Level, Target};

use crate::world::{FIRST, SECOND, World, found, repo};

pub fn recording(name: &str) -> Object {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/sync/recorded/{name}.yaml"));
    Object::from_value(object::yaml::document(&std::fs::read_to_string(path).unwrap()).unwrap())
}

/// A world with the Application of a recording, as it was when it was created.
pub fn world(name: &str, now: &str) -> World {
    let mut object = recording(name);
    let by_server = object.get(&["status", "summary"]).is_some();
    object.remove(&["status"]);
    object.remove(&["operation"]);
    if by_server {
        object.set(
            &["status"],
            json!({"health": {}, "sourceHydrator": {}, "summary": {}, "sync": {"status": ""}}),
        );
    }
    World::new(Application::from_object(&object).unwrap(), now)
}

/// Replaces every time by `T`: runs differ in how long they take.
pub fn timeless(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() == 20 && Time::parse(text).is_ok() => "T".into(),
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), timeless(value))).collect(),
        other => other.clone(),
    }
}

#[track_caller]
pub fn same(world: &World, name: &str) {
    let recorded = recording(name).get(&["status"]).cloned().unwrap();
    let (found, wanted) = (timeless(&world.status()), timeless(&recorded));
    let text = |value: &Value| Object::from_value(value.clone());
    let difference = diff::normal(Some(&text(&found)), Some(&text(&wanted)));
    assert!(found == wanted, "{name}: ours (<) and the recorded status (>) differ:\n{difference}");
}

pub fn spec(world: &mut World, name: &str) {
    let recorded = Application::from_object(&recording(name)).unwrap();
    world.app.spec = recorded.spec;
}

/// A sync as the API server writes it when a person asks for one.
#[expect(clippy::needless_pass_by_value, reason = "reads well with json!")]
fn manual(world: &World, revision: &str, more: Value) -> Value {
    let mut sync = json!({
        "revision": revision, "source": world.app.spec.source, "syncStrategy": {"hook": {}},
        "syncOptions": world.app.spec.sync_options(),
    });
    if sync["syncOptions"] == json!([]) {
        sync.as_object_mut().unwrap().remove("syncOptions");
    }
    let more = more.as_object().unwrap().clone();
    let retry = more.get("retry").cloned().unwrap_or_else(|| json!({}));
    sync.as_object_mut().unwrap().extend(more.into_iter().filter(|(key, _)| key != "retry"));
    json!({"initiatedBy": {"username": "admin"}, "retry": retry, "sync": sync})
}

pub fn sync_manually(world: &mut World, more: Value) {
    let operation = manual(world, FIRST, more);
    world.request(operation);
    world.run();
    world.refresh(Level::LatestForced);
}

#[test]
fn guestbook_from_creation_to_drift() {
    let mut world = world("02-out-of-sync-missing", "2026-11-21T10:21:10Z");
    world.target = found(FIRST, repo("guestbook"));
    world.refresh(Level::LatestForced);
    same(&world, "02-out-of-sync-missing");

    sync_manually(&mut world, json!({"dryRun": true}));
    assert_eq!(world.log, Vec::<String>::new(), "a dry run changes nothing");
    same(&world, "03-after-dry-run");

    spec(&mut world, "04-after-sync-immediate");
    sync_manually(&mut world, json!({}));
    same(&world, "04-after-sync-immediate");

    sync_manually(&mut world, json!({}));
    world.scale(3);
    world.refresh(Level::Recent);
    same(&world, "06-out-of-sync-drift");
}

#[test]
fn differences_are_printed_as_recorded() {
    let mut world = world("02-out-of-sync-missing", "2026-11-21T10:21:10Z");
    world.target = found(FIRST, repo("guestbook"));
    let pairs = sync::refresh(&world.app, &world.observe(Level::Latest)).pairs;
    let mut text = String::new();
    for pair in pairs.resources.values() {
        text += &diff::header(&pair.key);
        text += &diff::normal(pair.live.as_deref(), pair.target.as_deref());
    }
    assert_eq!(text, include_str!("recorded/app-diff-missing-objects.txt"));
}

fn second() -> Vec<Object> {
    let mut objects = repo("guestbook");
    let deployment = objects.iter_mut().find(|object| object.kind() == "Deployment").unwrap();
    let mut container = deployment.items(&["spec", "template", "spec", "containers"])[0].clone();
    container["image"] = "registry.example/guestbook:v2".into();
    deployment.set(&["spec", "template", "spec", "containers"], vec![container]);
    objects
}

#[test]
fn guestbook_between_revisions() {
    let mut world = world("02-out-of-sync-missing", "2026-11-21T10:21:10Z");
    spec(&mut world, "07-synced-to-other-revision");
    world.target = found(FIRST, repo("guestbook"));
    sync_manually(&mut world, json!({}));
    sync_manually(&mut world, json!({}));

    world.target = found(SECOND, second());
    let operation = manual(&world, SECOND, json!({}));
    world.request(operation);
    world.run();
    world.target = found(FIRST, repo("guestbook"));
    world.refresh(Level::LatestForced);
    same(&world, "07-synced-to-other-revision");

    spec(&mut world, "08-automated");
    world.target = found(SECOND, second());
    assert!(!world.refresh(Level::LatestForced), "it is synced already");
    same(&world, "08-automated");

    spec(&mut world, "09-after-rollback");
    let source = json!({"path": "guestbook", "repoURL": "http://127.0.0.1:3000/guestbook.git", "targetRevision": "main"});
    let operation = manual(&world, FIRST, json!({"syncStrategy": {"apply": {}}, "source": source}));
    world.target = found(FIRST, repo("guestbook"));
    world.request(operation);
    world.run();
    world.target = found(SECOND, second());
    world.refresh(Level::LatestForced);
    same(&world, "09-after-rollback");

    spec(&mut world, "10-out-of-sync-resource-deleted");
    world.target = found(FIRST, repo("guestbook"));
    world.live.retain(|key, _| key.group_kind.kind != "Service");
    world.refresh(Level::LatestForced);
    same(&world, "10-out-of-sync-resource-deleted");
}

#[test]
fn hooks_run_around_the_resources() {
    let mut world = world("20-hooks-synced", "2026-11-21T10:22:40Z");
    world.target = found(FIRST, repo("hooks"));
    sync_manually(&mut world, json!({}));
    assert_eq!(
        world.log,
        [
            "apply /Namespace/hooks",
            "apply batch/Job/before",
            "apply /ConfigMap/settings",
            "apply batch/Job/after-6a740f3-postsync-1795256560",
            "delete batch/Job/after-6a740f3-postsync-1795256560",
        ]
    );
    same(&world, "20-hooks-synced");
}

#[test]
fn waves_follow_each_other() {
    let mut world = world("21-waves-synced", "2026-11-21T10:23:06Z");
    world.target = found(FIRST, repo("waves"));
    sync_manually(&mut world, json!({}));
    same(&world, "21-waves-synced");
}

#[test]
fn extra_resources_are_pruned_when_asked() {
    let mut world = world("22-prune-skipped", "2026-11-21T10:23:12Z");
    world.target = found(FIRST, repo("prune-me"));
    let source = |revision: &str| json!({"path": "prune-me", "repoURL": "http://127.0.0.1:3000/guestbook.git", "targetRevision": revision});
    sync_manually(&mut world, json!({"source": source("v1.0.0")}));

    let keep = repo("prune-me").into_iter().filter(|object| object.name() == "keep").collect();
    world.target = found(SECOND, keep);
    let operation = manual(&world, SECOND, json!({}));
    world.request(operation);
    world.run();
    world.refresh(Level::LatestForced);
    same(&world, "22-prune-skipped");

    let operation = manual(&world, SECOND, json!({"prune": true}));
    world.request(operation);
    world.run();
    world.refresh(Level::LatestForced);
    same(&world, "23-pruned");
}

#[test]
fn a_refused_object_fails_the_sync() {
    let mut world = world("24-sync-failed", "2026-11-21T10:23:18Z");
    world.target = found(FIRST, repo("bad-field"));
    sync_manually(&mut world, json!({}));
    same(&world, "24-sync-failed");

    let retry = json!({"limit": 1, "backoff": {"duration": "2s", "factor": 2, "maxDuration": "3m0s"}});
    let operation = manual(&world, FIRST, json!({"retry": retry}));
    world.request(operation);
    world.run();
    world.refresh(Level::LatestForced);
    same(&world, "25-sync-failed-after-retry");
}

/// Phase, message and results of the operation as recorded, but for objects that were applied beside the refused one.
#[track_caller]
fn same_operation_but_for(world: &World, applied: &str, name: &str) {
    let mut recorded = recording(name).get(&["status", "operationState"]).cloned().unwrap();
    let results = recorded["syncResult"]["resources"].as_array_mut().unwrap();
    results.retain(|result| result["name"] != applied);
    let state = &world.status()["operationState"];
    assert_eq!(timeless(state), timeless(&recorded), "{name}");
}

#[test]
fn a_dry_run_that_is_refused_reads_as_recorded_but_applies_nothing() {
    let mut world = world("24-sync-failed", "2026-11-21T10:23:18Z");
    world.asks = true;
    world.target = found(FIRST, repo("bad-field"));
    sync_manually(&mut world, json!({}));
    same_operation_but_for(&world, "fine", "24-sync-failed");

    let retry = json!({"limit": 1, "backoff": {"duration": "2s", "factor": 2, "maxDuration": "3m0s"}});
    let operation = manual(&world, FIRST, json!({"retry": retry}));
    world.request(operation);
    world.run();
    same_operation_but_for(&world, "fine", "25-sync-failed-after-retry");
    assert_eq!(world.log, ["apply /Namespace/bad"]);
}

#[test]
fn a_workload_that_does_not_come_up_degrades_the_application() {
    let mut world = world("26-degraded", "2026-11-21T10:23:24Z");
    world.target = found(FIRST, repo("degraded"));
    sync_manually(&mut world, json!({}));
    same(&world, "26-degraded");
}

#[test]
fn what_cannot_be_compared_is_unknown() {
    let mut broken = world("27-comparison-error", "2026-11-21T10:23:30Z");
    let condition = recording("27-comparison-error");
    let text = condition.items(&["status", "conditions"])[0]["message"].as_str().unwrap().to_owned();
    let message = text.strip_prefix("Failed to load target state: ").unwrap().to_owned();
    broken.target = Target::Failed { message, since: broken.now };
    broken.refresh(Level::LatestForced);
    same(&broken, "27-comparison-error");

    let mut no_project = world("28-unknown-project", "2026-11-21T10:23:31Z");
    no_project.refresh(Level::LatestForced);
    same(&no_project, "28-unknown-project");

    let mut no_cluster = world("29-unknown-cluster", "2026-11-21T10:23:32Z");
    let condition = recording("29-unknown-cluster");
    let message = condition.items(&["status", "conditions"])[0]["message"].as_str().unwrap().to_owned();
    no_cluster.cluster = Cluster::Unknown { message };
    no_cluster.refresh(Level::LatestForced);
    same(&no_cluster, "29-unknown-cluster");
}

#[test]
fn automated_sync_and_self_heal() {
    let mut world = world("32-auto-synced", "2026-11-21T10:23:35Z");
    world.target = found(FIRST, repo("guestbook"));
    assert!(world.refresh(Level::LatestForced));
    world.run();
    world.pass(1);
    assert!(!world.refresh(Level::Latest));
    same(&world, "32-auto-synced");

    world.scale(5);
    assert!(world.refresh(Level::Recent), "the first self-heal is immediate");
    world.run();
    assert!(!world.refresh(Level::Latest));
    same(&world, "33-self-healed");

    world.scale(5);
    assert!(!world.refresh(Level::Recent), "the second one waits 2 s");
    world.pass(2);
    assert!(world.refresh(Level::Recent));
}

#[test]
fn the_namespace_gets_its_metadata() {
    let mut world = world("46-ignore-differences", "2026-11-21T10:33:44Z");
    world.target = found(FIRST, repo("guestbook"));
    assert!(world.refresh(Level::LatestForced));
    world.run();
    world.scale(4);
    assert!(!world.refresh(Level::Latest), "the number of replicas does not count");
    same(&world, "46-ignore-differences");
    let namespace = world.live.values().find(|live| live.kind() == "Namespace").unwrap();
    assert_eq!((namespace.label("team"), namespace.annotation("a")), (Some("x"), Some("b")));

    let policy = world.app.spec.sync_policy.as_mut().unwrap();
    policy.managed_namespace_metadata.as_mut().unwrap().labels.insert("team".into(), "y".into());
    world.refresh(Level::Latest);
    assert_eq!(world.app.status.sync.status, Some(SyncCode::OutOfSync));
}

#[test]
fn server_side_apply_is_named_when_asked_for() {
    let mut world = world("45-server-side-apply", "2026-11-21T10:33:42Z");
    world.target = found(FIRST, repo("guestbook"));
    sync_manually(&mut world, json!({}));
    same(&world, "45-server-side-apply");
}

#[test]
fn automated_sync_gives_up_after_its_retries() {
    let mut world = world("47-auto-sync-retrying", "2026-11-21T10:33:52Z");
    world.target = found(FIRST, repo("bad-field"));
    assert!(world.refresh(Level::LatestForced));
    world.run();
    world.refresh(Level::Recent);
    same(&world, "47-auto-sync-retrying");

    let state = world.app.status.operation_state.as_mut().unwrap();
    state.phase = api::application::OperationPhase::Terminating;
    state.finished_at = None;
    world.run();
    assert!(!world.refresh(Level::Latest));
    same(&world, "48-terminated");
    assert!(!world.refresh(Level::LatestForced));
    same(&world, "49-auto-sync-gave-up");
}

#[test]
fn automated_prune_never_wipes_out_everything() {
    let mut world = world("50-path-gone", "2026-11-21T10:34:02Z");
    spec(&mut world, "51-auto-prune-refuses-empty");
    world.app.spec.source.as_mut().unwrap().directory = None;
    world.target = found(FIRST, repo("prune-me"));
    assert!(world.refresh(Level::LatestForced));
    world.run();
    world.refresh(Level::Latest);
    assert_eq!(world.app.status.sync.status, Some(SyncCode::Synced));

    spec(&mut world, "50-path-gone");
    let condition = recording("50-path-gone");
    let text = condition.items(&["status", "conditions"])[0]["message"].as_str().unwrap().to_owned();
    let message = text.strip_prefix("Failed to load target state: ").unwrap().to_owned();
    world.target = Target::Failed { message, since: world.now };
    world.refresh(Level::LatestForced);
    same(&world, "50-path-gone");

    spec(&mut world, "51-auto-prune-refuses-empty");
    world.target = found(FIRST, vec![]);
    assert!(!world.refresh(Level::LatestForced));
    same(&world, "51-auto-prune-refuses-empty");
}
