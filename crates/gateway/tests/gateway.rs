//! The gateway in front of backends in this process.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apiserver::{ApiServer, Config};
use bytes::Bytes;
use gateway::{Gateway, GatewayConfig};
use object::{Key, Object, json};
use runtime::http::{HttpClient as _, HttpRequest, HttpResponse, System, TlsTrust};
use runtime::{Clock, Cluster, Deletion, Patch, Subresource, Tasks, Watches, resources as r};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

struct World {
    cluster: Cluster,
    tasks: Tasks,
    gateway: Gateway,
    client: System,
}

impl World {
    async fn start() -> Self {
        let server = ApiServer::new(store::Store::memory(), Clock::system(), Config::default());
        server.bootstrap().await.unwrap();
        let cluster = Cluster::new(kube::Client::new(server.router(), "default"), Clock::system());
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}
        });
        cluster.create(&r::SERVICES, &Object::from_value(service)).await.unwrap();
        let tasks = Tasks::new();
        let watches = Watches::new(cluster.clone(), &tasks);
        let config = GatewayConfig { connect: Duration::from_secs(2), answer: Duration::from_secs(5) };
        let gateway = Gateway::new(&watches, config, &tasks);
        watches.cache(&r::SERVICES).synced().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let names = gateway.names(listener.local_addr().unwrap());
        gateway.serve(listener, &tasks);
        Self { cluster, tasks, gateway, client: System::new(Arc::new(names)) }
    }

    /// Makes a ready pod that is reached at `address`.
    async fn pod(&self, name: &str, address: SocketAddr) {
        let port = json!({"name": "http", "containerPort": address.port()});
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "a", "image": "x", "ports": [port]}]}
        });
        self.cluster.create(&r::PODS, &Object::from_value(pod)).await.unwrap();
        let ready = json!({"type": "Ready", "status": "True"});
        let status = json!({"podIP": address.ip(), "podIPs": [{"ip": address.ip()}], "conditions": [ready]});
        let patch = Patch::merge(json!({"status": status})).on(Subresource::Status);
        self.cluster.patch(&r::PODS, &Key::new("default", name), &patch).await.unwrap();
    }

    /// Makes a pod that answers with its own name.
    async fn backend(&self, name: &'static str) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().fallback(move || async move { name });
        self.tasks.spawn("backend", async move { axum::serve(listener, router).await.unwrap() });
        self.pod(name, address).await;
    }

    /// Makes a pod that takes requests and ends without an answer; returns how many it took.
    async fn crashing(&self, name: &str) -> Arc<AtomicUsize> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, taken) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&taken);
        self.tasks.spawn("crashing", async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                if stream.read(&mut [0; 1024]).await.is_ok_and(|length| length > 0) {
                    count.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        self.pod(name, address).await;
        taken
    }

    async fn get(&self, url: &str) -> HttpResponse {
        self.send("GET", url).await
    }

    async fn send(&self, method: &str, url: &str) -> HttpResponse {
        let request = HttpRequest {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(10),
            tls: TlsTrust::System,
        };
        self.client.send(request).await.unwrap()
    }

    /// Applies the route `web` once its kind is served.
    async fn until_applied(&self, routes: &runtime::Resource, patch: &Patch) {
        for _ in 0..500 {
            match self.cluster.patch(routes, &Key::new("default", "web"), patch).await {
                Ok(_) => return,
                Err(error) if error.is_not_found() => {}
                Err(error) => panic!("{error}"),
            }
            self.cluster.clock().sleep(Duration::from_millis(20)).await;
        }
        panic!("HTTPRoutes are not served");
    }

    /// Calls until the answer is `wanted`; fails after 10 s.
    async fn until(&self, wanted: impl Fn(&HttpResponse) -> bool) {
        for _ in 0..500 {
            if wanted(&self.get("http://web.default/").await) {
                return;
            }
            self.cluster.clock().sleep(Duration::from_millis(20)).await;
        }
        panic!("{:?}", self.get("http://web.default/").await);
    }
}

fn text(answer: &HttpResponse) -> String {
    String::from_utf8_lossy(&answer.body).trim().to_owned()
}

