//! Projects: the recorded verdicts, and what becomes of Applications that are not permitted.

use std::path::{Path, PathBuf};

use api::application::{Application, ProjectSpec};
use object::{GroupKind, Object, Value, json};
use sync::project::{Place, permits_destination, permits_kind, permits_source, repository};
use sync::{Level, Scope};

use crate::world::{FIRST, World, found};

/// Returns the cases of a shared file; none when the files are not at hand.
fn cases(name: &str) -> Vec<Value> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("SLIPWAY_SHARED").map_or_else(beside, PathBuf::from);
    let path = shared.join("golden/projects").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("NOT TESTED: {} is missing", path.display());
        return vec![];
    };
    let cases = object::yaml::document(&text).unwrap()["cases"].as_array().cloned().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn spec(value: Value) -> ProjectSpec {
    serde_json::from_value(value).unwrap()
}

/// Holds `verdict` of each case of a file to what was recorded.
#[track_caller]
fn verdicts(file: &str, verdict: impl Fn(&Value) -> Option<bool>) {
    let wrong: Vec<String> = cases(file)
        .iter()
        .filter(|case| {
            verdict(case).is_some_and(|found| Some(found) != case["expected"]["permitted"].as_bool())
        })
        .map(|case| format!("{case:#}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sources() {
    verdicts("sources.yaml", |case| {
        let spec = spec(json!({"sourceRepos": case["sourceRepos"]}));
        Some(permits_source(&spec, case["repoURL"].as_str().unwrap()))
    });
}

#[test]
fn destinations() {
    verdicts("destinations.yaml", |case| {
        let text = |field: &str| case[field].as_str().unwrap_or_default();
        let place =
            Place { server: text("server"), cluster: text("clusterName"), namespace: text("namespace") };
        let own = case.get("permitOnlyProjectScopedClusters").is_none();
        own.then(|| permits_destination(&spec(json!({"destinations": case["destinations"]})), place))
    });
}

#[test]
fn kinds() {
    verdicts("resources.yaml", |case| {
        let text = |field: &str| case[field].as_str().unwrap_or_default();
        let scope = if case["namespaced"] == true { Scope::Namespaced } else { Scope::Cluster };
        let kind = GroupKind::new(text("group"), text("kind"));
        Some(permits_kind(&spec(case["spec"].clone()), &kind, text("objectName"), scope))
    });
}

#[test]
fn repository_urls() {
    for case in cases("normalize-url.yaml") {
        let url = case["url"].as_str().unwrap();
        assert_eq!(repository(url), case["expected"]["normalized"].as_str().unwrap(), "{url}");
    }
}

fn config(name: &str, annotations: &Value) -> Object {
    Object::from_value(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "annotations": annotations}, "data": {"a": "b"}}))
}

fn world(project: &Value) -> World {
    let app = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "app", "namespace": "argocd"},
        "spec": {"project": "team", "destination": {"namespace": "ns", "server": api::application::IN_CLUSTER},
            "source": {"repoURL": "https://git.example/a", "path": "."}},
    }));
    let mut world = World::new(Application::from_object(&app).unwrap(), "2026-11-21T10:00:00Z");
    let mut spec = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]});
    patch::merge::apply(&mut spec, project);
    world.project = Some(Object::from_value(json!({"apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject", "metadata": {"name": "team"}, "spec": spec})));
    world.target = found(FIRST, vec![config("a", &json!({}))]);
    world
}

fn conditions(world: &World) -> Vec<(&'static str, &str)> {
    let all = world.app.status.conditions.iter();
    all.map(|condition| (condition.kind.as_str(), condition.message.as_str())).collect()
}

