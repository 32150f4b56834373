//! What only a canary with routers does: weights, routes, sizes apart from the weights.
//!
//! Source: Argo Rollouts `rollout/trafficrouting.go`.

mod dynamic;
mod sets;
mod weight;
mod weights;

use std::borrow::Cow;
use std::time::Duration;

use api::rollout::Rollout;
use object::{Value, json};
use traffic::{Additional, Destination, Hashes, Live, Managed, Reference, Selection, Wanted, Weight};

use super::pass::Pass;
use crate::{Action, Event, Reason, Routed, Step, keys};

pub(super) use dynamic::rolling_back;
pub(super) use sets::{at_wanted, reconcile as reconcile_sets, wanted};
pub(super) use weights::{Weights, mentioned};

/// Wait before a router that refused, or has not confirmed, is asked again.
const AGAIN: Duration = Duration::from_secs(10);

/// Whether the routers could be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// They were, or there was nothing to tell yet.
    Yes,
    /// One could not: nothing else may change.
    No,
}

/// Tells the routers what to carry now.
pub(super) fn reconcile(pass: &mut Pass, routed: &Routed) -> Told {
    if routed.routers.is_empty() {
        pass.weights = None;
        return Told::Yes;
    }
    let carry = weight::carry(pass, routed);
    if !weight::stable_can_take(pass, routed, carry.weight) {
        return Told::Yes;
    }
    let weights = Weights::new(pass, routed, &carry);
    let (mut actions, mut events, mut verified) = (Vec::new(), Vec::new(), None);
    for router in &routed.routers {
        let wanted = wish(pass, routed, &carry);
        let live = with_services(pass, router.wishes(&wanted));
        match router.plan(&wanted, &live) {
            Ok(plan) => {
                actions.extend(plan.changes.into_iter().map(Action::Route));
                events.extend(plan.events.into_iter().map(Event::of_router));
                verified = match (verified, plan.verified) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (old, new) => new.or(old),
                };
            }
            Err(problem) => return refused(pass, &problem),
        }
    }
    pass.actions.extend(actions);
    pass.events.extend(events);
    if verified == Some(false) {
        pass.wake_after(AGAIN);
        pass.wait(Reason::WaitingOnRouter);
    }
    pass.verified = verified;
    weights.tell(pass, verified);
    Told::Yes
}

/// Returns what was found of the routers' objects, and of the Services of `wishes`.
fn with_services<'a>(pass: &Pass<'a>, wishes: Vec<Reference>) -> Cow<'a, Live> {
    let mut live = Cow::Borrowed(&pass.observed.referenced.live);
    for wish in wishes {
        let service = pass.observed.referenced.service(&wish.name).cloned();
        live.to_mut().insert(wish, service);
    }
    live
}

fn refused(pass: &mut Pass, problem: &traffic::Problem) -> Told {
    pass.events.extend(problem.events.iter().cloned().map(Event::of_router));
    pass.wait(Reason::BlockedByRouter { message: problem.to_string() });
    pass.wake_after(AGAIN);
    Told::No
}

/// What the routers are to carry.
#[derive(Clone, Debug, Default)]
struct Carry {
    /// Of the new version.
    weight: i32,
    /// Of Experiments.
    additional: Vec<Additional>,
    /// Hash of the new version's pods, or of those that are being left.
    canary: String,
    /// Whether the routes that steps made go.
    managed: Managed,
}

fn wish<'a>(pass: &Pass<'a>, routed: &Routed, carry: &Carry) -> Wanted<'a> {
    let canary = pass.rollout().canary();
    let service =
        |of: fn(&api::rollout::CanaryStrategy) -> &String| canary.map(of).cloned().unwrap_or_default();
    let stable = pass.sets.stable().map(|set| set.hash.clone()).unwrap_or_default();
    // After an abort nothing leads to the new pods any more, neither by weight nor by subset (#3125).
    let left = pass.aborted() && !pass.fully_promoted() && carry.weight == 0;
    let canary_hash = if left { stable.clone() } else { carry.canary.clone() };
    let (header, mirror) = if carry.managed == Managed::Keep { routes(pass) } else { (None, None) };
    Wanted {
        rollout: pass.rollout(),
        canary: Destination { service: service(|canary| &canary.canary_service), hash: canary_hash },
        stable: Destination { service: service(|canary| &canary.stable_service), hash: stable },
        weight: Some(Weight { canary: carry.weight, max: routed.max, additional: carry.additional.clone() }),
        hashes: hashes(pass),
        header,
        mirror,
        managed: carry.managed,
    }
}

