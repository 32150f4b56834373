//! What is wrong with the routing of a Rollout.
//!
//! Source: Argo Rollouts `pkg/apis/rollouts/validation`; messages word for word.

use api::rollout::Rollout;

use crate::{Live, Problem, Settings, routers};

/// Returns what is wrong with `trafficRouting` and with what it names; nothing when there is no router.
///
/// The first is the one that upstream's InvalidSpec condition shows.
pub fn validate(rollout: &Rollout, settings: &Settings, live: &Live) -> Vec<Problem> {
    let routing = rollout.canary().and_then(|canary| canary.traffic_routing.as_ref());
    let Some(routing) = routing else { return Vec::new() };
    match routers(routing, settings) {
        Ok(routers) => routers.iter().flat_map(|router| router.validate(rollout, live)).collect(),
        Err(problems) => problems,
    }
}
