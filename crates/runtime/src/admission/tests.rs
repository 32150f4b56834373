use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use http_body_util::Full;
use kube::client::Body;
use object::{Key, Object, Time, json};

use super::*;
use crate::{Clock, Cluster, Patch, Resource, Subresource, Tasks, resources};

/// A server that takes its time and refuses what is too much.
#[derive(Default)]
struct Server {
    /// Requests under way, and the most there were.
    now: AtomicUsize,
    most: AtomicUsize,
    /// More at once are refused with 429 and this wait.
    room: AtomicUsize,
    retry_after: AtomicU64,
    refused: AtomicUsize,
    /// Paths in the order they were answered well, with the time.
    log: Mutex<Vec<(Duration, String)>>,
}

const TAKES: Duration = Duration::from_millis(50);

impl Server {
    fn with_room(room: usize) -> Arc<Self> {
        let server = Self::default();
        server.room.store(room, Ordering::SeqCst);
        server.retry_after.store(1, Ordering::SeqCst);
        Arc::new(server)
    }

    async fn answer(&self, path: String, start: Instant) -> http::Response<Full<bytes::Bytes>> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let response = if now > self.room.load(Ordering::SeqCst) && !path.contains("leases") {
            self.refused.fetch_add(1, Ordering::SeqCst);
            let wait = self.retry_after.load(Ordering::SeqCst).to_string();
            let response = http::Response::builder().status(429).header("retry-after", wait);
            response.body(Full::new("{\"kind\": \"Status\", \"code\": 429}".into())).unwrap()
        } else {
            tokio::time::sleep(TAKES).await;
            self.log.lock().unwrap().push((start.elapsed(), path));
            http::Response::new(Full::new("{}".into()))
        };
        self.now.fetch_sub(1, Ordering::SeqCst);
        response
    }

    fn cluster(self: &Arc<Self>) -> Cluster {
        let (server, start) = (self.clone(), Instant::now());
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let (server, path) = (server.clone(), request.uri().path().to_owned());
            async move { Ok::<_, Infallible>(server.answer(path, start).await) }
        });
        Cluster::new(kube::Client::new(service, "default"), Clock::starting_at(Time::from_unix(0)))
    }

    fn log(&self) -> Vec<(Duration, String)> {
        self.log.lock().unwrap().clone()
    }
}

fn write(cluster: &Cluster, tasks: &Tasks, resource: &Resource, part: Subresource) {
    let (cluster, resource) = (cluster.clone(), resource.clone());
    tasks.spawn("write", async move {
        let patch = Patch::merge(json!({})).on(part);
        cluster.patch(&resource, &Key::new("ns", "a"), &patch).await.unwrap();
    });
}

#[tokio::test(start_paused = true)]
async fn replica_sets_go_before_statuses_before_events() {
    let (server, tasks) = (Server::with_room(usize::MAX), Tasks::new());
    let cluster = server.cluster();
    for _ in 0..30 {
        write(&cluster, &tasks, &resources::EVENTS, Subresource::None);
        write(&cluster, &tasks, &resources::ROLLOUTS, Subresource::Status);
        write(&cluster, &tasks, &resources::SERVICES, Subresource::None);
    }
    tokio::time::sleep(TAKES / 2).await;
    assert!(cluster.admission().waiting() > 50);
    for _ in 0..30 {
        write(&cluster, &tasks, &resources::REPLICA_SETS, Subresource::None);
    }
    write(&cluster, &tasks, &resources::LEASES, Subresource::None);
    tokio::time::sleep(TAKES * 6 / 5).await;
    assert!(server.log().iter().any(|(_, path)| path.contains("leases")), "a lease never waits");
    tokio::time::sleep(TAKES * 40).await;
    let log: Vec<String> = server.log().into_iter().map(|(_, path)| path).collect();
    assert_eq!(log.len(), 121);
    let places = |part: &str| -> Vec<usize> {
        let of = log.iter().enumerate().filter(|(_, path)| path.contains(part));
        of.map(|(place, _)| place).filter(|place| *place > 17).collect()
    };
    let (sets, services) = (places("replicasets"), places("services"));
    let (statuses, events) = (places("status"), places("events"));
    assert!(sets.last() < services.first() && services.last() < statuses.first(), "{log:?}");
    // one in eight is for the last lane that waits, so that none waits for ever
    let last = statuses.last().copied().unwrap_or_default();
    let early = events.iter().filter(|place| **place < last).count();
    assert!((1..=last / 8 + 1).contains(&early), "{early} of {last}: {log:?}");
    tasks.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_server_is_left_alone_as_long_as_it_asks_and_nothing_is_lost() {
    let (server, tasks) = (Server::with_room(4), Tasks::new());
    server.retry_after.store(3, Ordering::SeqCst);
    let cluster = server.cluster();
    for _ in 0..16 {
        write(&cluster, &tasks, &resources::ROLLOUTS, Subresource::None);
    }
    tokio::time::sleep(Duration::from_millis(2990)).await;
    assert_eq!((server.log().len(), server.refused.load(Ordering::SeqCst)), (4, 12));
    assert_eq!(cluster.admission().limit(), 8);
    write(&cluster, &tasks, &resources::ROLLOUTS, Subresource::None);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(server.log().len(), 17);
    assert!(server.log().iter().skip(4).all(|(at, _)| *at >= Duration::from_secs(3)), "{:?}", server.log());
    tasks.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_number_under_way_finds_what_the_server_can_do() {
    let (server, tasks) = (Server::with_room(40), Tasks::new());
    let cluster = server.cluster();
    for _ in 0..20_000 {
        write(&cluster, &tasks, &resources::ROLLOUTS, Subresource::None);
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    let early = server.most.load(Ordering::SeqCst);
    assert!(early > 40, "it tries for more: {early}");
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(server.log().len(), 20_000);
    let refused = server.refused.load(Ordering::SeqCst);
    assert!((1..400).contains(&refused), "a few are refused now and then: {refused}");
    tasks.stop().await;
}

#[tokio::test(start_paused = true)]
async fn qps_and_burst_are_upper_bounds() {
    let (server, tasks) = (Server::with_room(usize::MAX), Tasks::new());
    let cluster = server.cluster().bounded(Bounds { qps: Some(10.0), burst: Some(5) });
    for _ in 0..55 {
        write(&cluster, &tasks, &resources::ROLLOUTS, Subresource::None);
    }
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(server.log().len(), 5);
    tokio::time::sleep(Duration::from_millis(4940)).await;
    assert!((50..=55).contains(&server.log().len()), "{}", server.log().len());
    tasks.stop().await;
}

/// 429 of an eviction is an answer, and a server that asks for ten minutes is not waited for.
#[tokio::test(start_paused = true)]
async fn what_is_not_tried_again() {
    let server = Server::with_room(0);
    let cluster = server.cluster();
    let before = Instant::now();
    let refused = cluster.evict(&Key::new("ns", "pod")).await.unwrap();
    assert!(matches!(refused, crate::Eviction::Refused(_)) && before.elapsed().is_zero());
    assert_eq!(cluster.admission().limit(), 16);
    server.retry_after.store(600, Ordering::SeqCst);
    let object = Object::from_value(json!({"metadata": {"name": "a"}}));
    let error = cluster.create(&resources::CONFIG_MAPS, &object).await.unwrap_err();
    assert_eq!((error.code, error.retry_after()), (429, Some(Duration::from_secs(600))));
    assert!(before.elapsed().is_zero());
}
