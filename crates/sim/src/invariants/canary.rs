//! What must hold of the sizes of a Rollout's ReplicaSets.

use std::sync::Arc;

use object::{Object, Value};

use super::Memory;
use super::scene::{HASH, Kind, Scene, number, replicas};

/// Returns what of the sizes does not hold now.
pub(super) fn problems(scene: &Scene, rollout: &Object, memory: &Memory) -> Vec<String> {
    let sets: Vec<&Arc<Object>> = scene.owned(Kind::ReplicaSet, rollout.uid()).collect();
    let canary = |field| rollout.get(&["spec", "strategy", "canary", field]);
    let surge = count(canary("maxSurge"), memory.most, Round::Up);
    let plain = is_plain_canary(rollout);
    let found = [
        memory.healthy.then(|| floor(scene, rollout, memory)).flatten(),
        if plain { ceiling(&sets, memory.most + surge) } else { None },
        index(rollout),
    ];
    found.into_iter().flatten().collect()
}

/// Returns how many pods may be missing of those asked for.
pub(super) fn tolerance(rollout: &Object, replicas: i64) -> i64 {
    let canary = |field| rollout.get(&["spec", "strategy", "canary", field]);
    // An eviction for a restart takes one pod at least.
    let restarts = i64::from(rollout.get(&["spec", "restartAt"]).is_some());
    if rollout.get(&["spec", "strategy", "blueGreen"]).is_some() {
        return restarts;
    }
    let surge = count(canary("maxSurge"), replicas, Round::Up);
    let unavailable = count(canary("maxUnavailable"), replicas, Round::Down);
    if unavailable == 0 && (surge == 0 || restarts > 0) { 1 } else { unavailable }
}

fn floor(scene: &Scene, rollout: &Object, memory: &Memory) -> Option<String> {
    let ready = scene.ready(rollout, None);
    let floor = memory.fewest - tolerance(rollout, memory.fewest) - memory.excused;
    (ready < floor).then(|| format!("availability floor: {ready} ready pods, at least {floor} must be"))
}

/// Returns true when numbers of pods are the shares of the traffic.
fn is_plain_canary(rollout: &Object) -> bool {
    let strategy = |path: &[&'static str]| rollout.get(path).is_some();
    strategy(&["spec", "strategy", "canary"]) && !strategy(&["spec", "strategy", "canary", "trafficRouting"])
}

fn size(set: &Object) -> i64 {
    set.int(&["spec", "replicas"]).unwrap_or(0)
}

fn ceiling(sets: &[&Arc<Object>], ceiling: i64) -> Option<String> {
    let total: i64 = sets.iter().map(|set| size(set)).sum();
    (total > ceiling).then(|| format!("surge ceiling: {total} pods asked for, at most {ceiling} may be"))
}

fn index(rollout: &Object) -> Option<String> {
    let steps = number(rollout.items(&["spec", "strategy", "canary", "steps"]).len());
    let index = rollout.int(&["status", "currentStepIndex"])?;
    (index < 0 || index > steps).then(|| format!("status follows steps: index {index} of {steps}"))
}

/// Returns what the growth of a ReplicaSet breaks: the new one may have, at step weight w, the pods nearest to w per cent,
/// which is at most one more than the exact share. Looked at only while the status is about the current spec.
pub(super) fn ahead(
    (old, new): (Option<&Object>, &Object),
    (rollout, memory): (&Object, &Memory),
) -> Option<String> {
    let status = |field: &'static str| rollout.str(&["status", field]);
    let (current, stable) = (status("currentPodHash"), status("stableRS"));
    let observed = status("observedGeneration") == rollout.generation().to_string();
    let is_new = new.label(HASH) == Some(current) && current != stable && !stable.is_empty();
    let grows = size(new) > old.map_or(0, size);
    if !is_plain_canary(rollout) || !observed || !is_new || !grows {
        return None;
    }
    let weight = step_weight(rollout).filter(|_| !rollout.flag(&["status", "promoteFull"]))?;
    let share = if weight == 0 { 0 } else { (memory.most * weight + 99) / 100 + 1 };
    (size(new) > share).then(|| {
        format!("weight not ahead of its step: {} asks for {} pods at weight {weight}", new.name(), size(new))
    })
}

/// Returns the weight of the current step; none after the last.
pub(super) fn step_weight(rollout: &Object) -> Option<i64> {
    let steps = rollout.items(&["spec", "strategy", "canary", "steps"]);
    let index = usize::try_from(rollout.int(&["status", "currentStepIndex"])?).ok()?;
    if index >= steps.len() {
        return None;
    }
    Some(steps[..=index].iter().rev().find_map(|step| step["setWeight"].as_i64()).unwrap_or(0))
}

#[derive(Clone, Copy)]
enum Round {
    Up,
    Down,
}

/// Resolves a number or a percentage of `replicas`; 25 % when absent.
fn count(value: Option<&Value>, replicas: i64, round: Round) -> i64 {
    let percent = |percent: i64| match round {
        Round::Up => (replicas * percent + 99) / 100,
        Round::Down => replicas * percent / 100,
    };
    match value {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        Some(Value::String(text)) => text
            .trim_end_matches('%')
            .parse()
            .map_or(0, |number| if text.ends_with('%') { percent(number) } else { number }),
        _ => percent(25),
    }
}

/// Returns what a change of a ReplicaSet's size breaks: the version that has the traffic never asks for fewer pods than
/// its share, whatever else is under way.
pub(super) fn shrunk(
    share: Option<i64>,
    (old, new): (&Object, &Object),
    (rollout, memory): (&Object, &Memory),
) -> Option<String> {
    let share = share.filter(|_| memory.healthy && size(new) < size(old))?;
    let least = (memory.fewest.min(replicas(rollout)) * share) / 100;
    (size(new) < least).then(|| {
        format!(
            "stable not scaled down before the new version carries the traffic: {} was scaled from {} to {} while it \
             carries {share} %, which needs {least}",
            new.name(),
            size(old),
            size(new)
        )
    })
}
