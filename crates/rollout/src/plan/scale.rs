//! Sizes of ReplicaSets.

use object::{Map, Time, Value, json};

use super::pass::{Pass, text};
use super::{pause, routed};
use crate::maths::{self, Scene, Size};
use crate::sets::Set;
use crate::{Action, Event, Reason, Step, keys};

/// Returns true when `spec.replicas` is not what the new and the stable ReplicaSet were last scaled for.
pub(super) fn replicas_changed(pass: &Pass) -> bool {
    let roles = [pass.sets.new_set(), pass.sets.stable()];
    roles.into_iter().flatten().any(|set| {
        set.size.spec > 0 && set.desired().is_some_and(|desired| desired != pass.settings().replicas)
    })
}

/// Scales the stable ReplicaSet, else the new one, else the others; returns true when one was scaled.
pub(super) fn reconcile(pass: &mut Pass) -> bool {
    if let Some(routed) = &pass.settings().routed {
        return routed::reconcile_sets(pass, routed);
    }
    if pause::halted(pass) && !pass.scaling {
        return false;
    }
    let sizes = maths::next(&scene(pass));
    if let Some(stable) = pass.sets.stable_apart().cloned()
        && scale(pass, &stable, sizes.stable)
    {
        return true;
    }
    if let Some(new) = pass.sets.new_set().cloned()
        && scale(pass, &new, sizes.new)
    {
        return true;
    }
    reconcile_others(pass)
}

/// Returns what sizes are decided from.
pub(super) fn scene(pass: &Pass) -> Scene {
    let settings = pass.settings();
    Scene {
        replicas: settings.replicas,
        surge: settings.max_surge,
        unavailable: settings.max_unavailable,
        weight: weight(pass),
        new: pass.sets.new_set().map(|set| set.size).unwrap_or_default(),
        stable: pass.sets.stable_apart().map(|set| set.size),
        old: pass.sets.others().map(|set| set.size.spec).sum(),
    }
}

/// Returns the share of the new version that the current step asks for, 0 to 100.
pub(super) fn weight(pass: &Pass) -> i32 {
    let (status, max) = (pass.status(), pass.settings().max_weight());
    if status.promote_full || status.stable_rs.is_empty() || status.stable_rs == status.current_pod_hash {
        return max;
    }
    let not_begun = pass.paused_by_user() && pass.sets.new_set().is_none_or(|new| new.size.spec == 0);
    if pass.aborted() || not_begun {
        return 0;
    }
    let (index, step) = pass.step();
    if step.is_none() {
        return max;
    }
    let mut weights = pass.settings().steps.iter().take(index + 1).rev();
    let weight =
        weights.find_map(|step| if let Step::SetWeight(weight) = step { Some(*weight) } else { None });
    weight.unwrap_or(0)
}

/// Returns true when all ReplicaSets have the sizes of the current step, and the pods for them.
pub(super) fn at_wanted_sizes(pass: &Pass) -> bool {
    if let Some(routed) = &pass.settings().routed {
        return routed::at_wanted(pass, routed);
    }
    let wanted = maths::wanted(&scene(pass));
    let new = pass.sets.new_set().is_some_and(|set| has_pods(pass, set, wanted.new));
    let stable = pass.sets.stable_apart().map_or_else(
        || pass.sets.stable().is_some(),
        |set| set.size.spec == wanted.stable && set.replicas == wanted.stable,
    );
    new && stable && pass.sets.others().all(|set| set.size.available == 0)
}

/// Returns true when a ReplicaSet has `wanted` pods, or as many of them as `replicaProgressThreshold` says.
pub(super) fn has_pods(pass: &Pass, set: &Set, wanted: i32) -> bool {
    match pass.settings().threshold {
        Some(threshold) => threshold.met(wanted, set.size.available),
        None => set.size == Size { spec: wanted, available: wanted },
    }
}

/// What becomes of the time at which a ReplicaSet is scaled to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deadline {
    /// It stays as it is.
    Keep,
    /// There is none any more.
    Clear,
    /// It is this.
    Set(Time),
}

