//! Hooks that run when an Application is deleted.

use api::application::{Application, ConditionKind, RESOURCES_FINALIZER};
use object::{Object, Value, json};
use sync::{Level, Target};

use crate::world::{FIRST, World, found};

const PRE: &str = "pre-delete-finalizer.argocd.argoproj.io";
const PRE_CLEANUP: &str = "pre-delete-finalizer.argocd.argoproj.io/cleanup";
const POST: &str = "post-delete-finalizer.argocd.argoproj.io";
const POST_CLEANUP: &str = "post-delete-finalizer.argocd.argoproj.io/cleanup";

fn config(name: &str, annotations: Value) -> Object {
    let mut value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    value["metadata"]["annotations"] = annotations;
    Object::from_value(value)
}

fn hook(name: &str, moment: &str, policy: &str) -> Object {
    let policy = json!(policy);
    config(name, json!({"argocd.argoproj.io/hook": moment, "argocd.argoproj.io/hook-delete-policy": policy}))
}

fn world(objects: Vec<Object>) -> World {
    let app = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "app", "namespace": "argocd", "finalizers": [RESOURCES_FINALIZER]},
        "spec": {"destination": {"namespace": "ns", "server": api::application::IN_CLUSTER},
            "source": {"repoURL": "https://git.example/a", "path": "."}},
    }));
    let mut world = World::new(Application::from_object(&app).unwrap(), "2026-11-21T10:00:00Z");
    world.target = found(FIRST, objects);
    world.request(json!({"sync": {}}));
    world.run();
    compare(&mut world);
    world.log.clear();
    world
}

/// Compares and takes over the finalizers, as the controller does.
fn compare(world: &mut World) {
    let refresh = sync::refresh(&world.app, &world.observe(Level::Latest));
    world.app.status = refresh.status;
    if let Some(finalizers) = refresh.finalizers {
        world.app.object.set(&["metadata", "finalizers"], finalizers);
    }
}

fn delete(world: &mut World) {
    world.app.object.set(&["metadata", "deletionTimestamp"], "2026-11-21T10:00:00Z");
}

/// One pass of the deletion; returns why it ended as it did.
fn pass(world: &mut World) -> String {
    let deletion = sync::deletion(&world.app, &world.observe(Level::Nothing));
    for action in &deletion.actions {
        world.act(action);
    }
    world.app.object.set(&["metadata", "finalizers"], deletion.finalizers);
    world.app.status.conditions = deletion.conditions;
    deletion.why.to_string()
}

fn finish(world: &mut World) {
    for _ in 0..20 {
        if world.app.object.finalizers().is_empty() {
            return;
        }
        pass(world);
    }
    panic!("the deletion does not end: {:?}", world.app.object.finalizers());
}

fn names(world: &World) -> Vec<&str> {
    world.live.values().map(Object::name).collect()
}

fn problems(world: &World) -> Vec<String> {
    let all = world.app.status.conditions.iter();
    let errors = all.filter(|condition| condition.kind == ConditionKind::DeletionError);
    errors.map(|condition| condition.message.clone()).collect()
}

#[test]
fn hooks_of_the_source_hold_the_application_by_finalizers() {
    let both = vec![hook("before", "PreDelete", ""), hook("after", "PostDelete", "")];
    let mut world = world(both);
    let all = [RESOURCES_FINALIZER, PRE, PRE_CLEANUP, POST, POST_CLEANUP];
    assert_eq!(world.app.object.finalizers(), all);
    assert_eq!(names(&world), Vec::<&str>::new(), "a sync does not run them");
    assert!(world.app.status.conditions.is_empty(), "{:?}", world.app.status.conditions);
    assert_eq!(sync::refresh(&world.app, &world.observe(Level::Latest)).finalizers, None);

    world.target = found(FIRST, vec![hook("after", "PostDelete", "")]);
    compare(&mut world);
    assert_eq!(world.app.object.finalizers(), [RESOURCES_FINALIZER, POST, POST_CLEANUP]);
    // a source that cannot be read takes nothing off
    world.target = Target::Failed { message: "gone".into(), since: world.now };
    compare(&mut world);
    assert_eq!(world.app.object.finalizers(), [RESOURCES_FINALIZER, POST, POST_CLEANUP]);
    world.target = found(FIRST, vec![]);
    compare(&mut world);
    assert_eq!(world.app.object.finalizers(), [RESOURCES_FINALIZER]);
}

