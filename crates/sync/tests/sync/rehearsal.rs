//! Nothing is applied before the server has agreed to everything.

use api::application::{Application, OperationPhase, ResultCode};
use object::{GroupKind, Key, Object, ObjectKey, Value, json};
use sync::{Action, ApplyMode, Outcome, Step, Validation};

use crate::world::{BAD_PORT, FIRST, MALFORMED, World, found};

const UNSUCCESSFUL: &str = "one or more synchronization tasks completed unsuccessfully";

#[expect(clippy::needless_pass_by_value, reason = "reads well with json!")]
fn object(kind: &str, name: &str, more: Value) -> Object {
    let mut value = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    object::Value::as_object_mut(&mut value).unwrap().extend(more.as_object().unwrap().clone());
    Object::from_value(value)
}

fn world(objects: Vec<Object>) -> World {
    let app = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "app", "namespace": "argocd"},
        "spec": {"destination": {"namespace": "ns", "server": api::application::IN_CLUSTER},
            "source": {"repoURL": "https://git.example/a", "path": "."}},
    }));
    let mut world = World::new(Application::from_object(&app).unwrap(), "2026-11-21T10:00:00Z");
    world.target = found(FIRST, objects);
    world.asks = true;
    world
}

fn first(world: &World) -> Step {
    sync::step(&world.app, &world.observe(sync::Level::Latest))
}

/// What is asked before anything is done, as `Kind/name`.
fn asked(step: &Step) -> Vec<String> {
    let name = |action: &Action| match action {
        Action::DryRun { object, .. } => format!("{}/{}", object.kind(), object.name()),
        other => format!("{other:?}"),
    };
    step.actions.iter().map(name).collect()
}

#[test]
fn one_refusal_keeps_everything_from_being_applied() {
    let (fine, bad) = (object("ConfigMap", "fine", json!({})), object("Service", "not-fine", json!({})));
    let mut world = world(vec![fine, bad]);
    world.request(json!({"sync": {}}));
    world.run();
    assert_eq!(world.log, Vec::<String>::new());
    let state = world.app.status.operation_state.as_ref().unwrap();
    assert_eq!(state.phase, OperationPhase::Failed);
    assert_eq!(state.message, format!("{UNSUCCESSFUL}, reason: {BAD_PORT}"));
    let results = &state.sync_result.as_ref().unwrap().resources;
    let short: Vec<_> = results.iter().map(|result| (result.name.as_str(), result.status)).collect();
    assert_eq!(short, [("not-fine", Some(ResultCode::SyncFailed))]);
}

#[test]
fn each_attempt_asks_again_and_goes_on_when_it_fits() {
    let mut world = world(vec![object("Service", "not-fine", json!({}))]);
    world.request(json!({"retry": {"limit": 1, "backoff": {"duration": "2s"}}, "sync": {}}));
    let step = world.step();
    assert_eq!((step.done, world.log.len()), (false, 0));
    world.now = step.wake.unwrap();
    world.target = found(FIRST, vec![object("Service", "fine", json!({}))]);
    world.run();
    assert_eq!(world.log, ["apply /Service/fine"]);
}

#[test]
fn what_comes_with_the_same_sync_is_not_asked_about() {
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "spec": {"group": "x.io", "names": {"kind": "Wide"}}});
    let mut world = world(vec![
        object("ConfigMap", "in-new", json!({"metadata": {"name": "in-new", "namespace": "new"}})),
        object("Namespace", "new", json!({})),
        object("CustomResourceDefinition", "wides.x.io", definition),
        object("Wide", "w", json!({"apiVersion": "x.io/v1"})),
        object("ConfigMap", "in-ns", json!({})),
    ]);
    world.request(json!({"sync": {}}));
    assert_eq!(
        asked(&first(&world)),
        ["Namespace/new", "ConfigMap/in-ns", "CustomResourceDefinition/wides.x.io"]
    );

    let namespace = ObjectKey { group_kind: GroupKind::new("", "Namespace"), key: Key::new("", "new") };
    world.live.insert(namespace, object("Namespace", "new", json!({})));
    assert!(asked(&first(&world)).contains(&"ConfigMap/in-new".to_owned()));
}

#[test]
fn the_namespace_of_the_destination_is_waited_for() {
    let mut world = world(vec![object("ConfigMap", "a", json!({}))]);
    world.request(json!({"sync": {"syncOptions": ["CreateNamespace=true"]}}));
    assert_eq!(asked(&first(&world)), ["Namespace/ns"]);
}

#[test]
fn what_is_asked_is_asked_once_and_as_strictly_as_it_is_applied() {
    let off = json!({"metadata": {"name": "a", "annotations": {"argocd.argoproj.io/sync-options": "Validate=false"}}});
    let mut world = world(vec![object("ConfigMap", "a", off)]);
    world.request(json!({"sync": {}}));
    let step = first(&world);
    assert!(matches!(step.actions[..], [Action::DryRun { validation: Validation::Off, .. }]));
    let next = step.settle(&[Outcome::Done], world.now);
    assert!(matches!(
        next.actions[..],
        [Action::Apply { validation: Validation::Off, mode: ApplyMode::Apply, .. }]
    ));
    let end = next.settle(&[Outcome::Created], world.now);
    assert!(end.done && end.actions.is_empty());
}

