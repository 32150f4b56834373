//! What must hold of where the traffic goes.

use object::{Key, Object, Value};

use super::scene::{HASH, Kind, Scene};
use super::{Memory, canary};

/// A Service that has a part of the traffic.
struct Lane<'a> {
    service: &'a str,
    hash: &'a str,
    /// Its part, in per cent.
    share: i64,
}

/// Returns what of the traffic does not hold now: whatever carries some has the ready pods for it.
pub(super) fn problems(scene: &Scene, rollout: &Object, memory: &Memory) -> Vec<String> {
    if !memory.healthy {
        return Vec::new();
    }
    let missing = canary::tolerance(rollout, memory.fewest) + memory.excused;
    let problem = |lane: Lane| {
        let (ready, least) =
            (scene.ready(rollout, Some(lane.hash)), memory.fewest * lane.share / 100 - missing);
        let none = lane.share > 0 && ready + memory.excused == 0 && memory.fewest > missing;
        (ready < least || none).then(|| {
            format!(
                "traffic only to ready pods: Service {} has {} % and selects {}, of which {ready} pods are ready, at \
                 least {} must be",
                lane.service,
                lane.share,
                lane.hash,
                least.max(1)
            )
        })
    };
    lanes(scene, rollout).into_iter().filter_map(problem).collect()
}

/// Returns the share of the traffic, in per cent, that the pods of a hash have; `None` where no Service says so.
pub(super) fn share(scene: &Scene, rollout: &Object, hash: &str) -> Option<i64> {
    let lanes = lanes(scene, rollout).into_iter().filter(|lane| lane.hash == hash);
    lanes.map(|lane| lane.share).reduce(|left, right| left + right)
}

fn lanes<'a>(scene: &'a Scene, rollout: &'a Object) -> Vec<Lane<'a>> {
    let lane = |service: &'a str, share: i64| {
        scene.selected(rollout, service).map(|hash| Lane { service, hash, share })
    };
    let canary = |field| rollout.str(&["spec", "strategy", "canary", field]);
    let active = rollout.str(&["spec", "strategy", "blueGreen", "activeService"]);
    if !active.is_empty() {
        return lane(active, 100).into_iter().collect();
    }
    let Some(weight) = route(scene, rollout).map(|route| weight(rollout, route)) else { return Vec::new() };
    let (stable, new) = (canary("stableService"), canary("canaryService"));
    [lane(stable, 100 - weight), lane(new, weight)].into_iter().flatten().collect()
}

const ROUTING: [&str; 6] =
    ["spec", "strategy", "canary", "trafficRouting", "plugins", "argoproj-labs/gatewayAPI"];

fn route<'a>(scene: &'a Scene, rollout: &Object) -> Option<&'a Object> {
    let name = rollout.get(&ROUTING)?["httpRoute"].as_str()?;
    scene.get(Kind::HttpRoute, &Key::new(rollout.namespace(), name)).map(AsRef::as_ref)
}

/// Returns the weight of the new version in a route; 0 while nobody has said.
fn weight(rollout: &Object, route: &Object) -> i64 {
    let service = rollout.str(&["spec", "strategy", "canary", "canaryService"]);
    let backends = route.items(&["spec", "rules"]).iter().filter_map(|rule| rule["backendRefs"].as_array());
    let new = backends.flatten().find(|backend| backend["name"] == service);
    new.and_then(|backend| backend["weight"].as_i64()).unwrap_or(0)
}

/// Returns what a change of a route breaks: the new version's weight goes up no further than its step says, and not
/// before it has ready pods.
pub(super) fn raised(
    scene: &Scene,
    (old, new): (&Object, &Object),
    rollout: &Object,
    memory: &Memory,
) -> Option<String> {
    let of = route(scene, rollout).filter(|route| route.name() == new.name())?;
    let (before, after) = (weight(rollout, old), weight(rollout, of));
    if after <= before {
        return None;
    }
    // The first version has no other to share with.
    let whole = rollout.flag(&["status", "promoteFull"]) || rollout.str(&["status", "stableRS"]).is_empty();
    let most = if whole { 100 } else { canary::step_weight(rollout).unwrap_or(100) };
    if after > most {
        return Some(format!("weight not ahead of its step: {after} at a step of {most}"));
    }
    let service = rollout.str(&["spec", "strategy", "canary", "canaryService"]);
    let ready = scene.ready(rollout, scene.selected(rollout, service));
    (ready + memory.excused == 0 && memory.fewest > 0)
        .then(|| format!("weight not ahead of its pods: {after} with no ready pods"))
}

/// Returns the hash that a Service selects.
pub(super) fn hash(service: &Object) -> &str {
    service.get(&["spec", "selector", HASH]).and_then(Value::as_str).unwrap_or_default()
}