#[test]
fn they_run_before_and_after_the_objects_go() {
    let mut world = world(vec![
        config("a", json!({})),
        hook("before", "PreDelete", "HookSucceeded"),
        hook("after", "PostDelete", ""),
        Object::from_value(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"generateName": "made-", "annotations": {"helm.sh/hook": "post-delete"}}})),
    ]);
    assert_eq!(names(&world), ["a"]);
    delete(&mut world);
    finish(&mut world);
    assert_eq!(
        world.log,
        [
            "apply /ConfigMap/before",
            "delete /ConfigMap/before",
            "delete /ConfigMap/a",
            "apply /ConfigMap/after",
            "apply /ConfigMap/made-6a740f3-postdelete-1795255200",
        ]
    );
    assert_eq!(
        names(&world),
        ["after", "made-6a740f3-postdelete-1795255200"],
        "they outlive the Application"
    );
}

#[test]
fn one_that_runs_is_waited_for_and_one_that_fails_holds_the_deletion() {
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "before",
        "annotations": {"argocd.argoproj.io/hook": "PreDelete"}}});
    let mut world = world(vec![config("a", json!({})), Object::from_value(job)]);
    delete(&mut world);
    pass(&mut world);
    let set = |world: &mut World, conditions: Value| {
        let job = world.live.values_mut().find(|live| live.kind() == "Job").unwrap();
        job.set(&["status"], json!({"conditions": conditions}));
    };
    set(&mut world, json!([]));
    assert_eq!(pass(&mut world), "waiting for completion of hook batch/Job/before");
    assert!(names(&world).contains(&"a"));

    set(&mut world, json!([{"type": "Failed", "status": "True", "message": "no"}]));
    assert_eq!(pass(&mut world), "blocked: hook batch/Job/before failed before the deletion");
    assert_eq!(problems(&world), ["hook batch/Job/before failed before the deletion"]);
    assert!(names(&world).contains(&"a"));

    set(&mut world, json!([{"type": "Complete", "status": "True"}]));
    finish(&mut world);
    assert_eq!(problems(&world), Vec::<String>::new());
    assert!(!names(&world).contains(&"a"));
}

#[test]
fn one_that_fails_afterwards_does_not_hold_it_and_goes_if_its_policy_says_so() {
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "after", "annotations": {
        "argocd.argoproj.io/hook": "PostDelete", "argocd.argoproj.io/hook-delete-policy": "HookFailed"}}});
    let mut world = world(vec![Object::from_value(job)]);
    delete(&mut world);
    while names(&world).is_empty() {
        pass(&mut world);
    }
    let job = world.live.values_mut().next().unwrap();
    job.set(&["status"], json!({"conditions": [{"type": "Failed", "status": "True", "message": "no"}]}));
    finish(&mut world);
    assert_eq!(names(&world), Vec::<&str>::new());
}

#[test]
fn hooks_that_cannot_be_read_hold_the_deletion_and_are_told() {
    let mut world = world(vec![config("a", json!({})), hook("before", "PreDelete", "")]);
    delete(&mut world);
    let (good, now) = (world.target.clone(), world.now);
    world.target = Target::Failed { message: "repository not found".into(), since: now };
    pass(&mut world);
    assert_eq!(problems(&world), ["hooks of the deletion cannot be read: repository not found"]);
    assert_eq!(world.log, Vec::<String>::new());
    world.target = good;
    finish(&mut world);
    assert_eq!(names(&world), ["before"]);
}
