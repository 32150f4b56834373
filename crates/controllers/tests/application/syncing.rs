//! From the source to the cluster: what is applied, in which order, and what is refused.

use object::{Object, json};
use runtime::resources::{APPLICATIONS, CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, SERVICES};

use crate::world::{World, condition, config};

const AUTOMATED: &str = r#"{"syncPolicy": {"automated": {"prune": true, "selfHeal": true}}}"#;

fn automated() -> object::Value {
    serde_json::from_str(AUTOMATED).unwrap()
}

fn in_wave(name: &str, wave: i64) -> String {
    let annotations = format!("  annotations:\n    argocd.argoproj.io/sync-wave: \"{wave}\"\n");
    config(name, "1").replace("\ndata:\n", &format!("\n{annotations}data:\n"))
}

fn service(name: &str, port: &str) -> String {
    format!("apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  ports:\n  - port: {port}\n")
}

fn message(app: &Object) -> &str {
    app.str(&["status", "operationState", "message"])
}

fn ended(app: &Object) -> bool {
    app.get(&["operation"]).is_none() && app.get(&["status", "operationState", "finishedAt"]).is_some()
}

#[tokio::test(start_paused = true)]
async fn kinds_and_waves_follow_their_order() {
    let world = World::start().await;
    world.commit(&[
        ("1.yaml", &service("front", "80")),
        ("2.yaml", &in_wave("late", 1)),
        ("3.yaml", &config("early", "1")),
        ("4.yaml", &in_wave("first", -1)),
    ]);
    world.create("app", automated()).await;
    let app = world.settled("app", "Synced").await;
    let results = app.items(&["status", "operationState", "syncResult", "resources"]);
    let names: Vec<&str> = results.iter().filter_map(|result| result["name"].as_str()).collect();
    assert_eq!(names, ["first", "early", "front", "late"]);
    let mut stored = Vec::new();
    for (resource, name) in
        [(&CONFIG_MAPS, "first"), (&CONFIG_MAPS, "early"), (&SERVICES, "front"), (&CONFIG_MAPS, "late")]
    {
        let object = world.get(resource, ("shop", name)).await.unwrap();
        stored.push(object.resource_version().parse::<u64>().unwrap());
    }
    assert!(stored.is_sorted(), "{stored:?}");
    assert_eq!(app.str(&["status", "sourceType"]), "Directory");
    assert_eq!(app.items(&["status", "history"]).len(), 1);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_commit_prunes_and_a_manual_edit_is_healed_within_seconds() {
    let world = World::start().await;
    world.commit(&[("a.yaml", &config("a", "1")), ("b.yaml", &config("b", "1"))]);
    world.create("app", automated()).await;
    world.settled("app", "Synced").await;

    let edited = world.now();
    world.merge(&CONFIG_MAPS, ("shop", "a"), json!({"data": {"key": "mine"}})).await;
    let is_back = |object: Option<&Object>| object.is_some_and(|object| object.str(&["data", "key"]) == "1");
    world.until_object(&CONFIG_MAPS, ("shop", "a"), is_back).await;
    assert!(world.now() < edited.after(std::time::Duration::from_secs(5)), "healed at {}", world.now());
    let removed = world.now();
    world.delete(&CONFIG_MAPS, ("shop", "b")).await;
    world.until_object(&CONFIG_MAPS, ("shop", "b"), |object| object.is_some()).await;
    assert!(world.now() < removed.after(std::time::Duration::from_secs(10)), "made again at {}", world.now());

    world.commit(&[("a.yaml", &config("a", "1"))]);
    world.until_object(&CONFIG_MAPS, ("shop", "b"), |object| object.is_none()).await;
    world.settled("app", "Synced").await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_answered_at_once() {
    let world = World::start().await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    world.create("app", automated()).await;
    world.settled("app", "Synced").await;
    world.pass(5_000).await;
    let pushed = world.now();
    let commit = world.commit(&[("a.yaml", &config("a", "2"))]);
    assert_eq!(world.refresher.refresh(|app| app.name() == "app"), 1);
    world.until("app", |app| app.str(&["status", "sync", "revision"]) == commit && ended(app)).await;
    assert!(world.now() < pushed.after(std::time::Duration::from_secs(3)), "{}", world.now());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_applied_when_the_server_refuses_one_object() {
    let world = World::start().await;
    let unsuccessful = "one or more synchronization tasks completed unsuccessfully, reason: ";
    let malformed = "one or more objects failed to apply (dry run), reason: ";
    let cases = [
        ("port", service("bad", "99999999"), "spec.ports[0].port: Invalid value", unsuccessful),
        ("type", config("bad", "1").replace("\"1\"", "[1]"), "bad", malformed),
        ("field", format!("{}surprise: 1\n", config("bad", "1")), "surprise", malformed),
    ];
    for (name, text, named, how) in cases {
        world.commit_to(name, &[("a.yaml", &config(&format!("fine-{name}"), "1")), ("b.yaml", &text)]);
        world.create(name, json!({"source": {"path": name}})).await;
        world.settled(name, "OutOfSync").await;
        world.sync(name, json!({})).await;
        let app = world.until(name, ended).await;
        assert_eq!(app.str(&["status", "operationState", "phase"]), "Failed");
        let text = message(&app);
        assert!(text.starts_with(how), "{text}");
        assert!(text.contains(named), "{name}: {text}");
        let results = app.items(&["status", "operationState", "syncResult", "resources"]);
        let short: Vec<_> = results.iter().map(|result| (&result["name"], &result["status"])).collect();
        assert_eq!(short, [(&json!("bad"), &json!("SyncFailed"))]);
        assert_eq!(world.names(&CONFIG_MAPS).await, Vec::<String>::new());
    }
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn hooks_for_failures_run_when_the_server_refuses_and_nothing_else_does() {
    let world = World::start().await;
    let hook = |name: &str, moment: &str| {
        let annotations = format!("  annotations:\n    argocd.argoproj.io/hook: {moment}\n");
        config(name, "1").replace("\ndata:\n", &format!("\n{annotations}data:\n"))
    };
    world.commit(&[
        ("a.yaml", &config("fine", "1")),
        ("b.yaml", &service("bad", "99999999")),
        ("c.yaml", &hook("before", "PreSync")),
        ("d.yaml", &hook("clean-up", "SyncFail")),
    ]);
    world.create("app", json!({})).await;
    world.settled("app", "OutOfSync").await;
    world.sync("app", json!({})).await;
    let app = world.until("app", ended).await;
    assert_eq!(app.str(&["status", "operationState", "phase"]), "Failed");
    let text =
        "one or more synchronization tasks completed unsuccessfully, reason: Service \"bad\" is invalid";
    assert!(message(&app).starts_with(text), "{}", message(&app));
    assert_eq!(world.names(&CONFIG_MAPS).await, ["clean-up"]);
    assert_eq!(world.names(&SERVICES).await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_namespace_is_made_and_its_objects_are_checked_before_they_follow() {
    let world = World::start().await;
    world.commit(&[("a.yaml", &config("a", "1")), ("b.yaml", &service("b", "99999999"))]);
    let more = json!({
        "destination": {"namespace": "fresh"},
        "syncPolicy": {"syncOptions": ["CreateNamespace=true"]},
    });
    world.create("app", more).await;
    world.settled("app", "OutOfSync").await;
    world.sync("app", json!({"syncOptions": ["CreateNamespace=true"]})).await;
    let app = world.until("app", ended).await;
    assert!(
        message(&app).starts_with("one or more synchronization tasks completed unsuccessfully"),
        "{}",
        message(&app)
    );
    assert!(world.get(&NAMESPACES, ("", "fresh")).await.is_some());
    assert!(world.get(&CONFIG_MAPS, ("fresh", "a")).await.is_none());

    world.commit(&[("a.yaml", &config("a", "1")), ("b.yaml", &service("b", "80"))]);
    world.sync("app", json!({"syncOptions": ["CreateNamespace=true"]})).await;
    world.until("app", |app| message(app).starts_with("successfully synced")).await;
    assert!(world.get(&CONFIG_MAPS, ("fresh", "a")).await.is_some());
    world.stop().await;
}

fn deployment() -> String {
    let value = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}},
    });
    value.to_string()
}

#[tokio::test(start_paused = true)]
async fn an_application_takes_its_objects_along_when_it_is_told_to() {
    let world = World::start().await;
    world.commit(&[("a.yaml", &in_wave("a", 1)), ("b.json", &deployment())]);
    for finalizer in [
        "resources-finalizer.argocd.argoproj.io",
        "resources-finalizer.argocd.argoproj.io/foreground",
        "resources-finalizer.argocd.argoproj.io/background",
    ] {
        world.create("app", automated()).await;
        world.merge(&APPLICATIONS, ("argocd", "app"), json!({"metadata": {"finalizers": [finalizer]}})).await;
        world.settled("app", "Synced").await;
        world.delete(&APPLICATIONS, ("argocd", "app")).await;
        world.until_object(&APPLICATIONS, ("argocd", "app"), |object| object.is_none()).await;
        assert_eq!(world.names(&CONFIG_MAPS).await, Vec::<String>::new(), "{finalizer}");
        assert_eq!(world.names(&DEPLOYMENTS).await, Vec::<String>::new(), "{finalizer}");
    }

    world.create("app", automated()).await;
    world.settled("app", "Synced").await;
    world.delete(&APPLICATIONS, ("argocd", "app")).await;
    world.until_object(&APPLICATIONS, ("argocd", "app"), |object| object.is_none()).await;
    world.pass(20_000).await;
    assert_eq!(world.names(&CONFIG_MAPS).await, ["a"], "without a finalizer everything stays");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_application_is_told_which_field() {
    let world = World::start().await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    let missing = json!({"destination": {"server": null}});
    world.create("app", missing).await;
    let app = world.until("app", |app| !condition(app, "InvalidSpecError").is_empty()).await;
    assert_eq!(condition(&app, "InvalidSpecError"), "Destination server missing from app spec");
    assert_eq!(app.str(&["status", "sync", "status"]), "Unknown");

    world.create("many", json!({"source": null, "sources": [{"repoURL": "https://x/y", "path": "."}]})).await;
    let app = world.until("many", |app| !condition(app, "InvalidSpecError").is_empty()).await;
    assert_eq!(condition(&app, "InvalidSpecError"), "spec.sources is not supported yet");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn two_applications_that_share_an_object_are_told() {
    let world = World::start().await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    world.create("one", automated()).await;
    world.settled("one", "Synced").await;
    world.create("two", json!({})).await;
    let app = world.settled("two", "OutOfSync").await;
    let text = "ConfigMap/a is part of applications argocd/two and one";
    assert_eq!(condition(&app, "SharedResourceWarning"), text);
    world.sync("two", json!({"syncOptions": ["FailOnSharedResource=true"]})).await;
    let app = world.until("two", ended).await;
    assert_eq!(message(&app), format!("Shared resource found: {text}"));
    let owner = world.get(&CONFIG_MAPS, ("shop", "a")).await.unwrap();
    assert_eq!(owner.annotation("argocd.argoproj.io/tracking-id"), Some("one:/ConfigMap:shop/a"));
    world.stop().await;
}
