//! The blue-green strategy with defaults.

use std::time::Duration;

use api::rollout::BlueGreenStrategy;

use crate::{BlueGreen, Promotion};

/// Returns the strategy with defaults.
pub(super) fn blue_green(strategy: &BlueGreenStrategy) -> BlueGreen {
    BlueGreen {
        active_service: strategy.active_service.clone(),
        preview_service: strategy.preview_service.clone(),
        preview_replicas: strategy.preview_replica_count,
        promotion: promotion(strategy),
        pre: strategy.pre_promotion_analysis.clone(),
        post: strategy.post_promotion_analysis.clone(),
    }
}

/// Returns what the switch waits for: `autoPromotionSeconds` says nothing when promotion is by hand.
fn promotion(strategy: &BlueGreenStrategy) -> Promotion {
    let seconds = strategy.auto_promotion_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    match (strategy.auto_promotion_enabled, seconds) {
        (Some(false), _) => Promotion::ByHand,
        (_, Some(seconds)) if seconds > 0 => Promotion::After(Duration::from_secs(seconds)),
        _ => Promotion::AtOnce,
    }
}
