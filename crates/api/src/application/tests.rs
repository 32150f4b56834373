use object::json;

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "reads well with json!")]
fn application(spec: Value) -> Application {
    let object = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "a", "namespace": "argocd"}, "spec": spec,
    }));
    Application::from_object(&object).unwrap()
}

fn messages(app: &Application) -> Vec<String> {
    problems(app).into_iter().map(|condition| condition.message).collect()
}

#[test]
fn recorded_applications_survive_a_round_trip() {
    for path in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/applications")).unwrap() {
        let path = path.unwrap().path();
        let value = object::yaml::document(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let app = Application::from_object(&Object::from_value(value.clone())).unwrap();
        assert_eq!(app.to_object().into_value(), value, "{}", path.display());
    }
}

#[test]
fn unknown_fields_are_kept_at_each_level() {
    let spec = json!({"destination": {"server": "s", "x": 1}, "project": "p", "y": [2],
        "syncPolicy": {"automated": {"z": {}}, "retry": {"backoff": {"w": "v"}}}});
    assert_eq!(to_value(&application(spec.clone()).spec), spec);
}

#[test]
fn a_mistyped_field_is_named() {
    let cases = [
        (json!({"spec": 7}), "spec", "expected struct"),
        (json!({"spec": {"project": 5}}), "spec.project", "expected a string"),
        (json!({"spec": {"source": "https://x"}}), "spec.source", "invalid type: string"),
        (json!({"spec": {"sources": [{}, {"path": []}]}}), "spec.sources[1].path", "expected a string"),
        (
            json!({"spec": {"syncPolicy": {"retry": {"limit": "x"}}}}),
            "spec.syncPolicy.retry.limit",
            "invalid type",
        ),
        (json!({"operation": {"sync": {"prune": "yes"}}}), "operation.sync.prune", "expected a boolean"),
        (json!({"status": {"history": [{"id": "a"}]}}), "status.history[0]", "expected"),
    ];
    for (object, field, message) in cases {
        let error = Application::from_object(&Object::from_value(object)).unwrap_err();
        assert!(error.field.starts_with(field), "{error}");
        assert!(error.message.contains(message), "{error}");
    }
}

#[test]
fn an_empty_project_is_the_default_one() {
    let spec =
        normalize(&application(json!({"sources": [{"repoURL": "r"}], "source": {"repoURL": "x"}})).spec);
    assert_eq!((spec.project.as_str(), spec.source), ("default", None));
}

#[test]
fn specs_that_cannot_be_acted_on_say_why() {
    let good = json!({"destination": {"server": IN_CLUSTER}, "source": {"repoURL": "r", "path": "p"}});
    assert!(messages(&application(good)).is_empty());
    let app = application(json!({"destination": {"server": "s", "name": "n"}, "source": {"repoURL": "r"}}));
    assert_eq!(
        messages(&app),
        [
            "spec.source.repoURL and either spec.source.path or spec.source.chart are required",
            "application destination can't have both name and server defined: n s"
        ]
    );
}

#[test]
fn fields_not_acted_on_are_named() {
    let app = application(json!({
        "destination": {"name": "in-cluster"}, "sourceHydrator": {},
        "source": {"repoURL": "r", "path": "p", "helm": {"releaseName": "x"}, "directory": {"jsonnet": {}}},
        "ignoreDifferences": [{"kind": "Deployment", "jqPathExpressions": [".spec"]}],
    }));
    assert_eq!(
        messages(&app),
        [
            "spec.source.helm is not supported yet",
            "spec.sourceHydrator is not supported yet",
            "spec.ignoreDifferences[].jqPathExpressions is not supported yet"
        ]
    );
}

#[test]
fn a_project_survives_a_round_trip() {
    let text = include_str!("../../tests/appproject-team-a.yaml");
    let object = Object::from_value(object::yaml::document(text).unwrap());
    let project = Project::from_object(&object).unwrap();
    assert_eq!(project.spec.source_repos.len(), 2);
    assert_eq!(Some(&to_value(&project.spec)), object.get(&["spec"]));
}
