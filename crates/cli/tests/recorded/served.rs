//! The same commands against the embedded API server, which checks schemas and keeps status apart.

use apiserver::{ApiServer, Config};
use cli::{Colour, Face, Session, words};
use object::{Key, Object, Time, Value, json};
use runtime::{Clock, Cluster, Resource, Subresource, resources};
use store::Store;

use crate::case::{Outcome, play_on};

pub struct Served(Cluster);

impl Served {
    pub async fn start() -> Self {
        let clock = Clock::starting_at(Time::parse("2026-01-01T00:00:00Z").unwrap());
        let api = ApiServer::new(Store::memory(), clock.clone(), Config::default());
        api.bootstrap().await.unwrap();
        let cluster = Cluster::new(kube::Client::new(api.router(), "default"), clock);
        controllers::install(&cluster, "argocd").await.unwrap();
        Self(cluster)
    }

    async fn run(&self, face: Face, line: &str) -> Outcome {
        self.play(face, words(line)).await
    }

    /// Runs a command against the cluster.
    pub async fn play(&self, face: Face, arguments: Vec<std::ffi::OsString>) -> Outcome {
        let command = async |session: &mut Session| cli::run(face, arguments, session).await;
        play_on(self.0.clone(), Colour::Off, command).await
    }

    async fn object(&self, resource: &Resource, key: &Key) -> Object {
        self.0.get(resource, key).await.unwrap().unwrap()
    }
}

#[track_caller]
fn assert_says(got: &Outcome, wanted: &str) {
    assert_eq!((got.out.as_str(), got.err.as_str(), got.exit), (wanted, "", 0));
}

fn rollout() -> Object {
    Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "shop", "namespace": "default"},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "shop"}},
            "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}},
            "template": {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"name": "app", "image": "a:1"}]}}
        }
    }))
}

#[tokio::test(start_paused = true)]
async fn actions_on_a_rollout_arrive() {
    let served = Served::start().await;
    let mut made = served.0.create(&resources::ROLLOUTS, &rollout()).await.unwrap();
    made.set(
        &["status"],
        json!({"currentStepIndex": 1, "pauseConditions": [
        {"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}]}),
    );
    served.0.replace(&resources::ROLLOUTS, &made, Subresource::Status).await.unwrap();
    let table: [(&str, &str, &[&str], Value); 6] = [
        ("pause shop", "rollout 'shop' paused\n", &["spec", "paused"], json!(true)),
        ("promote shop", "rollout 'shop' promoted\n", &["status", "pauseConditions"], Value::Null),
        ("abort shop", "rollout 'shop' aborted\n", &["status", "abort"], json!(true)),
        ("retry rollout shop", "rollout 'shop' retried\n", &["status", "abort"], json!(false)),
        (
            "restart shop",
            "rollout 'shop' restarts in 0s\n",
            &["spec", "restartAt"],
            json!("2026-01-01T00:00:00Z"),
        ),
        (
            "set image shop app=a:2",
            "rollout \"shop\" image updated\n",
            &["status", "currentStepIndex"],
            json!(1),
        ),
    ];
    for (line, says, path, wanted) in table {
        assert_says(&served.run(Face::Rollouts, line).await, says);
        let found = served.object(&resources::ROLLOUTS, &made.key()).await;
        assert_eq!(found.get(path).cloned().unwrap_or_default(), wanted, "{line}");
    }
    let found = served.object(&resources::ROLLOUTS, &made.key()).await;
    assert_eq!(found.items(&["spec", "template", "spec", "containers"])[0]["image"], "a:2");
    assert!(!found.flag(&["spec", "paused"]), "promote lifts the pause of a user");
    let missing = served.run(Face::Rollouts, "abort nope").await;
    assert_eq!(missing.err, "Error: rollouts.argoproj.io \"nope\" not found\n");
    let shown = served.run(Face::Rollouts, "get rollout shop").await;
    assert!(shown.out.starts_with("Name:            shop\nNamespace:       default\n"), "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn an_application_is_made_changed_and_asked_to_sync() {
    let served = Served::start().await;
    let create = "app create shop --repo https://git.example/shop.git --path . --dest-name in-cluster \
        --dest-namespace default --sync-policy auto --self-heal --validate=false";
    assert_says(&served.run(Face::Argocd, create).await, "application 'shop' created\n");
    assert_says(&served.run(Face::Argocd, create).await, "application 'shop' unchanged\n");
    assert_says(&served.run(Face::Argocd, "app list -o name").await, "argocd/shop\n");
    assert_says(
        &served.run(Face::Argocd, "app set shop --sync-policy none --revision v1 --validate=false").await,
        "",
    );
    assert_says(&served.run(Face::Argocd, "app sync shop --async --prune").await, "");
    let key = Key::new("argocd", "shop");
    let app = served.object(&resources::APPLICATIONS, &key).await;
    assert_eq!(app.get(&["spec", "syncPolicy"]).cloned().unwrap_or_default(), Value::Null);
    assert_eq!(app.str(&["spec", "source", "targetRevision"]), "v1");
    assert!(app.flag(&["operation", "sync", "prune"]));
    let second = served.run(Face::Argocd, "app sync shop").await;
    assert!(
        second.exit == 20 && second.err.contains("another operation is already in progress"),
        "{second:?}"
    );
    assert_says(&served.run(Face::Argocd, "app delete shop").await, "application 'shop' deleted\n");
    let deleting = served.object(&resources::APPLICATIONS, &key).await;
    assert!(deleting.is_deleting(), "its finalizer waits for the controller");
    assert_eq!(deleting.finalizers(), ["resources-finalizer.argocd.argoproj.io"]);
    let again = served.run(Face::Argocd, "app delete shop --cascade=false").await;
    assert_says(&again, "application 'shop' deleted\n");
    assert!(served.0.get(&resources::APPLICATIONS, &key).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn flags_about_a_server_are_passed_over_or_refused() {
    let served = Served::start().await;
    let harmless =
        "app list -o name --grpc-web --plaintext --insecure --port-forward --http-retry-max 3 -H a:b";
    assert_says(&served.run(Face::Argocd, harmless).await, "");
    let core = "app list -o name --core --server argocd.example --auth-token x --argocd-context y";
    assert_says(&served.run(Face::Argocd, core).await, "");
    for flag in ["--server x", "--auth-token x", "--argocd-context x"] {
        let got = served.run(Face::Argocd, &format!("app list {flag}")).await;
        let name = flag.split(' ').next().unwrap();
        assert!(got.exit == 20 && got.err.contains(name) && got.out.is_empty(), "{flag}: {got:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn applications_of_another_namespace_are_reached_by_flag_and_by_name() {
    let served = Served::start().await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}});
    served.0.create(&resources::NAMESPACES, &Object::from_value(namespace)).await.unwrap();
    let create = "app create shop -N team --repo https://git.example/shop.git --path . --dest-name in-cluster \
        --dest-namespace default --validate=false";
    assert_says(&served.run(Face::Argocd, create).await, "application 'shop' created\n");
    assert_says(&served.run(Face::Argocd, "app list -o name").await, "");
    assert_says(&served.run(Face::Argocd, "app list -o name --app-namespace team").await, "team/shop\n");
    for line in ["app get team/shop -o name", "app get shop -N team -o name"] {
        let got = served.run(Face::Argocd, line).await;
        assert!(got.err.contains("unknown output format: name"), "{line}: {got:?}");
    }
    let got = served.run(Face::Argocd, "app get team/shop").await;
    assert!(got.out.starts_with("Name:               team/shop\n"), "{got:?}");
    assert_eq!(served.run(Face::Argocd, "app get shop").await.exit, 20);
}
