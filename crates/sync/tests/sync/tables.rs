//! Rules as tables.

use std::path::PathBuf;
use std::time::Duration;

use api::application::{Application, Retry, SyncPhase};
use object::{GroupKind, Key, Object, ObjectKey, Value, json};
use sync::{Action, Level, Role, Settings, Validation, Waiting, Why};

use crate::world::{FIRST, World, found};

fn application(spec: &Value, metadata: &Value) -> Application {
    let mut object = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "app", "namespace": "argocd"},
        "spec": {
            "destination": {"server": api::application::IN_CLUSTER, "namespace": "ns"}, "project": "default",
            "source": {"repoURL": "https://example.com/r", "path": "p"},
        },
    }));
    for (key, value) in spec.as_object().unwrap() {
        object.set(&["spec", key], value.clone());
    }
    for (key, value) in metadata.as_object().unwrap() {
        object.set(&["metadata", key], value.clone());
    }
    Application::from_object(&object).unwrap()
}

fn world(targets: Vec<Object>) -> World {
    let mut world = World::new(application(&json!({}), &json!({})), "2026-11-21T12:00:00Z");
    world.target = found(FIRST, targets);
    world
}

fn config(name: &str, annotations: &Value) -> Object {
    Object::from_value(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "annotations": annotations}, "data": {"a": "b"}}))
}

fn key(kind: &str, name: &str) -> ObjectKey {
    ObjectKey { group_kind: GroupKind::new("", kind), key: Key::new("ns", name) }
}

#[expect(clippy::needless_pass_by_value, reason = "reads well with json!")]
fn request(world: &mut World, sync: Value) {
    world.request(json!({"sync": sync}));
}

fn message(world: &World) -> String {
    world.app.status.operation_state.as_ref().unwrap().message.clone()
}

#[test]
fn kinds_are_applied_in_their_order() {
    let order = [
        "Namespace",
        "ServiceAccount",
        "Secret",
        "ConfigMap",
        "CustomResourceDefinition",
        "Role",
        "Service",
        "Deployment",
        "StatefulSet",
        "Job",
        "Ingress",
        "APIService",
        "Rollout",
    ];
    assert!(order.is_sorted_by_key(|kind| sync::rank(kind)));
    assert_eq!(sync::rank("Rollout"), sync::rank("Anything"));
}

#[test]
fn waves_of_prunes_are_reversed() {
    let reversed: Vec<_> = sync::reversed([5, -1, 0, 5]).into_iter().collect();
    assert_eq!(reversed, [(-1, 5), (0, 0), (5, -1)]);
}