#[test]
fn an_answer_that_got_lost_is_asked_for_again() {
    let mut world = world(vec![object("ConfigMap", "a", json!({}))]);
    world.request(json!({"sync": {}}));
    let step = first(&world).settle(&[], world.now);
    assert!(!step.done && step.actions.is_empty());
    assert_eq!(step.wake, Some(world.now));
    assert_eq!(step.status.operation_state.unwrap().sync_result.unwrap().resources, vec![]);
}

#[test]
fn options_that_contradict_each_other_stop_everything() {
    let forced = json!({"metadata": {"name": "b", "annotations": {
        "argocd.argoproj.io/sync-options": "Force=true,ServerSideApply=true"}}});
    let mut world = world(vec![object("ConfigMap", "a", json!({})), object("ConfigMap", "b", forced)]);
    world.request(json!({"sync": {}}));
    world.run();
    assert_eq!(world.log, Vec::<String>::new());
    let message = &world.app.status.operation_state.as_ref().unwrap().message;
    assert!(message.ends_with("--force cannot be used with --server-side"), "{message}");
}

#[test]
fn a_namespace_made_by_the_sync_is_all_there_is_when_its_objects_are_refused() {
    let mut world =
        world(vec![object("ConfigMap", "fine", json!({})), object("Service", "not-fine", json!({}))]);
    let policy = json!({"managedNamespaceMetadata": {"labels": {"team": "x"}}});
    for policy in [json!({}), policy] {
        world.live.clear();
        world.log.clear();
        world.app.spec.sync_policy = serde_json::from_value(policy).unwrap();
        world.request(json!({"sync": {"syncOptions": ["CreateNamespace=true"]}}));
        world.run();
        assert_eq!(world.log, ["apply /Namespace/ns"]);
        let message = &world.app.status.operation_state.as_ref().unwrap().message;
        assert!(message.starts_with(UNSUCCESSFUL), "{message}");
    }
}

fn of_failure(name: &str) -> Object {
    let hook = json!({"metadata": {"name": name, "annotations": {"argocd.argoproj.io/hook": "SyncFail"}}});
    object("ConfigMap", name, hook)
}

#[test]
fn hooks_for_failures_run_when_the_server_refuses_before_anything_is_applied() {
    let objects = || vec![object("ConfigMap", "fine", json!({})), object("Service", "not-fine", json!({}))];
    let mut world = world(objects().into_iter().chain([of_failure("clean-up")]).collect());
    world.request(json!({"sync": {}}));
    world.run();
    assert_eq!(world.log, ["apply /ConfigMap/clean-up"]);
    let state = world.app.status.operation_state.as_ref().unwrap();
    assert_eq!(state.phase, OperationPhase::Failed);
    assert_eq!(state.message, format!("{UNSUCCESSFUL}, reason: {BAD_PORT}"));
    let results = &state.sync_result.as_ref().unwrap().resources;
    let short: Vec<_> = results.iter().map(|r| (r.name.as_str(), r.status, r.hook_phase)).collect();
    assert_eq!(
        short,
        [
            ("not-fine", Some(ResultCode::SyncFailed), Some(OperationPhase::Failed)),
            ("clean-up", Some(ResultCode::Synced), Some(OperationPhase::Succeeded)),
        ]
    );
}

#[test]
fn hooks_for_failures_run_in_each_attempt() {
    let mut world = world(vec![object("Service", "not-fine", json!({})), of_failure("clean-up")]);
    world.request(json!({"retry": {"limit": 1, "backoff": {"duration": "2s"}}, "sync": {}}));
    world.run();
    let ran = world.log.iter().filter(|entry| *entry == "apply /ConfigMap/clean-up").count();
    assert_eq!(ran, 2, "{:?}", world.log);
    let message = &world.app.status.operation_state.as_ref().unwrap().message;
    assert!(message.ends_with("(retried 1 times)."), "{message}");
}

#[test]
fn a_hook_for_failures_that_is_refused_itself_stops_everything() {
    let mut bad = of_failure("not-fine");
    bad.set(&["kind"], "Service");
    let mut world = world(vec![object("ConfigMap", "fine", json!({})), bad]);
    world.request(json!({"sync": {}}));
    world.run();
    assert_eq!(world.log, Vec::<String>::new());
    assert_eq!(world.app.status.operation_state.as_ref().unwrap().phase, OperationPhase::Failed);
}

#[test]
fn what_has_not_the_form_of_its_kind_ends_the_dry_run_without_hooks() {
    let mut world = world(vec![object("ConfigMap", "malformed", json!({})), of_failure("clean-up")]);
    world.request(json!({"sync": {}}));
    world.run();
    assert_eq!(world.log, Vec::<String>::new());
    let message = &world.app.status.operation_state.as_ref().unwrap().message;
    assert_eq!(*message, format!("one or more objects failed to apply (dry run), reason: {MALFORMED}"));
}
