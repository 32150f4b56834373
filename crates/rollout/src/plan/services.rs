//! Selectors of `canaryService` and `stableService`.
//!
//! Source: Argo Rollouts `reconcileStableAndCanaryService`, `ensureSVCTargets`.

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
    let Some(service) = pass.observed.referenced.service(name).cloned() else {
        pass.wait(Reason::BlockedByService { service: name.to_owned() });
        return;
    };
    let from = service.str(&["spec", "selector", keys::HASH]).to_owned();
    if from == set.hash {
        return;
    }
    let managed = service.annotation(keys::MANAGED_BY).is_some();
    let ready = if managed { set.size.available > 0 } else { set.fully_available() };
    if !ready {
        pass.wait(Reason::WaitingOnService { service: name.to_owned(), set: set.name().to_owned() });
        return;
    }
    let mut patch = json!({"spec": {"selector": {keys::HASH: set.hash}}});
    if !managed {
        patch["metadata"] = json!({"annotations": {keys::MANAGED_BY: pass.rollout().name()}});
    }
    let message = format!("Switched selector for service '{name}' from '{from}' to '{}'", set.hash);
    pass.events.push(Event::normal("SwitchService", message));
    let switch = ServiceSwitch { key: service.key(), from, to: set.hash, patch };
    pass.actions.push(Action::SwitchService(switch));
}
