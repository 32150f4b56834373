//! Which Services are the stable and the new version's.

use api::rollout::Rollout;

use crate::Wanted;

/// Names of the two Services; empty where none is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Services<'a> {
    /// Of the stable version.
    pub(crate) stable: &'a str,
    /// Of the new version.
    pub(crate) canary: &'a str,
}

/// Which pair a router asks for when both are defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preferred {
    /// `stableService` and `canaryService`.
    Explicit,
    /// `pingPong`.
    PingPong,
}

/// Returns the Services of a wish.
///
/// Source: `GetStableAndCanaryServices`: the ALB router prefers ping and pong, the others take them only when neither
/// `stableService` nor `canaryService` is set.
pub(crate) fn services<'a>(wanted: &'a Wanted<'_>, preferred: Preferred) -> Services<'a> {
    choose(
        wanted.rollout,
        Services { stable: &wanted.stable.service, canary: &wanted.canary.service },
        preferred,
    )
}

/// Returns the Services of a spec.
pub(crate) fn of_spec(rollout: &Rollout, preferred: Preferred) -> Services<'_> {
    let canary = rollout.canary();
    let explicit = Services {
        stable: canary.map(|canary| canary.stable_service.as_str()).unwrap_or_default(),
        canary: canary.map(|canary| canary.canary_service.as_str()).unwrap_or_default(),
    };
    choose(rollout, explicit, preferred)
}

fn choose<'a>(rollout: &'a Rollout, explicit: Services<'a>, preferred: Preferred) -> Services<'a> {
    let Some(pair) = rollout.canary().and_then(|canary| canary.ping_pong.as_ref()) else { return explicit };
    let defined = !explicit.stable.is_empty() || !explicit.canary.is_empty();
    if preferred == Preferred::Explicit && defined {
        return explicit;
    }
    let (ping, pong) = (pair.ping_service.as_str(), pair.pong_service.as_str());
    if rollout.status.canary.stable_ping_pong == "ping" {
        Services { stable: ping, canary: pong }
    } else {
        Services { stable: pong, canary: ping }
    }
}
