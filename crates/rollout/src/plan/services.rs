//! Selectors of `canaryService` and `stableService`.
//!
//! Source: Argo Rollouts `reconcileStableAndCanaryService`, `ensureSVCTargets`.

use api::rollout::{CanaryStrategy, Rollout};
use object::json;

use super::pass::Pass;
use super::routed;
use crate::sets::Set;
use crate::{Action, Event, Reason, ServiceSwitch, keys};

/// Points the stable Service to the stable pods and the canary Service to the new ones, when there are any; after an
/// abort both to the stable ones.
pub(super) fn reconcile(pass: &mut Pass) {
    let Some(canary) = pass.rollout().canary() else { return };
    if pass.paused_by_user() && !pass.aborted() {
        return;
    }
    ping_or_pong(pass, canary);
    let stable = pass.sets.stable().cloned();
    ensure(pass, &canary.stable_service, stable.clone());
    if routed::rolling_back(pass).is_some() {
        // The stable pods could not carry what the canary Service brings them.
        return;
    }
    let canary_set = if pass.aborted() { stable } else { pass.sets.new_set().cloned() };
    match &pass.settings().routed {
        Some(routed) if pass.aborted() => leave(pass, &canary.canary_service, routed.dynamic),
        _ => ensure(pass, &canary.canary_service, canary_set),
    }
}

/// Points the one of ping and pong that is not stable to the new pods, even before there are any.
fn ping_or_pong(pass: &mut Pass, canary: &CanaryStrategy) {
    let Some(pair) = &canary.ping_pong else { return };
    if pass.fully_promoted() {
        return;
    }
    let ping_is_stable = pass.status().canary.stable_ping_pong == "ping";
    let next = if ping_is_stable { &pair.pong_service } else { &pair.ping_service };
    switch(pass, next, &pass.current_hash());
}

/// Takes the canary Service of an aborted update off the new pods, with `dynamicStableScale` not before they carry
/// nothing. It stays so: upstream turns it back and forth while the new pods stay (#3078).
fn leave(pass: &mut Pass, service: &str, dynamic: bool) {
    let carries = routed::Weights::held(pass).is_some_and(|held| held.canary > 0);
    if service.is_empty() || (dynamic && carries) {
        return;
    }
    let stable = pass.sets.stable().map(|set| set.hash.clone()).unwrap_or_default();
    switch(pass, service, &stable);
}

fn ensure(pass: &mut Pass, name: &str, set: Option<Set>) {
    let Some(set) = set.filter(|_| !name.is_empty()) else { return };
    if let Some(service) = pass.observed.referenced.service(name) {
        let managed = service.annotation(keys::MANAGED_BY).is_some();
        let ready = if managed { set.size.available > 0 } else { set.fully_available() };
        if !ready && pass.selected(name) != set.hash {
            if pass.settings().replicas == 0 {
                // Nobody is served: once promoted, older pods that the Service still selects have to end.
                if pass.fully_promoted() {
                    switch(pass, name, &set.hash);
                }
                return;
            }
            pass.wait(Reason::WaitingOnService { service: name.to_owned(), set: set.name().to_owned() });
            return;
        }
        if pass.selected(name) == set.hash {
            return;
        }
    }
    switch(pass, name, &set.hash);
}

/// Makes a Service select `hash`, and says whose it is; nothing when it does already.
///
/// Source: `switchServiceSelector`.
pub(super) fn switch(pass: &mut Pass, name: &str, hash: &str) {
    let Some(service) = pass.observed.referenced.service(name).cloned() else {
        pass.wait(Reason::BlockedByService { service: name.to_owned() });
        return;
    };
    let from = pass.selected(name);
    let managed = service.annotation(keys::MANAGED_BY).is_some();
    if (from == hash && managed) || hash.is_empty() {
        return;
    }
    let mut patch = json!({"spec": {"selector": {keys::HASH: hash}}});
    if !managed {
        patch["metadata"] = json!({"annotations": {keys::MANAGED_BY: pass.rollout().name()}});
    }
    let message = format!("Switched selector for service '{name}' from '{from}' to '{hash}'");
    pass.events.push(Event::normal("SwitchService", message));
    pass.switched.insert(name.to_owned(), hash.to_owned());
    let switch = ServiceSwitch { key: service.key(), from, to: hash.to_owned(), patch };
    pass.actions.push(Action::SwitchService(switch));
}

/// Returns the Services that a Rollout names, but ping and pong: the one that is not in use may go on selecting old pods.
pub(super) fn named(rollout: &Rollout) -> Vec<&str> {
    let strategy = &rollout.spec.strategy;
    let mut names = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        names.extend([blue_green.active_service.as_str(), blue_green.preview_service.as_str()]);
    }
    if let Some(canary) = &strategy.canary {
        names.extend([canary.canary_service.as_str(), canary.stable_service.as_str()]);
    }
    names.retain(|name| !name.is_empty());
    names
}