#[test]
fn retries_wait_as_recorded() {
    let shared = std::env::var("SLIPWAY_SHARED")
        .map_or_else(|_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(shared.join("golden/retry/backoff.yaml")) else {
        eprintln!("NOT RUN: the recorded retry waits are not in {}", shared.display());
        return;
    };
    let cases = object::yaml::document(&text).unwrap();
    for case in cases["cases"].as_array().unwrap() {
        let retry: Retry = serde_json::from_value(case["retry"].clone()).unwrap();
        let expected = &case["expected"];
        match sync::retry_wait(&retry, case["retryCount"].as_i64().unwrap()) {
            Ok(wait) => {
                assert_eq!(Some(wait.as_secs_f64()), expected["waitSeconds"].as_f64(), "{}", case["name"])
            }
            Err(error) => {
                assert_eq!(Some(error.to_string().as_str()), expected["error"].as_str(), "{}", case["name"])
            }
        }
    }
}

#[test]
fn retries_double_up_to_three_minutes() {
    let waits = [0, 1, 5, 6].map(|count| sync::retry_wait(&Retry::default(), count).unwrap().as_secs());
    assert_eq!(waits, [5, 10, 160, 180]);
}

#[test]
fn self_heal_waits_grow() {
    let settings = Settings::default();
    let waits =
        [0, 1, 2, 3, 6, 99].map(|attempts| sync::self_heal_wait(settings.self_heal, attempts).as_secs());
    assert_eq!(waits, [0, 2, 6, 18, 300, 300]);
}

#[test]
fn hooks_are_told_by_annotation() {
    let role = |key: &str, value: &str| {
        let mut object = config("a", &json!({}));
        object.set_annotation(key, value);
        sync::role(&object)
    };
    let (argo, helm) = ("argocd.argoproj.io/hook", "helm.sh/hook");
    assert_eq!(role(argo, "PreSync, PostSync"), Role::Hook(vec![SyncPhase::PreSync, SyncPhase::PostSync]));
    assert_eq!(role(argo, "Skip"), Role::Skipped);
    assert_eq!(role(argo, "Whatever"), Role::Ignored);
    assert_eq!(role(argo, "PostDelete"), Role::Hook(vec![]));
    assert_eq!(role(helm, "pre-install,pre-upgrade"), Role::Hook(vec![SyncPhase::PreSync]));
    assert_eq!(role(helm, "crd-install"), Role::Resource);
    assert_eq!(role(helm, "test"), Role::Ignored);
}

#[test]
fn a_kind_nobody_serves_fails_the_operation() {
    let odd = Object::from_value(json!({"apiVersion": "x.io/v1", "kind": "Odd", "metadata": {"name": "o"}}));
    let mut world = world(vec![config("a", &json!({})), odd]);
    request(&mut world, json!({}));
    world.run();
    assert!(world.log.is_empty(), "nothing is applied");
    assert_eq!(
        message(&world),
        "one or more synchronization tasks are not valid: The Kubernetes API could not find x.io/Odd for requested \
         resource ns/o. Make sure the \"Odd\" CRD is installed on the destination cluster."
    );
}

#[test]
fn a_kind_defined_in_the_same_sync_is_waited_for() {
    let definition = Object::from_value(json!({"apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition", "metadata": {"name": "odds.x.io",
        "annotations": {"argocd.argoproj.io/sync-options": "SkipDryRunOnMissingResource=true"}},
        "spec": {"group": "x.io", "names": {"kind": "Odd"}}}));
    let odd = Object::from_value(json!({"apiVersion": "x.io/v1", "kind": "Odd", "metadata": {"name": "o"}}));
    let mut world = world(vec![odd, definition]);
    request(&mut world, json!({}));
    world.run();
    assert_eq!(
        world.log,
        ["apply apiextensions.k8s.io/CustomResourceDefinition/odds.x.io", "apply x.io/Odd/o"]
    );
}

#[test]
fn a_prune_may_be_held_back() {
    let held =
        |value: &str| config(value, &json!({"argocd.argoproj.io/sync-options": format!("Prune={value}")}));
    let mut world = world(vec![held("false"), held("confirm"), held("true")]);
    request(&mut world, json!({}));
    world.run();
    world.log.clear();
    world.target = found(FIRST, vec![]);
    request(&mut world, json!({"prune": true}));
    let step = world.step();
    let text = "waiting for pruning confirmation of /ConfigMap/confirm";
    assert_eq!(step.why, Why::WaitingOn(Waiting::Confirmation(text.into())));
    assert_eq!(message(&world), text);
    assert_eq!(world.log, ["delete /ConfigMap/true"]);
    assert_eq!(world.step().why, Why::WaitingOn(Waiting::Confirmation(text.into())));
    let approval = world.now.to_string();
    world.app.object.set_annotation("argocd.argoproj.io/deletion-approved", &approval);
    world.run();
    assert_eq!(world.live.keys().cloned().collect::<Vec<_>>(), [key("ConfigMap", "false")]);
}

#[test]
fn prune_last_comes_after_every_wave() {
    let wave = |name: &str, wave: &str| config(name, &json!({"argocd.argoproj.io/sync-wave": wave}));
    let mut world = world(vec![wave("old", "-5")]);
    request(&mut world, json!({}));
    world.run();
    world.log.clear();
    world.target = found(FIRST, vec![wave("new", "7")]);
    request(&mut world, json!({"prune": true, "syncOptions": ["PruneLast=true"]}));
    world.run();
    assert_eq!(world.log, ["apply /ConfigMap/new", "delete /ConfigMap/old"]);
}

#[test]
fn the_next_wave_waits_two_seconds_after_a_change() {
    let wave = |name: &str, wave: &str| config(name, &json!({"argocd.argoproj.io/sync-wave": wave}));
    let mut world = world(vec![wave("one", "1"), wave("two", "2")]);
    request(&mut world, json!({}));
    world.step();
    let until = world.now.after(Duration::from_secs(2));
    assert_eq!(world.step().why, Why::WaitingOn(Waiting::WaveDelay(until)));
    world.now = until;
    world.step();
    assert_eq!(world.log, ["apply /ConfigMap/one", "apply /ConfigMap/two"]);
    assert_eq!(message(&world), "successfully synced (all tasks run)");
}

#[test]
fn failure_hooks_run_once_when_the_sync_fails() {
    let bad =
        Object::from_value(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "not-fine"}}));
    let hook = config("on-failure", &json!({"argocd.argoproj.io/hook": "SyncFail"}));
    let mut world = world(vec![bad, hook]);
    request(&mut world, json!({}));
    world.run();
    assert_eq!(world.log, ["apply /Service/not-fine", "apply /ConfigMap/on-failure"]);
    assert!(
        message(&world)
            .starts_with("one or more synchronization tasks completed unsuccessfully, reason: Service")
    );
}