/// Scales one ReplicaSet, which loses its deadline; returns true when the size changes.
fn scale(pass: &mut Pass, set: &Set, to: i32) -> bool {
    change(pass, set, to, Deadline::Clear)
}

/// Returns the annotations of a ReplicaSet that are to change.
fn notes(pass: &Pass, set: &Set, deadline: Deadline) -> Map<String, Value> {
    let replicas = pass.settings().replicas;
    let mut notes = Map::new();
    if set.desired() != Some(replicas) {
        notes.insert(keys::DESIRED_REPLICAS.into(), json!(replicas.to_string()));
    }
    match deadline {
        Deadline::Clear if set.object.annotation(keys::SCALE_DOWN_DEADLINE).is_some() => {
            notes.insert(keys::SCALE_DOWN_DEADLINE.into(), Value::Null);
        }
        Deadline::Set(until) if set.deadline != Some(until) => {
            notes.insert(keys::SCALE_DOWN_DEADLINE.into(), json!(text(until)));
        }
        Deadline::Keep | Deadline::Clear | Deadline::Set(_) => {}
    }
    notes
}

/// Scales one ReplicaSet and brings its annotations up to date; returns true when the size changes.
pub(super) fn change(pass: &mut Pass, set: &Set, to: i32, deadline: Deadline) -> bool {
    let notes = notes(pass, set, deadline);
    let from = set.size.spec;
    if from == to {
        if !notes.is_empty() {
            let patch = super::pass::annotations(&Value::Object(notes));
            pass.actions.push(Action::AnnotateReplicaSet { key: set.key(), patch });
        }
        return false;
    }
    if to < from && pass.settings().counts_pods() && is_stale(pass) {
        let Size { spec: asked, available } = set.size;
        pass.wait(Reason::WaitingOnPods { set: set.name().to_owned(), wanted: to, asked, available });
        return false;
    }
    let mut patch = json!({"spec": {"replicas": to}});
    if !notes.is_empty() {
        patch["metadata"] = json!({"annotations": notes});
    }
    pass.actions.push(Action::ScaleReplicaSet { key: set.key(), from, to, patch });
    let direction = if to > from { "up" } else { "down" };
    let message = format!(
        "Scaled {direction} ReplicaSet {} (revision {}) from {from} to {to}",
        set.name(),
        set.revision
    );
    pass.events.push(Event::normal("ScalingReplicaSet", message));
    true
}

/// Returns true when a ReplicaSet tells of available pods from before its last change of size: they may be on their way
/// out. A ReplicaSet that was made smaller and then larger again would otherwise count pods that are gone, and the other
/// version would lose the pods that stand in for them. Not in upstream; found by simulation (seed 61).
fn is_stale(pass: &Pass) -> bool {
    pass.sets.sum(|set| i32::from(!set.observed && set.size.available > 0)) > 0
}

/// Drops pods that are not available from older ReplicaSets, then as many as availability allows, newest first.
fn reconcile_others(pass: &mut Pass) -> bool {
    let others: Vec<Set> = pass.sets.others().filter(|set| set.size.spec > 0).cloned().collect();
    if others.is_empty() {
        return false;
    }
    let settings = pass.settings();
    let available = pass.sets.sum(|set| set.size.available.min(set.size.spec));
    let mut budget = available - (settings.replicas - settings.max_unavailable);
    let mut targets: Vec<(Set, i32)> =
        others.into_iter().map(|set| (set.clone(), set.size.available.min(set.size.spec))).collect();
    targets.sort_by_key(|(set, _)| std::cmp::Reverse(set.revision));
    let mut scaled = false;
    for (set, healthy) in targets {
        let drop = budget.clamp(0, healthy);
        budget -= drop;
        scaled |= scale(pass, &set, healthy - drop);
    }
    if !scaled {
        let pods = pass.sets.others().map(|set| set.size.spec).sum();
        pass.wait(Reason::WaitingOnOldPods { pods });
    }
    scaled
}
