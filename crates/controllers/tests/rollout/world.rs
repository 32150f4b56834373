//! An embedded cluster with simulated pods, and any number of Rollout controllers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use apiserver::{ApiServer, Config};
use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use controllers::analysis::AnalysisConfig;
use controllers::experiment::ExperimentConfig;
use controllers::instance::Instance;
use controllers::rollout::RolloutConfig;
use node::{Node, NodeConfig, Pods, Rule, Rules};
use object::{Key, Object, Time, Value, json};
use runtime::http::{Answer, HttpClient, HttpRequest, HttpResponse};
use runtime::{
    ApiError, Clock, Cluster, Deletion, Order, Patch, Resource, Selection, Subresource, Tasks, Watches,
    resources,
};
use store::Store;

/// Namespace of everything in these tests.
pub const SPACE: &str = "shop";

/// Longest virtual time that a state is waited for.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What the web answers.
#[derive(Clone, Debug)]
pub enum Web {
    /// Nothing, ever.
    Silent,
    /// Status 200 with this text.
    Text(&'static str),
    /// Status 200 with the URL and headers of the request as text.
    Echo,
}

/// Answers every request alike and counts them.
#[derive(Clone)]
pub struct Answers {
    web: Web,
    asked: Arc<AtomicUsize>,
}

impl HttpClient for Answers {
    fn send(&self, request: HttpRequest) -> Answer<'_> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let text = match &self.web {
                Web::Silent => std::future::pending().await,
                Web::Text(text) => (*text).to_owned(),
                Web::Echo => format!("{} {:?}", request.url, request.headers),
            };
            Ok(HttpResponse { status: 200, headers: Vec::new(), body: Bytes::from(text) })
        })
    }
}

/// How a world is made.
pub struct Setup {
    pub rules: Vec<Rule>,
    pub web: Web,
    /// Controllers that act from the start, each with caches of its own.
    pub controllers: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self { rules: Vec::new(), web: Web::Text("1"), controllers: 1 }
    }
}

pub struct World {
    pub cluster: Cluster,
    /// What starts controllers.
    pub starter: Starter,
    /// The API server, for clusters of one's own.
    pub router: Router,
    store: Store,
    tasks: Tasks,
    full: Arc<AtomicBool>,
}

/// Starts controllers, each with caches of its own.
#[derive(Clone)]
pub struct Starter {
    cluster: Cluster,
    answers: Answers,
}

impl Starter {
    pub fn start(&self, tasks: &Tasks, seed: u64) {
        self.start_with(&Watches::new(self.cluster.clone(), tasks), tasks, seed);
    }

    /// Starts them with these watches.
    pub fn start_with(&self, watches: &Watches, tasks: &Tasks, seed: u64) {
        let (instance, order) = (Instance::default(), Order::Seeded(seed));
        let config = RolloutConfig { instance: instance.clone(), workers: 2, order };
        controllers::rollout::run(watches, config, tasks);
        let config = ExperimentConfig { instance: instance.clone(), workers: 2, order };
        controllers::experiment::run(watches, config, tasks);
        let config = AnalysisConfig { instance, workers: 2, order };
        controllers::analysis::run(watches, Arc::new(self.answers.clone()), config, tasks);
    }
}

/// Refuses new ReplicaSets as a quota does, while `full`.
fn with_quota(router: Router, full: Arc<AtomicBool>) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| {
        let creates = request.method() == Method::POST && request.uri().path().ends_with("/replicasets");
        let refused = creates && full.load(Ordering::SeqCst);
        async move {
            if !refused {
                return next.run(request).await;
            }
            let message =
                "replicasets.apps is forbidden: exceeded quota: sets, requested: count/replicasets.apps=1";
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                "reason": "Forbidden", "code": 403, "message": message});
            (StatusCode::FORBIDDEN, axum::Json(status)).into_response()
        }
    }))
}