#[test]
fn resources_of_others_are_named_and_may_stop_the_sync() {
    let mut world = world(vec![config("a", &json!({}))]);
    let mut other = config("a", &json!({"argocd.argoproj.io/tracking-id": "other:/ConfigMap:ns/a"}));
    other.set(&["metadata", "namespace"], "ns");
    world.live.insert(key("ConfigMap", "a"), other);
    world.refresh(Level::Latest);
    let text = "ConfigMap/a is part of applications argocd/app and other";
    assert_eq!(world.app.status.conditions[0].message, text);
    request(&mut world, json!({"syncOptions": ["FailOnSharedResource=true"]}));
    world.run();
    assert_eq!(message(&world), format!("Shared resource found: {text}"));
    assert!(world.log.is_empty());
}

#[test]
fn a_copied_mark_makes_nobody_owner() {
    let mut world = world(vec![]);
    let mut copy = config("b", &json!({"argocd.argoproj.io/tracking-id": "app:/ConfigMap:ns/a"}));
    copy.set(&["metadata", "namespace"], "ns");
    world.live.insert(key("ConfigMap", "b"), copy);
    world.refresh(Level::Latest);
    assert_eq!(world.app.status.resources[0].status, None);
    request(&mut world, json!({"prune": true}));
    world.run();
    assert!(world.log.is_empty(), "it is not pruned");
}

#[test]
fn a_failing_source_leaves_the_last_comparison_standing_for_a_while() {
    let mut world = world(vec![]);
    world.refresh(Level::Latest);
    let before = world.app.status.clone();
    world.target = sync::Target::Failed { message: "timeout".into(), since: world.now };
    world.pass(179);
    world.refresh(Level::Latest);
    assert_eq!(world.app.status, before);
    world.pass(1);
    world.refresh(Level::Latest);
    assert_eq!(world.app.status.sync.status, Some(api::application::SyncCode::Unknown));
    assert_eq!(world.app.status.conditions[0].message, "Failed to load target state: timeout");
}

#[test]
fn deletion_goes_backwards_through_the_waves() {
    let wave = |name: &str, wave: &str| config(name, &json!({"argocd.argoproj.io/sync-wave": wave}));
    let keep = config("keep", &json!({"argocd.argoproj.io/sync-options": "Delete=false"}));
    let mut world = world(vec![wave("one", "1"), wave("two", "2"), keep]);
    request(&mut world, json!({}));
    world.run();
    world.log.clear();
    let finalizers = json!({"finalizers": ["resources-finalizer.argocd.argoproj.io", "other"]});
    world.app = application(&json!({}), &finalizers);
    for _ in 0..2 {
        let deletion = sync::deletion(&world.app, &world.observe(Level::Nothing));
        assert_eq!(deletion.finalizers.len(), 2);
        deletion.actions.iter().for_each(|action| drop(world.act(action)));
    }
    assert_eq!(world.log, ["delete /ConfigMap/two", "delete /ConfigMap/one"]);
    let deletion = sync::deletion(&world.app, &world.observe(Level::Nothing));
    assert_eq!((deletion.actions, deletion.finalizers), (vec![], vec!["other".to_owned()]));
}

#[test]
fn only_what_differs_is_applied_when_asked() {
    let mut world = world(vec![config("same", &json!({})), config("changed", &json!({}))]);
    request(&mut world, json!({}));
    world.run();
    world.log.clear();
    world.target = found(FIRST, vec![config("same", &json!({})), config("changed", &json!({"x": "y"}))]);
    request(&mut world, json!({"syncOptions": ["ApplyOutOfSyncOnly=true"]}));
    world.run();
    assert_eq!(world.log, ["apply /ConfigMap/changed"]);
}

