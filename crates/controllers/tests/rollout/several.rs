//! Several controllers at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use object::{Key, Object, Value, json};
use runtime::{EventType, Leadership, LeadershipConfig, Recorder, Subresource, Tasks, resources};

use crate::world::{Setup, World, template};

fn steps() -> Value {
    let analysis = json!({"templates": [{"templateName": "check"}]});
    json!([{"setWeight": 25}, {"pause": {"duration": "10s"}}, {"analysis": analysis}, {"setWeight": 50},
        {"pause": {"duration": "10s"}}])
}

/// Plays two updates and checks that each thing exists once.
async fn play(world: &World) {
    let metric = json!({"count": 3, "interval": "5s"});
    world.create(&resources::ANALYSIS_TEMPLATES, template("check", &metric)).await;
    world.healthy_rollout("r", steps()).await;
    for version in 2..4 {
        world.image("r", &format!("shop:{version}")).await;
        world.phase("r", "Paused").await;
        world.phase("r", "Healthy").await;
    }
    world.pass(60).await;
    let sets = world.sets().await;
    assert_eq!(world.sizes().await, [0, 0, 4]);
    let revisions: Vec<_> = sets.iter().map(|set| set.annotation(rollout::keys::REVISION).unwrap()).collect();
    assert_eq!(revisions, ["1", "2", "3"]);
    let runs = world.list(&resources::ANALYSIS_RUNS).await;
    assert_eq!(runs.len(), 2);
    for run in &runs {
        assert_eq!(run.str(&["status", "phase"]), "Successful");
        let result = &run.items(&["status", "metricResults"])[0];
        assert_eq!((&result["count"], result["measurements"].as_array().unwrap().len()), (&json!(3), 3));
    }
    let ready = world.list(&resources::PODS).await;
    let names: BTreeSet<&str> = ready.iter().map(Object::name).collect();
    assert_eq!(names.len(), 4);
    assert_eq!(world.said("RolloutCompleted").await.iter().collect::<BTreeSet<_>>().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn two_without_election_double_nothing_and_lose_nothing() {
    for _ in 0..3 {
        let world = World::with(Setup { controllers: 2, ..Setup::default() }).await;
        play(&world).await;
        world.stop().await;
    }
}

/// Starts a candidate whose controllers run while it leads; it ends with the tasks that are returned.
fn candidate(world: &World, identity: &'static str) -> (Tasks, Arc<AtomicBool>) {
    let tasks = Tasks::new();
    let leads = Arc::new(AtomicBool::new(false));
    let config = LeadershipConfig::new(Key::new("kube-system", "slipway"), identity);
    let mut leadership = Leadership::compete(world.cluster.clone(), config, &tasks);
    let (shown, starter) = (leads.clone(), world.starter.clone());
    let parent = tasks.clone();
    tasks.spawn("candidate", async move {
        while leadership.acquired().await {
            shown.store(true, SeqCst);
            let working = parent.child();
            starter.start(&working, 1);
            leadership.lost().await;
            shown.store(false, SeqCst);
            working.abort();
        }
    });
    (tasks, leads)
}

#[tokio::test(start_paused = true)]
async fn with_election_one_works_and_another_takes_over() {
    let world = World::with(Setup { controllers: 0, ..Setup::default() }).await;
    let (first, first_leads) = candidate(&world, "first");
    world.pass(1).await;
    let (second, second_leads) = candidate(&world, "second");
    world.healthy_rollout("r", json!([{"setWeight": 50}, {"pause": {}}])).await;
    assert_eq!((first_leads.load(SeqCst), second_leads.load(SeqCst)), (true, false));

    // It dies without a word: nobody works until the lease is over, then the other goes on.
    first.abort();
    world.image("r", "shop:2").await;
    world.pass(10).await;
    assert!(!second_leads.load(SeqCst));
    assert_eq!(world.sets().await.len(), 1);
    world.pass(10).await;
    assert!(second_leads.load(SeqCst));
    world.phase("r", "Paused").await;

    // It ends in order: the next one takes over within an attempt or two.
    let (third, third_leads) = candidate(&world, "third");
    world.pass(5).await;
    assert!(!third_leads.load(SeqCst));
    second.stop().await;
    world.pass(5).await;
    assert!(third_leads.load(SeqCst));
    world.patch_on(Subresource::Status, "r", json!({"status": {"pauseConditions": null}})).await;
    world.phase("r", "Healthy").await;
    let lease = world.cluster.get(&resources::LEASES, &Key::new("kube-system", "slipway")).await.unwrap();
    assert_eq!(lease.unwrap().str(&["spec", "holderIdentity"]), "third");
    third.stop().await;
    world.stop().await;
}

/// A name is made of the object, the time and a count, so that two writers come to the same one.
#[tokio::test(start_paused = true)]
async fn who_holds_the_lease_renews_it_without_looking() {
    let world = World::with(Setup { controllers: 0, ..Setup::default() }).await;
    let (first, leads) = candidate(&world, "first");
    world.pass(60).await;
    assert!(leads.load(SeqCst));
    let requests = world.cluster.tally().requests();
    let made = |verb: &str| -> u64 {
        let of = requests.iter().filter(|(kind, _)| kind.resource == "leases" && kind.verb == verb);
        of.map(|(_, count)| count).sum()
    };
    assert_eq!((made("Get"), made("Create")), (1, 1), "{requests:?}");
    assert!(made("Update") >= 25, "{requests:?}");
    first.stop().await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn events_of_two_writers_at_the_same_time_are_both_kept() {
    let world = World::start().await;
    let about = world.create(&resources::CONFIG_MAPS, json!({"metadata": {"name": "c"}})).await;
    let tasks = Tasks::new();
    for writer in ["first", "second"] {
        let recorder = Recorder::new(world.cluster.clone(), "test", &tasks);
        recorder.record(&about, EventType::Normal, "Same", writer);
        recorder.record(&about, EventType::Normal, "Same", &format!("{writer} again"));
    }
    world.pass(1).await;
    assert_eq!(world.said("Same").await.len(), 4);
    tasks.stop().await;
    world.stop().await;
}
