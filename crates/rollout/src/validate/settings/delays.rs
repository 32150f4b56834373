//! How long pods stay that are not needed any more.
//!
//! Source: `utils/defaults`: `GetScaleDownDelaySecondsOrDefault`, `GetAbortScaleDownDelaySecondsOrDefault`.

use std::time::Duration;

use api::rollout::{BlueGreenStrategy, CanaryStrategy};

use crate::{AbortDelay, Delays};

/// Upstream's default of both delays.
const DEFAULT: i32 = 30;

/// Returns the delays of blue-green.
pub(super) fn blue_green(strategy: &BlueGreenStrategy) -> Delays {
    Delays {
        old: seconds(strategy.scale_down_delay_seconds),
        old_is_set: strategy.scale_down_delay_seconds.is_some(),
        limit: limit(strategy.scale_down_delay_revision_limit),
        aborted: aborted(strategy.abort_scale_down_delay_seconds),
    }
}

/// Returns the delays of a canary: none without a router; with `dynamicStableScale` old pods go at once, and the new
/// ones after an abort as well unless the user set a time.
pub(super) fn canary(strategy: &CanaryStrategy) -> Delays {
    let routed = strategy.traffic_routing.is_some();
    let dynamic = strategy.dynamic_stable_scale == Some(true);
    let delayed = routed && !dynamic;
    let abort_is_set = strategy.abort_scale_down_delay_seconds.is_some();
    Delays {
        old: if delayed { seconds(strategy.scale_down_delay_seconds) } else { Duration::ZERO },
        old_is_set: strategy.scale_down_delay_seconds.is_some(),
        limit: limit(strategy.scale_down_delay_revision_limit),
        aborted: if delayed || (routed && abort_is_set) {
            aborted(strategy.abort_scale_down_delay_seconds)
        } else {
            AbortDelay::Unused
        },
    }
}

fn aborted(value: Option<i32>) -> AbortDelay {
    if value == Some(0) { AbortDelay::Forever } else { AbortDelay::For(seconds(value)) }
}

fn seconds(value: Option<i32>) -> Duration {
    Duration::from_secs(u64::try_from(value.unwrap_or(DEFAULT)).unwrap_or(0))
}

fn limit(value: Option<i32>) -> usize {
    value.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_now_for_old_pods_and_never_after_an_abort() {
        let delays = blue_green(&BlueGreenStrategy {
            scale_down_delay_seconds: Some(0),
            abort_scale_down_delay_seconds: Some(0),
            ..BlueGreenStrategy::default()
        });
        assert_eq!((delays.old, delays.aborted), (Duration::ZERO, AbortDelay::Forever));
        let delays = blue_green(&BlueGreenStrategy::default());
        let half = Duration::from_secs(30);
        assert_eq!((delays.old, delays.aborted, delays.limit), (half, AbortDelay::For(half), usize::MAX));
    }

    #[test]
    fn a_canary_delays_with_a_router_only() {
        let mut strategy = CanaryStrategy::default();
        let half = Duration::from_secs(30);
        assert_eq!(canary(&strategy).old, Duration::ZERO);
        assert_eq!(canary(&strategy).aborted, AbortDelay::Unused);
        strategy.traffic_routing = Some(api::rollout::TrafficRouting::default());
        assert_eq!((canary(&strategy).old, canary(&strategy).aborted), (half, AbortDelay::For(half)));
        strategy.dynamic_stable_scale = Some(true);
        assert_eq!((canary(&strategy).old, canary(&strategy).aborted), (Duration::ZERO, AbortDelay::Unused));
        strategy.abort_scale_down_delay_seconds = Some(7);
        assert_eq!(canary(&strategy).aborted, AbortDelay::For(Duration::from_secs(7)));
    }
}
