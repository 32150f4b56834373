//! Sizes of the ReplicaSets.

use std::cmp::{Reverse, max};

use super::Weights;
use super::weights::carried;
use crate::maths::Sizes;
use crate::maths::routed::{Carried, RoutedScene, Wish, share};
use crate::plan::pass::Pass;
use crate::plan::scale::{self, Deadline, change};
use crate::plan::{delay, pause};
use crate::sets::Set;
use crate::{AbortDelay, Reason, Routed, Step};

/// Scales the stable ReplicaSet, else the new one, else the others; returns true when one was scaled.
pub(in crate::plan) fn reconcile(pass: &mut Pass, routed: &Routed) -> bool {
    if pause::halted(pass) && !pass.scaling {
        return false;
    }
    let stable_to = stable_size(pass, routed);
    if let Some(stable) = pass.sets.stable_apart().cloned()
        && change(pass, &stable, stable_to, Deadline::Clear)
    {
        return true;
    }
    if let Some(new) = pass.sets.new_set().cloned() {
        let (to, deadline) = new_size(pass, routed, &new);
        if change(pass, &new, to, deadline) {
            return true;
        }
    }
    reconcile_others(pass, routed)
}

/// Returns the size of the stable ReplicaSet: enough for what it carried until now, and for what this pass gives it.
///
/// Upstream knows only the weights of the pass before, so that it does not lose pods whose traffic is only about to move;
/// where a new version without pods gives its traffic back, the stable one shrinks in the same pass. Found by simulation
/// (seed 854).
fn stable_size(pass: &Pass, routed: &Routed) -> i32 {
    let [before, now] = [Weights::held(pass), pass.weights.as_ref().and_then(carried)];
    max(sizes(pass, routed, before).stable, sizes(pass, routed, now).stable)
}

fn new_size(pass: &mut Pass, routed: &Routed, new: &Set) -> (i32, Deadline) {
    if let Some(held) = delay::aborted(pass, new) {
        return held;
    }
    if pass.aborted() && !pass.fully_promoted() && pass.settings().delays.aborted == AbortDelay::Forever {
        return (new.size.spec, Deadline::Clear);
    }
    let now = pass.weights.as_ref().and_then(carried);
    (sizes(pass, routed, now).new, Deadline::Clear)
}

/// Returns the sizes that the current step asks for.
pub(in crate::plan) fn wanted(pass: &Pass, routed: &Routed) -> Sizes {
    let now = pass.weights.as_ref().and_then(carried);
    sizes(pass, routed, now)
}

fn sizes(pass: &Pass, routed: &Routed, carried: Option<Carried>) -> Sizes {
    let wish = wish(pass);
    let mut sizes = crate::maths::routed::wanted(&RoutedScene {
        replicas: pass.settings().replicas,
        max: routed.max,
        weight: scale::weight(pass),
        wish,
        min_pods: routed.min_pods,
        dynamic: routed.dynamic,
        aborted: pass.aborted(),
        carried,
    });
    if wish.is_none() && !pass.aborted() && carries_new(pass) {
        // Where weights go down, the traffic goes before the pods. Not in upstream; found by simulation (seed 188).
        let carries = carried.map_or(0, |carried| carried.canary);
        sizes.new = max(sizes.new, share(pass.settings().replicas, carries, routed.max));
    }
    sizes
}

/// Returns true when the new version's weight is that of the current template.
fn carries_new(pass: &Pass) -> bool {
    let hash = pass.weights.as_ref().and_then(|weights| weights["canary"]["podTemplateHash"].as_str());
    hash == Some(pass.current_hash().as_str())
}

/// Returns what the nearest `setCanaryScale` step up to the current one asks for.
///
/// Source: `UseSetCanaryScale`.
fn wish(pass: &Pass) -> Option<Wish> {
    let status = pass.status();
    let kept = pass.settings().delays.aborted == AbortDelay::Forever;
    if status.promote_full || status.stable_rs.is_empty() || pass.fully_promoted() {
        return None;
    }
    if (pass.aborted() && !kept) || pass.step().1.is_none() {
        return None;
    }
    let mut steps = pass.settings().steps.iter().take(pass.step().0 + 1).rev();
    let scale =
        steps.find_map(|step| if let Step::SetCanaryScale(scale) = step { Some(scale) } else { None })?;
    if scale.match_traffic_weight {
        return None;
    }
    scale.replicas.map(Wish::Pods).or(scale.weight.map(Wish::Weight))
}

/// Returns true when the ReplicaSets have the sizes of the current step, and the new one the pods for it.
///
/// Source: `AtDesiredReplicaCountsForCanary`.
pub(in crate::plan) fn at_wanted(pass: &Pass, routed: &Routed) -> bool {
    let wanted = wanted(pass, routed);
    let new = pass.sets.new_set().is_some_and(|set| scale::has_pods(pass, set, wanted.new));
    let stable = routed.dynamic
        || pass.sets.stable_apart().map_or_else(
            || pass.sets.stable().is_some(),
            |set| set.size.spec == wanted.stable && set.replicas == wanted.stable,
        );
    new && stable
}

/// Scales old ReplicaSets down: after their delay once the update is through, at once in its middle; not while traffic
/// may still reach them.
///
/// Source: `scaleDownOldReplicaSetsForCanary`.
fn reconcile_others(pass: &mut Pass, routed: &Routed) -> bool {
    let others = pass.sets.others().filter(|set| set.size.spec > 0);
    let mut others: Vec<Set> = others.cloned().collect();
    let settings = pass.settings();
    let available = pass.sets.sum(|set| set.size.available);
    let mut budget = available - (settings.replicas - settings.max_unavailable);
    others.sort_by_key(|set| Reverse(set.revision));
    let (mut counted, mut scaled) = (0, false);
    for set in others {
        if pass.is_referenced(&set) {
            pass.wait(Reason::WaitingOnOldPods { pods: set.size.spec });
            continue;
        }
        let delayed = !routed.dynamic && (pass.fully_promoted() || set.has_deadline());
        let (to, deadline) =
            if delayed { delay::old(pass, &set, &mut counted, set.size.spec) } else { (0, Deadline::Clear) };
        let lost = set.size.available.min(set.size.spec - to);
        if lost > budget.max(0) {
            pass.wait(Reason::WaitingOnOldPods { pods: set.size.spec });
            continue;
        }
        budget -= lost;
        scaled |= change(pass, &set, to, deadline);
    }
    scaled
}
