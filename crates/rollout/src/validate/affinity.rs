//! Anti-affinity between versions.

use api::rollout::AntiAffinity;
use object::json;

use super::Problem;

/// Returns the problems of a strategy's `antiAffinity`.
pub(super) fn problems(wanted: Option<&AntiAffinity>) -> Vec<Problem> {
    let Some(wanted) = wanted else { return Vec::new() };
    let (preferred, required) = (wanted.preferred.is_some(), wanted.required.is_some());
    let mut problems = Vec::new();
    if preferred == required {
        let value = format!(
            "antiAffinity.PreferredDuringSchedulingIgnoredDuringExecution: {preferred} antiAffinity.RequiredDuringSchedulingIgnoredDuringExecution: {required}"
        );
        let message = "AntiAffinity must have exactly one strategy listed";
        problems.push(Problem::invalid("spec.strategy.antiAffinity", &json!(value), message));
    }
    if let Some(preferred) = wanted.preferred.as_ref().filter(|it| !(1..=100).contains(&it.weight)) {
        let message = "AntiAffinity weight must be between 1-100";
        problems.push(Problem::invalid(
            "spec.strategy.antiAffinity.weight",
            &json!(preferred.weight),
            message,
        ));
    }
    problems
}
