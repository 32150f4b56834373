//! A pass of the canary strategy without a router.

use api::rollout::RolloutStatus;

use super::pass::Pass;
use super::status::{Scaling, advance};
use super::{history, pause, restart, runs, scale, services};

/// Returns the status after one pass, in upstream's order: restart, history, services, analysis, sizes, pause.
pub(super) fn pass(pass: &mut Pass) -> RolloutStatus {
    if scale::replicas_changed(pass) {
        scale::reconcile(pass);
        runs::keep(pass);
        return advance(pass, Scaling::Yes);
    }
    if restart::reconcile(pass) {
        runs::keep(pass);
        return advance(pass, Scaling::Yes);
    }
    history::reconcile(pass);
    services::reconcile(pass);
    runs::reconcile(pass);
    if !pass.pause.add.is_empty() {
        return advance(pass, Scaling::No);
    }
    if !scale::reconcile(pass) {
        pause::reconcile_step(pass);
    }
    advance(pass, Scaling::No)
}
