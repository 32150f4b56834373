//! An embedded cluster without nodes, a Git repository, and the Application controller between them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use apiserver::{ApiServer, Config};
use controllers::application::{ApplicationConfig, Refresher};
use object::{Key, Object, Time, Value, json};
use runtime::shards::Timings;
use runtime::{
    Clock, Cluster, Deletion, Patch, Resource, Selection, ShardConfig, Shards, Tasks, Watches, resources,
};
use source::{LocalRepositories, Repositories, Settings};
use store::Store;
use testkit::repository::Repository;

/// Path in the repository that [`World::commit`] writes.
pub const PATH: &str = "deploy";

/// Longest virtual time that a state is waited for.
const PATIENCE: Duration = Duration::from_secs(1200);

pub struct World {
    pub cluster: Cluster,
    pub repository: Repository,
    pub refresher: Refresher,
    /// Which Applications the world's own controller acts on.
    pub shards: Shards,
    store: Store,
    tasks: Tasks,
    dir: tempfile::TempDir,
}

/// Where the controllers that share Applications meet.
fn meeting(member: &str) -> ShardConfig {
    let (namespace, group) = ("kube-system".to_owned(), "test".to_owned());
    ShardConfig { namespace, group, member: member.to_owned(), timings: Timings::default() }
}

fn control(watches: &Watches, mut settings: Settings, tasks: &Tasks) -> Refresher {
    settings.local = LocalRepositories::Read;
    let config = ApplicationConfig { jitter: Duration::ZERO, ..ApplicationConfig::default() };
    controllers::application::run(watches, Arc::new(Repositories::new(settings)), config, tasks)
}