type Routes<'a> = (Option<&'a api::rollout::SetHeaderRoute>, Option<&'a api::rollout::SetMirrorRoute>);

/// Returns the last header and the last mirror route up to the current step, so that one that is lost comes back; none
/// for the first version.
fn routes<'a>(pass: &Pass<'a>) -> Routes<'a> {
    if pass.revision() <= 1 {
        return (None, None);
    }
    let steps = pass.settings().steps.iter().take(pass.step().0 + 1).rev();
    let (mut header, mut mirror) = (None, None);
    for step in steps {
        match step {
            Step::SetHeaderRoute(route) if header.is_none() => header = Some(route),
            Step::SetMirrorRoute(route) if mirror.is_none() => mirror = Some(route),
            _ => {}
        }
    }
    (header, mirror)
}

/// Returns whether subsets follow the pods now: where no Service holds them back, not before the pods are there; where
/// the new version has lost its pods, after it has lost its share.
fn hashes(pass: &Pass) -> Hashes {
    let canary = pass.rollout().canary();
    let no_services =
        canary.is_some_and(|canary| canary.canary_service.is_empty() && canary.stable_service.is_empty());
    let back = pass.aborted() || pass.fully_promoted();
    let new = pass.sets.new_set().filter(|_| !back);
    let unready = |set: &crate::sets::Set| set.size.spec > 0 && !set.fully_available();
    if no_services && new.into_iter().chain(pass.sets.stable()).any(unready) {
        return Hashes::Keep;
    }
    let carries = Weights::held(pass).is_some_and(|weights| weights.canary > 0);
    let lost = pass.sets.new_set().is_none_or(|set| set.size.available == 0);
    if carries && (lost || pass.aborted()) { Hashes::UpdateLast } else { Hashes::Update }
}

/// Returns true when the routers have been told `weight` and none has yet to confirm it; true without routers, and
/// where no pods are wanted that could carry it.
pub(super) fn carries(pass: &Pass, weight: i32) -> bool {
    let routed = pass.settings().routed.as_ref().filter(|routed| !routed.routers.is_empty());
    if routed.is_none_or(|routed| wanted(pass, routed).new == 0) {
        return true;
    }
    let told = pass.weights.as_ref().and_then(weights::carried);
    pass.verified != Some(false) && told.is_some_and(|told| told.canary == weight)
}

/// Returns what has to be observed for the routers of a Rollout, by name and by labels; nothing when they are configured
/// wrongly.
pub(crate) fn references(
    rollout: &Rollout,
    settings: &traffic::Settings,
) -> (Vec<Reference>, Vec<Selection>) {
    let routing = rollout.canary().and_then(|canary| canary.traffic_routing.as_ref());
    let routers = routing.and_then(|routing| traffic::routers(routing, settings).ok()).unwrap_or_default();
    let selections = routers.iter().flat_map(|router| router.selections(rollout)).collect();
    (routers.iter().flat_map(|router| router.references(rollout)).collect(), selections)
}

/// Returns true when an object of a router tells pods of `hash` apart.
pub(super) fn is_named(pass: &Pass, hash: &str) -> bool {
    fn named(value: &Value, hash: &Value) -> bool {
        match value {
            Value::Object(map) => {
                map.get(keys::HASH) == Some(hash) || map.values().any(|value| named(value, hash))
            }
            Value::Array(list) => list.iter().any(|value| named(value, hash)),
            _ => false,
        }
    }
    let Some(routed) = &pass.settings().routed else { return false };
    let live = &pass.observed.referenced.live;
    let references = routed.routers.iter().flat_map(|router| router.references(pass.rollout()));
    let hash = json!(hash);
    references
        .filter(|reference| reference.gvk.kind == "DestinationRule")
        .filter_map(|reference| live.get(&reference))
        .any(|object| object.get(&["spec"]).is_some_and(|spec| named(spec, &hash)))
}
