//! Selectors of `canaryService` and `stableService`.
//!
//! Source: Argo Rollouts `reconcileStableAndCanaryService`, `ensureSVCTargets`.

use api::rollout::Rollout;
use object::json;

use super::pass::Pass;
use crate::sets::Set;
use crate::{Action, Event, Reason, ServiceSwitch, keys};

/// Points the stable Service to the stable pods and the canary Service to the new ones, when there are any; after an
/// abort both to the stable ones.
pub(super) fn reconcile(pass: &mut Pass) {
    let Some(canary) = pass.rollout().canary() else { return };
    if pass.paused_by_user() && !pass.aborted() {
        return;
    }
    let stable = pass.sets.stable().cloned();
    let canary_set = if pass.aborted() { stable.clone() } else { pass.sets.new_set().cloned() };
    ensure(pass, &canary.stable_service, stable);
    ensure(pass, &canary.canary_service, canary_set);
}

fn ensure(pass: &mut Pass, name: &str, set: Option<Set>) {
    let Some(set) = set.filter(|_| !name.is_empty()) else { return };
    if let Some(service) = pass.observed.referenced.service(name) {
        let managed = service.annotation(keys::MANAGED_BY).is_some();
        let ready = if managed { set.size.available > 0 } else { set.fully_available() };
        if !ready && pass.selected(name) != set.hash {
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

/// Returns the Services that a Rollout names.
pub(super) fn named(rollout: &Rollout) -> Vec<&str> {
    let strategy = &rollout.spec.strategy;
    let mut names = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        names.extend([blue_green.active_service.as_str(), blue_green.preview_service.as_str()]);
    }
    if let Some(canary) = &strategy.canary {
        names.extend([canary.canary_service.as_str(), canary.stable_service.as_str()]);
        let pair = canary.ping_pong.as_ref();
        names.extend(
            pair.into_iter().flat_map(|pair| [pair.ping_service.as_str(), pair.pong_service.as_str()]),
        );
    }
    names.retain(|name| !name.is_empty());
    names
}
