//! Simulation: every strategy in the hands of a user who does anything at any time, under faults, for many seeds.
//!
//! `SLIPWAY_SEED=17 cargo test -p sim --test simulation users` plays one seed; `SLIPWAY_SEEDS=2000` plays that many.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt as _;
use sim::{Fault, Random, Rates, Scope, Struck, User, World, WorldConfig, seeds};

use super::stage::key;
use super::stories::{STORIES, Story, answers, rules};
use super::{alone, user};

/// Seeds that once failed, with what they showed.
/// 177, 243: a restart counted pods of the version before, which were on their way out, and evicted too many.
/// 188: where weights go down, with `dynamicStableScale`, the new pods went before the stable ones had come.
/// 336, 376: a stable version that cannot run, older pods and the new version waited for one another for ever.
/// 854: where a lost version's traffic went back, with `dynamicStableScale`, the stable pods went in the same pass.
const KEPT: [u64; 6] = [177, 188, 243, 336, 376, 854];
/// Seeds that are played when nothing else is said.
const SEEDS: u64 = 40;

/// What a seed comes to.
#[derive(Debug, PartialEq)]
struct Outcome {
    struck: Struck,
    /// Number of writes.
    writes: u64,
    /// Of all that was written, in order.
    digest: u64,
}

/// Plays one seed in a runtime of its own under a paused clock.
fn play(seed: u64) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let faults = Some(Rates::ROUGH);
        let base =
            WorldConfig { scope: Scope::Rollouts, user: User::Told, ..WorldConfig::new(seed, dir.path()) };
        let config = WorldConfig { faults, answers: answers(), rules: rules(), ..base };
        let world = World::start(config).await.unwrap();
        let mut random = Random::new(seed ^ 0x0075_7365_7273);
        let which = usize::try_from(seed % (STORIES.len() as u64 + 1)).unwrap();
        let played = async {
            match STORIES.get(which) {
                Some(story) => rollout(&world, *story, &mut random).await,
                None => experiment(&world, &mut random).await,
            }
        };
        if let Err(panic) = AssertUnwindSafe(played).catch_unwind().await {
            if std::env::var_os("SLIPWAY_TALE").is_some() {
                eprintln!("{}", sim::tale(world.store()).unwrap());
            }
            std::panic::resume_unwind(panic);
        }
        assert_eq!(world.invariants().broken(), Vec::<String>::new());
        let struck = world.faults().unwrap().by_kind();
        let outcome = Outcome { struck, writes: world.revision(), digest: digest(&world) };
        world.stop().await;
        outcome
    })
}

fn digest(world: &World) -> u64 {
    let mut watch = world.store().watch("", world.store().oldest()).unwrap();
    let mut hasher = DefaultHasher::new();
    while let Some(change) = watch.try_next() {
        let change = change.unwrap();
        (&change.entry.key, &change.entry.value).hash(&mut hasher);
    }
    hasher.finish()
}

/// Lets a user live with a Rollout, then get an update through, then look that it comes to rest.
async fn rollout(world: &World, story: Story, random: &mut Random) {
    let spec = story.begin(world, random).await;
    let deeds = user::live(world, random).await;
    let told = || {
        let why = world.invariants().explain(&key("r"), world.cluster().clock().now());
        format!("{story:?} {spec}\n{}\n{why}", deeds.join("\n"))
    };
    let healthy = user::will(world, random).await;
    assert_eq!(world.invariants().broken(), Vec::<String>::new(), "{}", told());
    assert!(healthy, "never healthy: {}", told());
    world.faults().unwrap().stop();
    let rest = world.settle(Duration::from_secs(1800)).await;
    assert!(rest.is_ok(), "{rest:?}: {}", told());
    assert_eq!(world.invariants().broken(), Vec::<String>::new(), "{}", told());
    let end = super::stage::get(world).await;
    assert!(super::stage::is(&end, "Healthy"), "no longer healthy: {}", told());
}

/// Lets an Experiment that stands alone end, and looks that it comes to rest.
async fn experiment(world: &World, random: &mut Random) {
    let spec = alone::play(world, random).await;
    world.faults().unwrap().stop();
    let rest = world.settle(Duration::from_secs(1800)).await;
    assert!(rest.is_ok(), "{rest:?}: {spec}");
    alone::look(world, &spec).await;
}

#[test]
fn a_seed_plays_the_same_each_time() {
    for seed in 1..=3 {
        assert_eq!(play(seed), play(seed), "seed {seed}");
    }
}

#[test]
fn every_seed_ends_where_it_should() {
    let struck = Mutex::new(Struck::new());
    let chosen = seeds::chosen(&KEPT, SEEDS);
    let failed = seeds::failing(&chosen, "cargo test -p sim --test simulation users", |seed| {
        let counts = play(seed).struck;
        let mut struck = struck.lock().unwrap();
        counts.into_iter().for_each(|(fault, count)| *struck.entry(fault).or_default() += count);
    });
    let struck = struck.into_inner().unwrap();
    eprintln!("{} seeds, struck: {struck:?}", chosen.len());
    assert!(failed.is_empty(), "failing seeds: {failed:?}");
    let spared: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| !struck.contains_key(fault)).collect();
    assert!(chosen.len() < 10 || spared.is_empty(), "never struck: {spared:?}");
}