impl World {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let clock = Clock::starting_at(Time::from_unix(1_767_225_600));
        let store = Store::memory();
        let api = ApiServer::new(store.clone(), clock.clone(), Config { seed: 7, ..Config::default() });
        api.bootstrap().await.unwrap();
        let full = Arc::new(AtomicBool::new(false));
        let router = with_quota(api.router(), full.clone());
        let cluster = Cluster::new(kube::Client::new(router.clone(), "default"), clock);
        controllers::install(&cluster, "argocd").await.unwrap();
        let tasks = Tasks::new();
        let watches = Watches::new(cluster.clone(), &tasks);
        workload::run(&cluster, &watches, &tasks, &workload::Set::all());
        let pods = Pods::Simulated(Rules::new(setup.rules));
        Node::new(cluster.clone(), NodeConfig::new("simulated", ".", pods).silent())
            .run(&tasks)
            .await
            .unwrap();
        let answers = Answers { web: setup.web, asked: Arc::default() };
        let starter = Starter { cluster: cluster.clone(), answers };
        let world = Self { cluster, starter, router, store, tasks, full };
        for seed in 0..setup.controllers {
            world.starter.start(&world.tasks, seed);
        }
        world.create(&resources::NAMESPACES, json!({"metadata": {"name": SPACE}})).await;
        world
    }

    /// Lets a quota refuse ReplicaSets from now on.
    pub fn refuse_sets(&self) {
        self.full.store(true, Ordering::SeqCst);
    }

    /// Gives the quota room again.
    pub fn accept_sets(&self) {
        self.full.store(false, Ordering::SeqCst);
    }

    /// Starts a controller that ends with `tasks`; returns its watches.
    pub fn control(&self, tasks: &Tasks) -> Watches {
        let watches = Watches::new(self.cluster.clone(), tasks);
        self.starter.start_with(&watches, tasks, 0);
        watches
    }

    pub async fn stop(self) {
        self.tasks.stop().await;
    }

    /// Lets virtual time pass.
    pub async fn pass(&self, seconds: u64) {
        self.cluster.clock().sleep(Duration::from_secs(seconds)).await;
    }

    /// Writes of everybody so far.
    pub fn writes(&self) -> u64 {
        self.store.revision()
    }

    /// Requests to the web so far.
    pub fn asked(&self) -> usize {
        self.starter.answers.asked.load(Ordering::SeqCst)
    }

    /// Creates an object; kind and namespace follow from the resource.
    pub async fn create(&self, resource: &Resource, value: Value) -> Object {
        self.try_create(resource, value).await.unwrap()
    }

    pub async fn try_create(&self, resource: &Resource, value: Value) -> Result<Object, ApiError> {
        let mut object = Object::from_value(value);
        let gvk = Object::new(&resource.gvk(), &Key::new("", ""));
        object.set(&["apiVersion"], gvk.api_version());
        object.set(&["kind"], gvk.kind());
        if resource.namespaced {
            object.set(&["metadata", "namespace"], SPACE);
        }
        self.cluster.create(resource, &object).await
    }

    /// Creates a Rollout of 4 pods with these steps.
    pub async fn rollout(&self, name: &str, steps: Value) -> Object {
        self.create(&resources::ROLLOUTS, rollout(name, steps)).await
    }

    /// Creates a Rollout and waits until its first version is out.
    pub async fn healthy_rollout(&self, name: &str, steps: Value) -> Object {
        self.rollout(name, steps).await;
        self.phase(name, "Healthy").await
    }

    pub async fn get(&self, resource: &Resource, name: &str) -> Option<Object> {
        let namespace = if resource.namespaced { SPACE } else { "" };
        self.cluster.get(resource, &Key::new(namespace, name)).await.unwrap()
    }

    pub async fn list(&self, resource: &Resource) -> Vec<Object> {
        self.cluster.list(resource, Some(SPACE), &Selection::default()).await.unwrap()
    }

    /// ReplicaSets by creation.
    pub async fn sets(&self) -> Vec<Object> {
        let mut sets = self.list(&resources::REPLICA_SETS).await;
        sets.sort_by_key(|set| (set.creation_time(), set.name().to_owned()));
        sets
    }

    /// `spec.replicas` of the ReplicaSets by creation.
    pub async fn sizes(&self) -> Vec<i64> {
        self.sets().await.iter().map(|set| set.int(&["spec", "replicas"]).unwrap()).collect()
    }

    /// Messages of the Events with this reason, by name of the Event.
    pub async fn said(&self, reason: &str) -> Vec<String> {
        let events = self.list(&resources::EVENTS).await;
        let of_reason = events.iter().filter(|event| event.str(&["reason"]) == reason);
        of_reason.map(|event| event.str(&["message"]).to_owned()).collect()
    }

    pub async fn patch(&self, resource: &Resource, name: &str, patch: Value) -> Object {
        self.cluster.patch(resource, &Key::new(SPACE, name), &Patch::merge(patch)).await.unwrap()
    }

    pub async fn patch_on(&self, part: Subresource, name: &str, patch: Value) -> Object {
        let patch = Patch::merge(patch).on(part);
        self.cluster.patch(&resources::ROLLOUTS, &Key::new(SPACE, name), &patch).await.unwrap()
    }

    /// Gives the Rollout's container this image.
    pub async fn image(&self, name: &str, image: &str) -> Object {
        let containers = json!([{"name": "c", "image": image}]);
        let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        self.patch(&resources::ROLLOUTS, name, patch).await
    }

    pub async fn delete(&self, resource: &Resource, name: &str) {
        self.cluster.delete(resource, &Key::new(SPACE, name), &Deletion::default()).await.unwrap();
    }

    /// Waits until the object is as wanted and returns it.
    #[track_caller]
    pub fn until<'a, F: Fn(&Object) -> bool>(
        &'a self,
        resource: &Resource,
        name: &'a str,
        wanted: F,
    ) -> impl Future<Output = Object> + use<'a, F> {
        let (caller, resource) = (std::panic::Location::caller(), resource.clone());
        async move {
            let clock = self.cluster.clock();
            let end = clock.now().after(PATIENCE);
            loop {
                let object = self.get(&resource, name).await;
                match object {
                    Some(object) if wanted(&object) => return object,
                    other => assert!(clock.now() < end, "{caller}: never as wanted: {other:#?}"),
                }
                clock.sleep(Duration::from_millis(250)).await;
            }
        }
    }

    /// Waits for a phase that the controller has written for the current generation.
    #[track_caller]
    pub fn phase<'a>(&'a self, name: &'a str, phase: &'a str) -> impl Future<Output = Object> + 'a {
        self.until(&resources::ROLLOUTS, name, move |rollout| {
            rollout.str(&["status", "phase"]) == phase
                && rollout.str(&["status", "observedGeneration"]) == rollout.generation().to_string()
        })
    }

    /// Waits until the Rollout says that its current spec is invalid, for this reason.
    #[track_caller]
    pub fn refused<'a>(&'a self, name: &'a str, why: &'a str) -> impl Future<Output = Object> + 'a {
        let message = format!("InvalidSpec: The Rollout \"{name}\" is invalid: {why}");
        self.until(&resources::ROLLOUTS, name, move |rollout| {
            rollout.str(&["status", "message"]) == message
                && rollout.str(&["status", "phase"]) == "Degraded"
                && rollout.str(&["status", "observedGeneration"]) == rollout.generation().to_string()
        })
    }
}

/// A Rollout of 4 pods with these steps.
pub fn rollout(name: &str, steps: Value) -> Value {
    let mut rollout = json!({"metadata": {"name": name}, "spec": {
        "replicas": 4, "selector": {"matchLabels": {"app": name}}, "strategy": {"canary": {}},
        "template": {"metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "c", "image": "shop:1"}]}}}});
    rollout["spec"]["strategy"]["canary"]["steps"] = steps;
    rollout
}

/// Half of the traffic, then a pause for the user.
pub fn half_and_pause() -> Value {
    json!([{"setWeight": 50}, {"pause": {}}])
}

/// An AnalysisTemplate with one web metric.
pub fn template(name: &str, metric: &Value) -> Value {
    let mut all = json!({"name": "web", "provider": {"web": {"url": "http://metrics/"}}});
    for (key, value) in metric.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    json!({"metadata": {"name": name}, "spec": {"metrics": [all]}})
}
