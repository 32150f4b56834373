//! Nothing of the source may vanish while the Application says Synced.

use api::application::{Application, ConditionKind, OperationPhase, ResultCode, SyncCode};
use object::{Object, Value, json};
use sync::Level;

use crate::world::{FIRST, World, found};

fn world(objects: Vec<Value>) -> World {
    let app = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "app", "namespace": "argocd"},
        "spec": {"destination": {"namespace": "ns", "server": api::application::IN_CLUSTER},
            "source": {"repoURL": "https://git.example/a", "path": "."}},
    }));
    let mut world = World::new(Application::from_object(&app).unwrap(), "2026-11-21T10:00:00Z");
    world.target = found(FIRST, objects.into_iter().map(Object::from_value).collect());
    world
}

fn config(metadata: &Value, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"key": value}})
}

fn warnings(world: &World, kind: ConditionKind) -> Vec<String> {
    let all = world.app.status.conditions.iter();
    all.filter(|condition| condition.kind == kind).map(|condition| condition.message.clone()).collect()
}

fn live(world: &World, name: &str) -> String {
    let found = world.live.values().find(|live| live.name() == name).unwrap();
    found.str(&["data", "key"]).to_owned()
}

#[test]
fn of_two_with_one_key_the_last_wins_and_it_is_told() {
    let (a, again) = (json!({"name": "a"}), json!({"name": "a", "namespace": "ns"}));
    let mut world =
        world(vec![config(&a, "first"), config(&json!({"name": "b"}), "only"), config(&again, "last")]);
    world.refresh(Level::Latest);
    let text = "Resource /ConfigMap/ns/a appeared 2 times among application resources.";
    assert_eq!(warnings(&world, ConditionKind::RepeatedResourceWarning), [text]);
    world.request(json!({"sync": {}}));
    world.run();
    assert_eq!(live(&world, "a"), "last");

    world.target = found(FIRST, vec![Object::from_value(config(&a, "last"))]);
    world.refresh(Level::Latest);
    assert_eq!(warnings(&world, ConditionKind::RepeatedResourceWarning), Vec::<String>::new());
}

#[test]
fn a_hook_counts_as_one_of_two() {
    let hook = json!({"name": "a", "annotations": {"argocd.argoproj.io/hook": "PreSync"}});
    let other = json!({"name": "a", "annotations": {"argocd.argoproj.io/hook": "PostSync"}});
    let text = "Resource /ConfigMap/ns/a appeared 2 times among application resources.";
    for (objects, phase) in [
        (vec![config(&json!({"name": "a"}), "resource"), config(&hook, "hook")], "PreSync"),
        (vec![config(&hook, "hook"), config(&json!({"name": "a"}), "resource")], "Sync"),
        (vec![config(&hook, "hook"), config(&other, "other")], "PostSync"),
    ] {
        let mut world = world(objects);
        world.refresh(Level::Latest);
        assert_eq!(warnings(&world, ConditionKind::RepeatedResourceWarning), [text]);
        world.request(json!({"sync": {}}));
        world.run();
        let state = world.app.status.operation_state.as_ref().unwrap();
        let results = &state.sync_result.as_ref().unwrap().resources;
        let phases: Vec<&str> = results.iter().map(|result| result.sync_phase.unwrap().as_str()).collect();
        assert_eq!(phases, [phase], "{results:?}");
    }
}

#[test]
fn resources_whose_name_the_server_would_make_are_refused_one_by_one() {
    let named = json!({"generateName": "a-"});
    let mut world = world(vec![config(&named, "1"), config(&named, "2"), config(&json!({"name": "b"}), "3")]);
    world.refresh(Level::Latest);
    assert_eq!(world.app.status.sync.status, Some(SyncCode::OutOfSync));
    assert_eq!(world.app.status.resources.len(), 3);
    assert_eq!(warnings(&world, ConditionKind::RepeatedResourceWarning), Vec::<String>::new());
    world.request(json!({"sync": {}}));
    world.run();
    let state = world.app.status.operation_state.as_ref().unwrap();
    assert_eq!(state.phase, OperationPhase::Failed);
    assert_eq!(
        state.message,
        "one or more objects failed to apply (dry run), reason: error: from a-: cannot use generate name with apply"
    );
    let results = &state.sync_result.as_ref().unwrap().resources;
    assert_eq!(results.iter().filter(|result| result.status == Some(ResultCode::SyncFailed)).count(), 2);
    assert_eq!(world.log, Vec::<String>::new(), "nothing is applied");
}

#[test]
fn what_was_left_out_is_told_as_long_as_it_is() {
    let mut world = world(vec![config(&json!({"name": "a"}), "1")]);
    let text = "\"values.yaml\" is left out";
    let sync::Target::Found { left_out, .. } = &mut world.target else { panic!() };
    left_out.push(text.into());
    world.refresh(Level::Latest);
    assert_eq!(warnings(&world, ConditionKind::ExcludedResourceWarning), [text]);
    let sync::Target::Found { left_out, .. } = &mut world.target else { panic!() };
    left_out.clear();
    world.refresh(Level::Latest);
    assert_eq!(warnings(&world, ConditionKind::ExcludedResourceWarning), Vec::<String>::new());
}

#[test]
fn without_validation_unknown_fields_are_neither_applied_nor_a_difference() {
    let mut bad = config(&json!({"name": "a"}), "1");
    bad["surprise"] = 1.into();
    for (own, options) in [(None, json!(["Validate=false"])), (Some("Validate=false"), json!([]))] {
        let mut object = bad.clone();
        if let Some(own) = own {
            object["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-options": own});
        }
        let mut world = world(vec![object]);
        world.app.spec.sync_policy = serde_json::from_value(json!({"syncOptions": options})).unwrap();
        world.request(json!({"sync": {"syncOptions": options}}));
        world.run();
        world.refresh(Level::Latest);
        assert_eq!(world.app.status.sync.status, Some(SyncCode::Synced));
        assert_eq!(world.live.values().next().unwrap().get(&["surprise"]), None);
    }
    let mut world = world(vec![bad]);
    world.request(json!({"sync": {"syncOptions": ["Validate=false"]}}));
    world.run();
    assert_eq!(world.live.values().next().unwrap().get(&["surprise"]), None);
    world.refresh(Level::Latest);
    assert_eq!(world.app.status.sync.status, Some(SyncCode::OutOfSync), "its spec does not say so");
}