#[test]
fn ignored_differences_are_left_alone_when_asked() {
    let mut world = world(vec![config("a", &json!({}))]);
    request(&mut world, json!({}));
    world.run();
    world.live.get_mut(&key("ConfigMap", "a")).unwrap().set(&["data", "a"], "changed");
    let ignores = json!([{"kind": "ConfigMap", "jsonPointers": ["/data/a"]}]);
    world.app.spec = application(&json!({"ignoreDifferences": ignores}), &json!({})).spec;
    world.refresh(Level::Latest);
    assert_eq!(world.app.status.sync.status, Some(api::application::SyncCode::Synced));
    let mut applied = |options: Value| {
        request(&mut world, json!({"syncOptions": options}));
        match &world.plan().actions[..] {
            [Action::Apply { object, .. }] => object.str(&["data", "a"]).to_owned(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(applied(json!(["RespectIgnoreDifferences=true"])), "changed");
    assert_eq!(applied(json!([])), "b");
}

#[test]
fn validation_is_strict_unless_switched_off() {
    let validation = |annotation: &str, options: Value| {
        let mut world = world(vec![config("a", &json!({"argocd.argoproj.io/sync-options": annotation}))]);
        request(&mut world, json!({"syncOptions": options}));
        match &world.plan().actions[..] {
            [Action::Apply { validation, .. }] => *validation,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(validation("", json!([])), Validation::Strict);
    assert_eq!(validation("Validate=false", json!([])), Validation::Off);
    assert_eq!(validation("", json!(["Validate=false"])), Validation::Off);
    assert_eq!(validation("Validate=true", json!(["Validate=false"])), Validation::Strict);
}

#[test]
fn replace_and_force_choose_how_objects_are_applied() {
    let mode = |options: Value, exists: bool| {
        let mut world = world(vec![config("a", &json!({}))]);
        if exists {
            request(&mut world, json!({}));
            world.run();
        }
        request(&mut world, json!({"syncOptions": options}));
        let step = world.plan();
        match &step.actions[..] {
            [Action::Apply { mode, .. }] => format!("{mode:?}"),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(mode(json!([]), true), "Apply");
    assert_eq!(mode(json!(["Force=true"]), true), "ApplyOrRecreate");
    assert_eq!(mode(json!(["Replace=true"]), true), "Replace");
    assert_eq!(mode(json!(["Replace=true", "Force=true"]), true), "Recreate");
    assert_eq!(mode(json!(["Replace=true", "Force=true"]), false), "Replace");
    assert_eq!(mode(json!(["Force=true", "ServerSideApply=true"]), true), "[]");
}

#[test]
fn a_comparison_is_as_thorough_as_it_has_to_be() {
    let mut world = world(vec![]);
    world.refresh(Level::LatestForced);
    let settings = Settings::default();
    let after =
        |world: &World, last| sync::level_needed(&world.app, Level::Recent, last, &settings, world.now);
    let level = |world: &World| after(world, None);
    assert_eq!(level(&world), Level::Recent);
    world.pass(121);
    assert_eq!(level(&world), Level::Latest);
    assert_eq!(after(&world, Some(world.now)), Level::Recent, "it was compared, without anything to write");
    world.app.spec.destination.namespace = "other".into();
    assert_eq!(level(&world), Level::Latest);
    world.app.spec.source.as_mut().unwrap().target_revision = "v2".into();
    assert_eq!(level(&world), Level::LatestForced);
    world.refresh(Level::LatestForced);
    assert_eq!(level(&world), Level::Recent);
    world.app.object.set_annotation("argocd.argoproj.io/refresh", "normal");
    assert_eq!(level(&world), Level::LatestForced);
}

/// An object as Argo CD left it: applied from the client, with what it applied in an annotation.
fn left_by_argo_cd() -> Object {
    let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"},
        "data": {"a": "b", "old": "x"}});
    let owned = json!({"f:data": {".": {}, "f:a": {}, "f:old": {}}, "f:metadata": {"f:annotations": {".": {},
        "f:argocd.argoproj.io/tracking-id": {}, "f:kubectl.kubernetes.io/last-applied-configuration": {}}}});
    let entry = |manager: &str, fields: &Value| {
        json!({"manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "time": "2026-11-20T12:00:00Z", "fieldsV1": fields})
    };
    Object::from_value(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "ns", "resourceVersion": "5", "uid": "u",
            "annotations": {"argocd.argoproj.io/tracking-id": "app:/ConfigMap:ns/a",
                "kubectl.kubernetes.io/last-applied-configuration": applied.to_string()},
            "managedFields": [entry("argocd-controller", &owned), entry("someone", &json!({"f:data": {"f:theirs": {}}}))]},
        "data": {"a": "b", "old": "x", "theirs": "y"}}))
}

#[test]
fn what_argo_cd_applied_is_taken_over() {
    let mut world = world(vec![config("a", &json!({}))]);
    world.live.insert(key("ConfigMap", "a"), left_by_argo_cd());
    world.refresh(Level::Latest);
    assert_eq!(
        world.app.status.sync.status,
        Some(api::application::SyncCode::OutOfSync),
        "the source dropped a field"
    );
    request(&mut world, json!({}));
    world.run();
    let live = &world.live[&key("ConfigMap", "a")];
    assert_eq!(live.get(&["data"]), Some(&json!({"a": "b", "theirs": "y"})));
    assert_eq!(live.annotation("kubectl.kubernetes.io/last-applied-configuration"), None);
    world.refresh(Level::Latest);
    assert_eq!(world.app.status.sync.status, Some(api::application::SyncCode::Synced));
}

#[test]
fn an_object_of_a_kind_not_served_just_now_is_not_extra() {
    let wide =
        |mark: Value| Object::from_value(json!({"apiVersion": "x.io/v1", "kind": "Wide", "metadata": mark}));
    let mut world = world(vec![wide(json!({"name": "w"}))]);
    let live =
        wide(json!({"name": "w", "annotations": {"argocd.argoproj.io/tracking-id": "app:x.io/Wide:ns/w"}}));
    world.live.insert(live.object_key(), live);
    world.refresh(Level::Latest);
    let resources = &world.app.status.resources;
    assert_eq!((resources.len(), resources[0].requires_pruning), (1, false));
}

#[test]
fn a_cluster_that_is_not_known_blocks_the_deletion() {
    let mut world = world(vec![]);
    world.app = application(&json!({}), &json!({"finalizers": ["resources-finalizer.argocd.argoproj.io"]}));
    world.cluster = sync::Cluster::Unknown { message: "gone".into() };
    let deletion = sync::deletion(&world.app, &world.observe(Level::Nothing));
    assert_eq!((deletion.finalizers.len(), deletion.why), (1, Why::Blocked(vec!["gone".into()])));
}

#[test]
fn an_operation_does_not_end_while_a_hook_keeps_our_finalizer() {
    let job =
        Object::from_value(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "hook",
        "annotations": {"argocd.argoproj.io/hook": "Sync"}}}));
    let mut world = world(vec![job]);
    request(&mut world, json!({}));
    world.step();
    let step = sync::step(&world.app, &world.observe(Level::Latest));
    assert!(matches!(step.actions[..], [Action::ReleaseHook { .. }]), "{:?}", step.actions);
    let refused = step.clone().settle(&[sync::Outcome::Refused("conflict".into())], world.now);
    assert!(!refused.done);
    assert_eq!(refused.why.to_string(), "waiting to release hook batch/Job/hook: conflict");
    assert!(step.settle(&[sync::Outcome::Done], world.now).done);
}

#[test]
fn the_time_of_a_comparison_is_written_with_news_only() {
    let mut world = world(vec![config("a", &json!({}))]);
    world.refresh(Level::Latest);
    let first = world.app.status.clone();
    world.pass(300);
    world.refresh(Level::LatestForced);
    assert_eq!(world.app.status, first);

    world.app.object.set_annotation("argocd.argoproj.io/refresh", "normal");
    world.refresh(Level::LatestForced);
    assert_eq!(world.app.status.reconciled_at, Some(world.now), "someone asked and looks for it");
    world.pass(300);
    world.target = found(FIRST, vec![]);
    world.refresh(Level::Latest);
    assert_eq!(world.app.status.reconciled_at, Some(world.now));
}

/// A sync ended, its process died, and the next one finds everything as it was: clients wait for this time.
#[test]
fn the_comparison_after_a_sync_is_written_without_news_too() {
    let mut world = world(vec![config("a", &json!({}))]);
    world.refresh(Level::Latest);
    let finished = world.now.after(Duration::from_secs(5));
    let state =
        json!({"phase": "Succeeded", "operation": {}, "startedAt": world.now, "finishedAt": finished});
    world.app.status.operation_state = serde_json::from_value(state).unwrap();
    world.pass(10);
    let settings = sync::Settings::default();
    let level = sync::level_needed(&world.app, Level::Nothing, Some(world.now), &settings, world.now);
    assert_eq!(level, Level::Latest);
    world.refresh(level);
    assert_eq!(world.app.status.reconciled_at, Some(world.now));
}