#[tokio::test]
async fn requests_are_spread_evenly_and_counted() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        world.backend(name).await;
        world.until(|answer| text(answer) == name).await;
    }
    let mut counts = BTreeMap::new();
    for _ in 0..30 {
        *counts.entry(text(&world.get("http://web.default.svc.cluster.local/x").await)).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([("a".into(), 10), ("b".into(), 10), ("c".into(), 10)]));
    let metrics = text(&world.get("http://gateway.default.svc/-/metrics").await);
    assert!(metrics.contains(r#"service="web",pod="b",code="2xx""#), "{metrics}");
    world.cluster.delete(&r::PODS, &Key::new("default", "b"), &Deletion::default()).await.unwrap();
    for _ in 0..500 {
        if !world.gateway.metrics().contains(r#"pod="b""#) {
            return;
        }
        world.cluster.clock().sleep(Duration::from_millis(20)).await;
    }
    panic!("the series of a pod outlives it");
}

#[tokio::test]
async fn nobody_ready_and_nobody_at_all_are_told_apart() {
    let world = World::start().await;
    let answer = world.get("http://web.default/").await;
    assert_eq!((answer.status, text(&answer)), (503, "Service default/web has no ready endpoint".into()));
    let answer = world.get("http://other.default.svc/").await;
    assert_eq!((answer.status, text(&answer)), (404, "no Service default/other with a port".into()));
}

#[tokio::test]
async fn a_backend_that_refuses_is_passed_over() {
    let world = World::start().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    world.pod("dead", address).await;
    world.until(|answer| answer.status == 502).await;
    world.backend("alive").await;
    world.until(|answer| text(answer) == "alive").await;
    for _ in 0..6 {
        assert_eq!(text(&world.get("http://web.default/").await), "alive");
    }
}

#[tokio::test]
async fn a_lost_connection_is_made_good_once_and_only_for_who_may_ask_again() {
    let world = World::start().await;
    let first = world.crashing("first").await;
    world.until(|answer| answer.status == 502).await;
    let alone = first.load(Ordering::SeqCst);
    world.backend("alive").await;
    world.until(|answer| text(answer) == "alive").await;
    for _ in 0..6 {
        assert_eq!(text(&world.get("http://web.default/").await), "alive");
    }
    assert!(first.load(Ordering::SeqCst) > alone, "the pod that ends was asked too");
    let mut statuses = BTreeMap::new();
    for _ in 0..6 {
        *statuses.entry(world.send("POST", "http://web.default/").await.status).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(200, 3), (502, 3)]));
}

#[tokio::test]
async fn a_request_that_ends_pods_does_not_end_all_of_them() {
    let world = World::start().await;
    let mut all = Vec::new();
    for name in ["a", "b", "c", "d"] {
        all.push(world.crashing(name).await);
        let taken = all.last().unwrap();
        world.until(|_| taken.load(Ordering::SeqCst) > 0).await;
    }
    let count = || all.iter().map(|taken| taken.load(Ordering::SeqCst)).sum::<usize>();
    let before = count();
    assert_eq!(world.get("http://web.default/").await.status, 502);
    assert_eq!(count() - before, 2);
}

#[tokio::test]
async fn requests_are_split_by_the_weights_of_a_route() {
    let world = World::start().await;
    world.backend("stable").await;
    world.until(|answer| text(answer) == "stable").await;
    world.cluster.create(&r::CRDS, &gateway::definition()).await.unwrap();
    let backend = |name: &str, weight: u32| json!({"name": name, "port": 80, "weight": weight});
    let rule =
        |weights: [u32; 2]| json!({"backendRefs": [backend("web", weights[0]), backend("next", weights[1])]});
    let route = |weights: [u32; 2]| {
        Object::from_value(json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"hostnames": ["shop.default.svc"], "rules": [rule(weights)]},
        }))
    };
    let routes = runtime::Resource::builtin("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute");
    for (weights, expected) in [([80, 20], [80, 20]), ([0, 1], [0, 100]), ([0, 0], [0, 0])] {
        let patch = Patch::apply(route(weights).to_value(), "test").force();
        world.until_applied(&routes, &patch).await;
        let mut counts = [0; 2];
        for _ in 0..500 {
            counts = [0; 2];
            for _ in 0..100 {
                // The second Service does not exist.
                match world.get("http://shop.default.svc/").await.status {
                    200 => counts[0] += 1,
                    404 => counts[1] += 1,
                    status => assert_eq!((status, weights), (500, [0, 0])),
                }
            }
            if counts == expected {
                break;
            }
            world.cluster.clock().sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(counts, expected);
    }
    assert_eq!(text(&world.get("http://web.default/").await), "stable");
}
