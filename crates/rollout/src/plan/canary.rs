//! A pass of the canary strategy.

use api::rollout::RolloutStatus;

use super::pass::Pass;
use super::routed::{self, Told};
use super::status::{Scaling, advance, hold};
use super::{experiments, history, metadata, pause, restart, runs, scale, services};

/// Returns the status after one pass, in upstream's order: restart, history, services, routers, analysis, sizes, pause.
pub(super) fn pass(pass: &mut Pass) -> RolloutStatus {
    if scale::replicas_changed(pass) {
        return follow(pass);
    }
    if restart::reconcile(pass) {
        runs::keep(pass);
        return advance(pass, Scaling::Yes);
    }
    metadata::reconcile(pass);
    history::reconcile(pass);
    services::reconcile(pass);
    if tell_routers(pass) == Told::No {
        return hold(pass);
    }
    experiments::reconcile(pass);
    runs::reconcile(pass);
    if !pass.pause.add.is_empty() {
        return advance(pass, Scaling::No);
    }
    if !scale::reconcile(pass) {
        pause::reconcile_step(pass);
    }
    advance(pass, Scaling::No)
}

/// Follows a change of `spec.replicas`: sizes, Services and routers, no step.
///
/// Upstream leaves Services and routers alone meanwhile, and sizes too while the user has paused (#4261); with an
/// autoscaler that acts often, traffic would stay where it is.
fn follow(pass: &mut Pass) -> RolloutStatus {
    pass.scaling = true;
    scale::reconcile(pass);
    services::reconcile(pass);
    let told = tell_routers(pass);
    runs::keep(pass);
    match told {
        Told::Yes => advance(pass, Scaling::Yes),
        Told::No => hold(pass),
    }
}

fn tell_routers(pass: &mut Pass) -> Told {
    match &pass.settings().routed {
        Some(routed) => routed::reconcile(pass, routed),
        None => Told::Yes,
    }
}
