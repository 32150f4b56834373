//! A user who does anything at any time, by a seed.

use std::time::Duration;

use object::{Object, Value, json};
use runtime::{Deletion, Selection, resources};
use sim::{Random, World};

use super::stage::{change, get, image, key, status};

/// Images: three that are ready after a second, two that are slow, one whose pods are never ready, one that cannot be
/// had, and one that says that it is not well.
pub const IMAGES: [&str; 8] =
    ["shop:1", "shop:2", "shop:3", "shop:slow-20", "shop:slow-70", "shop:never", "shop:missing", "shop:sick"];
/// The first of [`IMAGES`] are fine.
const FINE: u64 = 5;

/// What a user does.
#[derive(Clone, Debug)]
pub enum Deed {
    Image(&'static str),
    Promote,
    PromoteFull,
    SkipStep,
    Abort,
    Retry,
    Pause(bool),
    Restart,
    Scale(u64),
    Undo,
    DeletePod(u64),
}

impl Deed {
    /// Returns a deed; changes and promotions come more often than the rest.
    pub fn draw(random: &mut Random) -> Self {
        match random.below(20) {
            0..=4 => Self::Image(IMAGES[usize::try_from(random.below(IMAGES.len() as u64)).unwrap()]),
            5..=7 => Self::Promote,
            8 => Self::PromoteFull,
            9 => Self::SkipStep,
            10 | 11 => Self::Abort,
            12 => Self::Retry,
            13 => Self::Pause(random.chance(500)),
            14 => Self::Restart,
            15 | 16 => Self::Scale(random.below(8)),
            17 => Self::Undo,
            _ => Self::DeletePod(random.draw()),
        }
    }

    /// Does it.
    pub async fn act(&self, world: &World) {
        world.invariants().acting();
        match self {
            Self::Image(to) => image(world, to).await,
            Self::Promote => promote(world).await,
            Self::PromoteFull => {
                let rollout = get(world).await;
                let at_rest =
                    rollout.str(&["status", "currentPodHash"]) == rollout.str(&["status", "stableRS"]);
                if !at_rest {
                    status(world, json!({"promoteFull": true})).await;
                }
                unpause(world, &rollout).await;
            }
            Self::SkipStep => {
                let rollout = get(world).await;
                let steps = rollout.items(&["spec", "strategy", "canary", "steps"]).len();
                let index = rollout.int(&["status", "currentStepIndex"]);
                if let Some(index) = index.filter(|_| steps > 0) {
                    let next = (index + 1).min(i64::try_from(steps).unwrap());
                    status(world, json!({"currentStepIndex": next})).await;
                }
            }
            Self::Abort => status(world, json!({"abort": true})).await,
            Self::Retry => status(world, json!({"abort": false})).await,
            Self::Pause(paused) => change(world, json!({"spec": {"paused": paused}})).await,
            Self::Restart => {
                let now = world.cluster().clock().now().to_string();
                change(world, json!({"spec": {"restartAt": now}})).await;
            }
            Self::Scale(replicas) => change(world, json!({"spec": {"replicas": replicas}})).await,
            Self::Undo => undo(world).await,
            Self::DeletePod(which) => delete_pod(world, *which).await,
        }
    }
}

/// Does what `promote` does at a pause, and between pauses.
pub async fn promote(world: &World) {
    let rollout = get(world).await;
    let steps = rollout.items(&["spec", "strategy", "canary", "steps"]).len();
    let index = rollout.int(&["status", "currentStepIndex"]);
    let next = index.filter(|_| steps > 0).map(|index| (index + 1).min(i64::try_from(steps).unwrap()));
    let pauses = rollout.items(&["status", "pauseConditions"]);
    let unclear = pauses.iter().any(|pause| pause["reason"] == "InconclusiveAnalysisRun");
    match next {
        Some(next) if unclear => {
            let patch = json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": next});
            status(world, patch).await;
        }
        _ if !pauses.is_empty() => status(world, json!({"pauseConditions": null})).await,
        Some(next) => status(world, json!({"pauseConditions": null, "currentStepIndex": next})).await,
        None => {}
    }
    unpause(world, &rollout).await;
}

async fn unpause(world: &World, rollout: &Object) {
    if rollout.flag(&["spec", "paused"]) {
        change(world, json!({"spec": {"paused": false}})).await;
    }
}

/// Goes back to the template of the revision before.
async fn undo(world: &World) {
    let rollout = get(world).await;
    let all = Selection::default();
    let sets = world.cluster().list(&resources::REPLICA_SETS, Some("default"), &all).await.unwrap();
    let revision = |set: &Object| -> i64 {
        set.annotation("rollout.argoproj.io/revision").and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    let mut mine: Vec<&Object> =
        sets.iter().filter(|set| set.controller_uid() == Some(rollout.uid())).collect();
    mine.sort_by_key(|set| std::cmp::Reverse(revision(set)));
    let Some(before) = mine.get(1) else { return };
    let containers = before.get(&["spec", "template", "spec", "containers"]).cloned();
    let containers: Value = containers.unwrap_or_default();
    change(world, json!({"spec": {"template": {"spec": {"containers": containers}}}})).await;
}

async fn delete_pod(world: &World, which: u64) {
    let all = Selection::default();
    let pods = world.cluster().list(&resources::PODS, Some("default"), &all).await.unwrap();
    let Some(which) = which.checked_rem(pods.len() as u64) else { return };
    let pod = &pods[usize::try_from(which).unwrap()];
    world.invariants().excuse(pod.uid());
    let _ = world.cluster().delete(&resources::PODS, &pod.key(), &Deletion::default()).await;
}

/// Does random deeds with random times between them; returns what was done when.
pub async fn live(world: &World, random: &mut Random) -> Vec<String> {
    let clock = world.cluster().clock().clone();
    let mut done = Vec::new();
    for _ in 0..3 + random.below(10) {
        // Often at once, mostly while pods come, sometimes when all is quiet.
        let longest = [200, 3_000, 10_000, 40_000, 120_000][usize::try_from(random.below(5)).unwrap()];
        clock.sleep(Duration::from_millis(random.below(longest))).await;
        let deed = Deed::draw(random);
        done.push(format!("{} {deed:?}", clock.now()));
        deed.act(world).await;
    }
    done
}

/// Does what gets an update through, until the Rollout is healthy; returns false when it never is.
pub async fn will(world: &World, random: &mut Random) -> bool {
    let clock = world.cluster().clock().clone();
    let fine = IMAGES[usize::try_from(random.below(FINE)).unwrap()];
    world.invariants().acting();
    image(world, fine).await;
    change(world, json!({"spec": {"paused": false}})).await;
    for round in 1..240 {
        clock.sleep(Duration::from_secs(30)).await;
        let rollout = world.cluster().get(&resources::ROLLOUTS, &key("r")).await.unwrap().unwrap();
        if super::stage::is(&rollout, "Healthy") {
            return true;
        }
        world.invariants().acting();
        if round % 20 == 0 {
            // Some analyses never end well: that of a stable version that is sick, say.
            status(world, json!({"promoteFull": true})).await;
        } else if rollout.flag(&["status", "abort"]) {
            status(world, json!({"abort": false})).await;
        } else if !rollout.items(&["status", "pauseConditions"]).is_empty() {
            promote(world).await;
        } else if round % 7 == 0 {
            // An Experiment without an end, say.
            promote(world).await;
        }
    }
    false
}