#[test]
fn what_the_project_does_not_permit_makes_the_spec_invalid() {
    let destination = "application destination server 'https://kubernetes.default.svc' and namespace 'ns' do not match any \
                       of the allowed destinations in project 'team'";
    for (project, text) in [
        (
            json!({"sourceRepos": ["https://git.example/b"]}),
            "application repo https://git.example/a is not permitted in project 'team'",
        ),
        (json!({"destinations": [{"server": "*", "namespace": "other"}]}), destination),
        (json!({"syncWindows": [{"kind": "deny"}]}), "spec.syncWindows of project team is not supported yet"),
        (
            json!({"signatureKeys": [{"keyID": "x"}]}),
            "spec.signatureKeys of project team is not supported yet",
        ),
    ] {
        let mut world = world(&project);
        world.refresh(Level::LatestForced);
        assert_eq!(conditions(&world), [("InvalidSpecError", text)]);
        world.request(json!({"sync": {}}));
        world.run();
        assert_eq!(world.log, Vec::<String>::new());
    }
    let mut mistyped = world(&json!({"sourceRepos": 7}));
    mistyped.refresh(Level::LatestForced);
    let (kind, text) = conditions(&mistyped)[0];
    assert!(kind == "InvalidSpecError" && text.starts_with("project team cannot be read: "), "{text}");
}

#[test]
fn kinds_that_are_not_permitted_fail_the_sync() {
    let mut world = world(&json!({"namespaceResourceBlacklist": [{"group": "", "kind": "ConfigMap"}]}));
    world.refresh(Level::LatestForced);
    let status = serde_json::to_value(&world.app.status).unwrap();
    assert_eq!(
        (&status["sync"]["status"], &status["resources"][0]["status"]),
        (&json!("OutOfSync"), &json!("Unknown"))
    );
    world.request(json!({"sync": {}}));
    world.run();
    assert_eq!(world.log, Vec::<String>::new());
    let status = serde_json::to_value(&world.app.status).unwrap();
    let state = &status["operationState"];
    let text = "resource :ConfigMap is not permitted in project team";
    assert_eq!(state["message"], format!("one or more synchronization tasks are not valid: {text}"));
    let result = &state["syncResult"]["resources"][0];
    assert_eq!((&result["message"], result.get("hookPhase")), (&json!(text), None));
}

#[test]
fn a_project_does_not_let_go_of_namespaces_it_does_not_have() {
    let mut world = world(&json!({"destinations": [{"server": "*", "namespace": "ns"}]}));
    let mut elsewhere = config("b", &json!({}));
    elsewhere.set(&["metadata", "namespace"], "kube-system");
    world.target = found(FIRST, vec![config("a", &json!({})), elsewhere]);
    world.request(json!({"sync": {}}));
    world.run();
    assert_eq!(world.log, Vec::<String>::new());
    let message = &world.app.status.operation_state.as_ref().unwrap().message;
    assert!(message.ends_with("namespace kube-system is not permitted in project 'team'"), "{message}");
}

#[test]
fn what_has_no_effect_is_told() {
    let mut world = world(&json!({"orphanedResources": {}}));
    let options = json!({"syncOptions": ["Prune=sometimes", "CreateNamespace=true", "Wat"]});
    world.app.spec.sync_policy = serde_json::from_value(options).unwrap();
    let annotations = json!({"argocd.argoproj.io/sync-options": "Prune=false, CreateNamespace=true",
        "argocd.argoproj.io/compare-options": "IgnoreExtraneous,ServerSideDiff=true"});
    let hook = |moment: &str| json!({"argocd.argoproj.io/hook": moment});
    let objects = vec![
        config("a", &annotations),
        config("b", &annotations),
        config("c", &hook("PostDelete")),
        config("d", &hook("Presync")),
    ];
    world.target = found(FIRST, objects);
    world.refresh(Level::LatestForced);
    let texts = [
        "ConfigMap/a and 1 more: annotation argocd.argoproj.io/compare-options \"ServerSideDiff=true\" has no effect",
        "ConfigMap/a and 1 more: annotation argocd.argoproj.io/sync-options \"CreateNamespace=true\" is not known here",
        "ConfigMap/d: annotation argocd.argoproj.io/hook \"Presync\" is not known",
        "spec.orphanedResources of project team is not supported yet",
        "spec.syncPolicy.syncOptions \"Prune=sometimes\" is not known",
        "spec.syncPolicy.syncOptions \"Wat\" is not known",
    ];
    let texts: Vec<_> = texts.into_iter().map(|text| ("UnsupportedFieldWarning", text)).collect();
    assert_eq!(conditions(&world), texts);
}
