//! Several replicas that share the Rollouts: each Rollout is one replica's at a time, whoever dies or comes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use kube::Client;
use object::{Key, Object, Value, json};
use runtime::shards::{GROUP_LABEL, Timings};
use runtime::{Clock, Cluster, Selection, ShardConfig, Shards, Tasks, Watches, resources};

use crate::world::{SPACE, Setup, World, rollout, template};

/// Namespace of the Leases.
const MEET: &str = "kube-system";

/// A replica as the test sees it.
#[derive(Clone)]
struct Replica {
    name: String,
    tasks: Tasks,
    shards: Shards,
    /// Writes until it dies; never when it begins at 0.
    left: Arc<AtomicUsize>,
    /// Whether it reaches its Leases.
    cut: Arc<AtomicBool>,
}

/// All replicas that live, and what was written.
#[derive(Clone, Default)]
struct Group {
    live: Arc<Mutex<BTreeMap<String, Replica>>>,
    wrong: Arc<Mutex<Vec<String>>>,
    /// Writes by replica, without Leases and Events.
    writes: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Group {
    fn replica(&self, name: &str) -> Option<Replica> {
        self.live.lock().unwrap().get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.live.lock().unwrap().keys().cloned().collect()
    }

    /// Starts a replica.
    fn start(&self, world: &World, name: &str, seed: u64) -> Replica {
        self.start_at(world, name, (seed, world.cluster.clock().clone()))
    }

    /// Starts a replica with a clock of its own.
    fn start_at(&self, world: &World, name: &str, (seed, clock): (u64, Clock)) -> Replica {
        let (group, own) = (self.clone(), name.to_owned());
        let seam = from_fn(move |request: Request, next: Next| {
            let (group, own) = (group.clone(), own.clone());
            async move { group.pass(&own, request, next).await }
        });
        let router = world.router.clone().layer(seam);
        let cluster = Cluster::new(Client::new(router, "default"), clock);
        let (tasks, config) = (
            Tasks::new(),
            ShardConfig {
                namespace: MEET.into(),
                group: "test".into(),
                member: name.to_owned(),
                timings: Timings::default(),
            },
        );
        let shards = Shards::join(&cluster, config, &tasks);
        let (left, cut) = (Arc::default(), Arc::default());
        let replica = Replica { name: name.into(), tasks: tasks.clone(), shards: shards.clone(), left, cut };
        self.live.lock().unwrap().insert(name.to_owned(), replica.clone());
        let watches = Watches::new(cluster, &tasks).shared(&shards);
        world.starter.start_with(&watches, &tasks, seed);
        replica
    }

    /// What every request of a replica goes through.
    async fn pass(&self, own: &str, request: Request, next: Next) -> Response {
        let path = request.uri().path().to_owned();
        let Some(replica) = self.replica(own) else { return std::future::pending().await };
        if path.contains("/leases") {
            if replica.cut.load(Ordering::SeqCst) {
                return std::future::pending().await;
            }
            return next.run(request).await;
        }
        if request.method() == Method::GET || path.contains("/events") {
            return next.run(request).await;
        }
        let (request, owner) = read(request, &path).await;
        self.check(own, &owner, &path);
        *self.writes.lock().unwrap().entry(own.to_owned()).or_default() += 1;
        let left = replica.left.load(Ordering::SeqCst);
        if left > 0 {
            replica.left.store(left - 1, Ordering::SeqCst);
        }
        if left != 1 {
            return next.run(request).await;
        }
        // It dies at this write: half of the times it has come through.
        if owner.name.bytes().map(u32::from).sum::<u32>() % 2 == 0 {
            next.run(request).await;
        }
        self.kill(own);
        std::future::pending().await
    }

    /// Kills a replica without a word.
    fn kill(&self, name: &str) {
        if let Some(replica) = self.live.lock().unwrap().remove(name) {
            replica.tasks.abort();
        }
    }

    /// Nobody else may own the object of a write. The writer itself may have begun to give it up while the request was on
    /// its way here: it keeps others waiting until that is answered.
    fn check(&self, own: &str, owner: &Key, path: &str) {
        let live = self.live.lock().unwrap();
        let owners: Vec<&str> =
            live.values().filter(|it| it.shards.owns(owner)).map(|it| it.name.as_str()).collect();
        if owners.iter().any(|owner| *owner != own) {
            self.wrong.lock().unwrap().push(format!("{own} wrote {path} of {owner}, owned by {owners:?}"));
        }
    }

    /// How many of these Rollouts are each live replica's.
    fn shares(&self, count: usize) -> BTreeMap<String, usize> {
        let live = self.live.lock().unwrap();
        let share = |replica: &Replica| {
            (0..count).filter(|at| replica.shards.owns(&Key::new(SPACE, &format!("r{at}")))).count()
        };
        live.values().map(|replica| (replica.name.clone(), share(replica))).collect()
    }

    #[track_caller]
    fn nothing_wrong(&self) {
        let wrong = self.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{} writes: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    }
}

/// Returns the request and the Rollout that it is about: what an object is called begins with its name.
async fn read(request: Request, path: &str) -> (Request, Key) {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let written: Value = serde_json::from_slice(&body).unwrap_or_default();
    let named = written["metadata"]["name"].as_str().filter(|_| parts.method == Method::POST);
    let at = path.split('/').nth(7);
    let name = named.or(at).unwrap_or_default();
    let key = Key::new(SPACE, name.split('-').next().unwrap_or_default());
    (Request::from_parts(parts, Body::from(body)), key)
}

/// Two pods, some with an analysis.
fn small(at: usize) -> Value {
    let mut steps = vec![json!({"setWeight": 50}), json!({"pause": {"duration": "20s"}})];
    if at.is_multiple_of(4) {
        steps.push(json!({"analysis": {"templates": [{"templateName": "check"}]}}));
    }
    let mut rollout = rollout(&format!("r{at}"), json!(steps));
    rollout["spec"]["replicas"] = json!(2);
    rollout
}

async fn create_all(world: &World, count: usize) {
    world
        .create(&resources::ANALYSIS_TEMPLATES, template("check", &json!({"count": 2, "interval": "5s"})))
        .await;
    for at in 0..count {
        world.create(&resources::ROLLOUTS, small(at)).await;
    }
}

async fn update_all(world: &World, count: usize, image: &str) {
    for at in 0..count {
        world.image(&format!("r{at}"), image).await;
    }
}

async fn all_healthy(world: &World, count: usize) {
    for at in 0..count {
        world.phase(&format!("r{at}"), "Healthy").await;
    }
}

/// Each version of each Rollout was made once, and told once.
async fn nothing_is_doubled(world: &World, count: usize, versions: usize) {
    let mut revisions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for set in world.sets().await {
        let owner = set.controller().unwrap().name.clone();
        revisions.entry(owner).or_default().push(set.annotation(rollout::keys::REVISION).unwrap().to_owned());
    }
    assert_eq!(revisions.len(), count);
    for (name, revisions) in &revisions {
        let distinct: BTreeSet<&String> = revisions.iter().collect();
        assert_eq!((revisions.len(), distinct.len()), (versions, versions), "{name}: {revisions:?}");
    }
    let runs = world.list(&resources::ANALYSIS_RUNS).await;
    assert_eq!(runs.len(), count.div_ceil(4) * (versions - 1));
    for run in &runs {
        assert_eq!(run.str(&["status", "phase"]), "Successful");
        let measurements = run.items(&["status", "metricResults"])[0]["measurements"].as_array().unwrap();
        assert_eq!(measurements.len(), 2, "{}", run.name());
    }
    let events = world.list(&resources::EVENTS).await;
    let once = ["RolloutAddedToInformer", "RolloutUpdated", "NewReplicaSetCreated", "RolloutCompleted"];
    let mut told: BTreeMap<(String, String), i64> = BTreeMap::new();
    for event in events.iter().filter(|event| once.contains(&event.str(&["reason"]))) {
        let about = event.str(&["involvedObject", "name"]).to_owned();
        let times = event.int(&["count"]).unwrap_or(1);
        *told.entry((about, event.str(&["message"]).to_owned())).or_default() += times;
    }
    let doubled: Vec<_> = told.iter().filter(|(_, times)| **times > 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    assert!(told.len() > count * (versions * 3 - 1), "{} of {} told", told.len(), count * (versions * 3 + 1));
}

async fn leases(world: &World) -> Vec<Object> {
    let selection = Selection::labels(&format!("{GROUP_LABEL}=test"));
    world.cluster.list(&resources::LEASES, Some(MEET), &selection).await.unwrap()
}

async fn world() -> World {
    World::with(Setup { controllers: 0, ..Setup::default() }).await
}

/// Replicas die at their writes and come under load.
async fn play(seed: u64, count: usize) {
    let (world, group) = (world().await, Group::default());
    let mut dice = seed;
    let mut roll = |below: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % below
    };
    for at in 0..3 {
        group.start(&world, &format!("replica-{at}"), seed + at);
    }
    world.pass(1).await;
    for (round, image) in ["shop:1", "shop:2", "shop:3"].into_iter().enumerate() {
        match round {
            0 => create_all(&world, count).await,
            _ => update_all(&world, count, image).await,
        }
        for step in 0..3 {
            let names = group.names();
            let victim = &names[usize::try_from(roll(names.len() as u64)).unwrap()];
            if let Some(replica) = group.replica(victim) {
                replica.left.store(usize::try_from(1 + roll(20)).unwrap(), Ordering::SeqCst);
            }
            world.pass(roll(12)).await;
            let name = format!("replica-{}", 10 + round * 10 + step);
            group.start(&world, &name, seed + roll(100));
            world.pass(roll(8)).await;
        }
        all_healthy(&world, count).await;
    }
    group.nothing_wrong();
    // those who died by now are forgotten, the others share all of it
    world.pass(60).await;
    let shares = group.shares(count);
    assert_eq!(shares.values().sum::<usize>(), count, "{shares:?}");
    // of a few it may happen that one has none
    assert!(count < 100 || shares.values().all(|share| *share > count / 20), "{shares:?}");
    nothing_is_doubled(&world, count, 3).await;
    at_rest_only_leases_are_written(&world, &group).await;
    group.nothing_wrong();
    stop(world, &group).await;
}

async fn at_rest_only_leases_are_written(world: &World, group: &Group) {
    let written = || group.writes.lock().unwrap().values().sum::<usize>();
    let (before, all_before, replicas) = (written(), world.writes(), group.names().len() as u64);
    world.pass(60).await;
    assert_eq!(written(), before);
    let all = world.writes() - all_before;
    assert!(all >= 14 * replicas && all <= 16 * replicas, "{all} writes of {replicas} replicas in a minute");
}

async fn stop(world: World, group: &Group) {
    for name in group.names() {
        let replica = group.replica(&name).unwrap();
        replica.tasks.stop().await;
    }
    assert_eq!(leases(&world).await.len(), 0, "who leaves in order gives its lease up");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn replicas_that_die_and_come_under_load_lose_and_double_nothing() {
    play(1, 120).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_with_other_seeds() {
    for seed in 2..6 {
        play(seed, 20).await;
    }
}

/// Its requests for Leases hang, all others work: it has to stop by itself, before the others go on.
#[tokio::test(start_paused = true)]
async fn a_replica_that_cannot_renew_stops_before_the_others_take_over() {
    let (world, group) = (world().await, Group::default());
    let first = group.start(&world, "first", 1);
    group.start(&world, "second", 2);
    world.pass(5).await;
    create_all(&world, 40).await;
    all_healthy(&world, 40).await;
    assert!(group.shares(40).values().all(|share| *share > 8), "{:?}", group.shares(40));

    first.cut.store(true, Ordering::SeqCst);
    update_all(&world, 40, "shop:2").await;
    world.pass(11).await;
    let shares = group.shares(40);
    assert!(shares["first"] == 0 && shares["second"] < 40, "nobody acts for those in between: {shares:?}");
    world.pass(12).await;
    assert_eq!(group.shares(40)["second"], 40);
    all_healthy(&world, 40).await;

    first.cut.store(false, Ordering::SeqCst);
    update_all(&world, 40, "shop:3").await;
    world.pass(10).await;
    assert!(group.shares(40)["first"] > 8, "{:?}", group.shares(40));
    all_healthy(&world, 40).await;
    group.nothing_wrong();
    nothing_is_doubled(&world, 40, 3).await;
    stop(world, &group).await;
}

/// A replica that stops in order hands over within a look or two.
#[tokio::test(start_paused = true)]
async fn who_leaves_in_order_is_not_waited_for() {
    let (world, group) = (world().await, Group::default());
    let first = group.start(&world, "first", 1);
    group.start(&world, "second", 2);
    world.pass(5).await;
    create_all(&world, 20).await;
    all_healthy(&world, 20).await;
    first.tasks.stop().await;
    group.live.lock().unwrap().remove("first");
    world.pass(3).await;
    assert_eq!(group.shares(20)["second"], 20);
    update_all(&world, 20, "shop:2").await;
    all_healthy(&world, 20).await;
    group.nothing_wrong();
    stop(world, &group).await;
}

/// Nobody compares times of two machines.
#[tokio::test(start_paused = true)]
async fn clocks_that_are_hours_apart_do_not_matter() {
    let (world, group) = (world().await, Group::default());
    for (name, epoch) in
        [("early", 1_767_225_600 - 7_200), ("late", 1_767_225_600 + 7_200), ("right", 1_767_225_600)]
    {
        group.start_at(&world, name, (1, Clock::starting_at(object::Time::from_unix(epoch))));
    }
    world.pass(10).await;
    let shares = group.shares(100);
    assert!(shares.values().all(|share| *share > 15) && shares.values().sum::<usize>() == 100, "{shares:?}");
    world.pass(300).await;
    assert_eq!(group.shares(100), shares);
    group.kill("late");
    world.pass(12).await;
    assert!(group.shares(100).values().sum::<usize>() < 100, "not before its lease is over");
    world.pass(10).await;
    assert_eq!(group.shares(100).values().sum::<usize>(), 100);
    // until its lease is cleared away
    world.pass(30).await;
    stop(world, &group).await;
}

/// What the dead leave is cleared away, and a lease that somebody deletes is made anew.
#[tokio::test(start_paused = true)]
async fn leases_of_the_dead_are_cleared_away() {
    let (world, group) = (world().await, Group::default());
    for name in ["first", "second"] {
        group.start(&world, name, 1);
    }
    world.pass(5).await;
    group.kill("first");
    world.pass(10).await;
    assert_eq!(leases(&world).await.len(), 2);
    world.pass(60).await;
    assert_eq!(leases(&world).await.len(), 1);
    world
        .cluster
        .delete(&resources::LEASES, &Key::new(MEET, "second"), &runtime::Deletion::default())
        .await
        .unwrap();
    world.pass(5).await;
    assert_eq!(group.shares(10)["second"], 10);
    stop(world, &group).await;
}