impl World {
    /// A cluster with the namespace `shop`.
    pub async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// As [`World::start`], with other settings of the sources.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::made(change, None).await
    }

    /// As [`World::start`], where the controller shares the Applications with others.
    pub async fn shared() -> Self {
        Self::made(|_| (), Some("first")).await
    }

    /// Starts another controller that shares the Applications.
    pub fn replica(&self, name: &str) -> (Shards, Refresher) {
        let shards = Shards::join(&self.cluster, meeting(name), &self.tasks);
        let watches = Watches::new(self.cluster.clone(), &self.tasks).shared(&shards);
        let settings = Settings::new(self.dir.path().join(format!("cache-{name}")));
        (shards, control(&watches, settings, &self.tasks))
    }

    async fn made(change: impl FnOnce(&mut Settings), member: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::starting_at(Time::from_unix(1_767_225_600));
        let store = Store::memory();
        let api = ApiServer::new(store.clone(), clock.clone(), Config { seed: 7, ..Config::default() });
        api.bootstrap().await.unwrap();
        let cluster = Cluster::new(kube::Client::new(api.router(), "default"), clock);
        controllers::install(&cluster, "argocd").await.unwrap();
        let tasks = Tasks::new();
        let watches = Watches::new(cluster.clone(), &tasks);
        workload::run(&cluster, &watches, &tasks, &workload::Set::all());
        let mut settings = Settings::new(dir.path().join("cache"));
        change(&mut settings);
        let shards = member.map(|name| Shards::join(&cluster, meeting(name), &tasks)).unwrap_or_default();
        let refresher = control(&watches.shared(&shards), settings, &tasks);
        let repository = Repository::create(&dir.path().join("sample")).unwrap();
        let world = Self { cluster, repository, refresher, shards, store, tasks, dir };
        world.apply(&resources::NAMESPACES, object("v1", "Namespace", ("", "shop"), json!({}))).await;
        world
    }

    /// Makes `files` the whole content of `path`, commits, and returns the commit.
    pub fn commit_to(&self, path: &str, files: &[(&str, &str)]) -> String {
        let stage = tempfile::tempdir_in(self.dir.path()).unwrap();
        for (name, text) in files {
            let file = stage.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        self.commit_folder(path, stage.path())
    }

    pub fn commit_folder(&self, path: &str, from: &Path) -> String {
        self.repository.commit_folder(from, path, "change").unwrap()
    }

    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        self.commit_to(PATH, files)
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Applies as a person does.
    pub async fn apply(&self, resource: &Resource, object: Object) -> Object {
        let patch = Patch::apply(object.to_value(), "person").force();
        self.cluster.patch(resource, &object.key(), &patch).await.unwrap()
    }

    /// Creates an Application of the repository with `more` merged into its spec.
    pub async fn create(&self, name: &str, more: Value) -> Object {
        self.apply(&resources::APPLICATIONS, self.application(name, &more)).await
    }

    pub fn application(&self, name: &str, more: &Value) -> Object {
        let mut spec = json!({
            "project": "default",
            "source": {"repoURL": self.repository.url(), "path": PATH, "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
        });
        patch::merge::apply(&mut spec, more);
        object("argoproj.io/v1alpha1", "Application", ("argocd", name), json!({"spec": spec}))
    }

    pub async fn merge(&self, resource: &Resource, name: (&str, &str), change: Value) {
        self.cluster.patch(resource, &Key::new(name.0, name.1), &Patch::merge(change)).await.unwrap();
    }

    /// Asks for a sync, as `argocd app sync` does.
    pub async fn sync(&self, name: &str, sync: Value) {
        let operation = json!({"operation": {"initiatedBy": {"username": "admin"}, "sync": sync}});
        self.merge(&resources::APPLICATIONS, ("argocd", name), operation).await;
    }

    pub async fn delete(&self, resource: &Resource, name: (&str, &str)) {
        self.cluster.delete(resource, &Key::new(name.0, name.1), &Deletion::default()).await.unwrap();
    }

    pub async fn get(&self, resource: &Resource, name: (&str, &str)) -> Option<Object> {
        self.cluster.get(resource, &Key::new(name.0, name.1)).await.unwrap()
    }

    pub async fn names(&self, resource: &Resource) -> Vec<String> {
        let found = self.cluster.list(resource, Some("shop"), &Selection::default()).await.unwrap();
        found
            .iter()
            .map(|object| object.name().to_owned())
            .filter(|name| name != "kube-root-ca.crt")
            .collect()
    }

    /// Waits until the Application is as wanted.
    #[track_caller]
    pub fn until(&self, name: &str, wanted: impl Fn(&Object) -> bool) -> impl Future<Output = Object> {
        const APPLICATIONS: &Resource = &resources::APPLICATIONS;
        self.until_object(APPLICATIONS, ("argocd", name), move |object| object.is_some_and(&wanted))
    }

    /// Waits until the Application has a sync status and no operation.
    pub async fn settled(&self, name: &str, code: &str) -> Object {
        let settled = |app: &Object| {
            app.str(&["status", "sync", "status"]) == code
                && app.get(&["operation"]).is_none()
                && app.str(&["status", "operationState", "phase"]) != "Running"
        };
        self.until(name, settled).await
    }

    /// Waits until an object is as wanted and returns it; one that is gone comes back empty.
    #[track_caller]
    pub fn until_object(
        &self,
        resource: &Resource,
        name: (&str, &str),
        wanted: impl Fn(Option<&Object>) -> bool,
    ) -> impl Future<Output = Object> {
        let caller = std::panic::Location::caller();
        let key = Key::new(name.0, name.1);
        async move {
            let end = self.now().after(PATIENCE);
            loop {
                let found = self.cluster.get(resource, &key).await.unwrap();
                if wanted(found.as_ref()) {
                    return found.unwrap_or_default();
                }
                let text = || found.as_ref().map(Object::to_value).unwrap_or_default();
                assert!(self.now() < end, "{caller}: not as wanted: {:#}", text());
                self.pass(100).await;
            }
        }
    }

    pub fn now(&self) -> Time {
        self.cluster.clock().now()
    }

    /// Lets virtual time pass.
    pub async fn pass(&self, milliseconds: u64) {
        self.cluster.clock().sleep(Duration::from_millis(milliseconds)).await;
    }

    /// Number of writes so far, of everybody.
    pub fn writes(&self) -> u64 {
        self.store.revision()
    }

    pub async fn stop(self) {
        self.tasks.stop().await;
    }
}

/// An object with `more` merged into it.
#[expect(clippy::needless_pass_by_value, reason = "reads well with json!")]
pub fn object(version: &str, kind: &str, (namespace, name): (&str, &str), more: Value) -> Object {
    let mut value = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}});
    if !namespace.is_empty() {
        value["metadata"]["namespace"] = namespace.into();
    }
    patch::merge::apply(&mut value, &more);
    Object::from_value(value)
}

/// A manifest of a ConfigMap.
pub fn config(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: \"{value}\"\n")
}

/// Returns the message of the condition of that type; empty when there is none.
pub fn condition(app: &Object, kind: &str) -> String {
    let found = app.items(&["status", "conditions"]).iter().find(|condition| condition["type"] == kind);
    found.and_then(|condition| condition["message"].as_str()).unwrap_or_default().to_owned()
}
