//! Making, changing and deleting Applications.

use object::{Value, json};

use super::{Live, api, application, assert_same, case, run, run_unchecked};
use crate::api::Api;

/// Returns the spec of the only Application.
fn spec(api: &Api) -> Value {
    api.objects()
        .iter()
        .find(|object| object.kind() == "Application")
        .unwrap()
        .get(&["spec"])
        .unwrap()
        .clone()
}

#[tokio::test(start_paused = true)]
async fn create_makes_the_recorded_application_and_only_once() {
    let api = api(None, Live::Nothing);
    let wanted = application("02-out-of-sync-missing");
    let created = case("app-create");
    assert_same(&created, &run_unchecked(&created, &api).await);
    assert_eq!(Some(&spec(&api)), wanted.get(&["spec"]));
    for name in ["app-create-same-again", "app-create-differs-no-upsert"] {
        let case = case(name);
        assert_same(&case, &run_unchecked(&case, &api).await);
        assert_eq!(Some(&spec(&api)), wanted.get(&["spec"]), "{name}");
    }
    let upsert = case("app-create-upsert");
    assert_same(&upsert, &run_unchecked(&upsert, &api).await);
    assert_eq!(Some(&spec(&api)), application("05-synced-healthy").get(&["spec"]));
    let app = api.objects().into_iter().find(|object| object.kind() == "Application").unwrap();
    assert_eq!(app.label("team"), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn create_reads_files() {
    let (api, case) = (api(None, Live::Nothing), case("app-create-file"));
    assert_same(&case, &run_unchecked(&case, &api).await);
    assert_eq!(Some(&spec(&api)), application("34-multi-source").get(&["spec"]));
}

#[tokio::test(start_paused = true)]
async fn set_and_unset_change_the_spec() {
    let revision = |value: &str| json!({"source": {"targetRevision": value}});
    let automated = json!({"syncPolicy": {"automated": {"prune": true, "selfHeal": true}}});
    let table = [
        ("app-set", "05-synced-healthy", revision("next")),
        ("app-set-revision-tag", "23-pruned", revision("v1.1.0")),
        ("app-set-sync-policy", "05-synced-healthy", automated),
        ("app-set-sync-none", "08-automated", json!({"syncPolicy": {"automated": null}})),
        (
            "app-set-param",
            "31-helm",
            json!({"source": {"helm": {"parameters": [{"name": "replicas", "value": "5"}]}}}),
        ),
    ];
    for (name, input, change) in table {
        let (case, app) = (case(name), application(input));
        let api = api(Some(&app), Live::Healthy);
        assert_same(&case, &run_unchecked(&case, &api).await);
        let mut wanted = app.get(&["spec"]).unwrap().clone();
        patch::merge::apply(&mut wanted, &change);
        assert_eq!(spec(&api), wanted, "{name}");
    }
    let (unset, mut helm) = (case("app-unset-param"), application("31-helm"));
    let replicas = helm.items(&["spec", "source", "helm", "parameters"]).to_vec();
    let colour = json!({"name": "colour", "value": "blue"});
    helm.set(&["spec", "source", "helm", "parameters"], [vec![colour], replicas.clone()].concat());
    let api = api(Some(&helm), Live::Healthy);
    assert_same(&unset, &run(&unset, &api).await);
    assert_eq!(spec(&api)["source"]["helm"]["parameters"], Value::from(replicas));
    sources_are_set_by_position().await;
}

async fn sources_are_set_by_position() {
    let (case, app) = (case("app-set-source-position"), application("34-multi-source"));
    let api = api(Some(&app), Live::Healthy);
    assert_same(&case, &run_unchecked(&case, &api).await);
    assert_eq!(spec(&api)["sources"][1]["targetRevision"], "main");
    assert_eq!(spec(&api)["sources"][0], app.items(&["spec", "sources"])[0]);
}

#[tokio::test(start_paused = true)]
async fn delete_leaves_or_takes_the_resources() {
    let table = [
        ("app-delete", "21-waves-synced", json!(["resources-finalizer.argocd.argoproj.io"])),
        ("app-delete-no-cascade", "31-helm", json!([])),
        ("app-delete-no-tty", "23-pruned", json!(["resources-finalizer.argocd.argoproj.io"])),
    ];
    for (name, input, finalizers) in table {
        let (case, mut app) = (case(name), application(input));
        let asked = case.arguments()[2].to_str().unwrap().to_owned();
        app.set(&["metadata", "name"], asked);
        app.set(&["metadata", "finalizers"], json!(["resources-finalizer.argocd.argoproj.io/background"]));
        let api = api(Some(&app), Live::Healthy);
        assert_same(&case, &run(&case, &api).await);
        let writes = api.writes();
        assert_eq!(writes[0].body["metadata"]["finalizers"], finalizers, "{name}");
        assert_eq!(writes[1].method, "DELETE", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_meets_another_is_made_again() {
    let (case, app) = (case("app-set"), application("05-synced-healthy"));
    let api = api(Some(&app), Live::Healthy);
    api.rivals(3);
    assert_same(&case, &run_unchecked(&case, &api).await);
    assert_eq!(spec(&api)["source"]["targetRevision"], "next");
    assert_eq!(api.writes().len(), 4);
    api.rivals(10);
    let got = run_unchecked(&case, &api).await;
    assert!(got.exit == 20 && got.err.contains("code = Aborted"), "{got:?}");
}
