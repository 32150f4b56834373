//! The blue-green strategy.

use api::rollout::{BlueGreenStrategy, Rollout};
use object::json;

use super::{Problem, affinity};

/// Returns the problems of the strategy in upstream's order.
pub(super) fn problems(rollout: &Rollout, strategy: &BlueGreenStrategy) -> Vec<Problem> {
    let mut problems = Vec::new();
    if strategy.active_service == strategy.preview_service {
        let message = "This rollout uses the same service for the active and preview services, but two different services are required.";
        let value = json!(strategy.active_service);
        problems.push(Problem::invalid("spec.strategy.activeService", &value, message));
    }
    let kept = rollout.spec.revision_history_limit.unwrap_or(10);
    if let Some(limit) = strategy.scale_down_delay_revision_limit.filter(|limit| kept < *limit) {
        let message =
            "This rollout's revision history limit can not be smaller than the rollout's scale down limit";
        let path = "spec.strategy.scaleDownDelayRevisionLimit";
        problems.push(Problem::invalid(path, &json!(limit), message));
    }
    problems.extend(affinity::problems(strategy.anti_affinity.as_ref()));
    problems
}
