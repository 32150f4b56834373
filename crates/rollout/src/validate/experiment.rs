//! Experiment steps.

use api::analysis::TemplateRef;
use api::rollout::{CanaryStep, Rollout, RolloutAnalysis};
use object::json;

use super::{Problem, references};
use crate::Referenced;

/// Returns the problems of an experiment step at `at`.
pub(super) fn problems(rollout: &Rollout, step: &CanaryStep, at: &str) -> Vec<Problem> {
    let Some(experiment) = &step.experiment else { return Vec::new() };
    let routing = rollout.canary().and_then(|canary| canary.traffic_routing.as_ref());
    let weighted = routing.is_some_and(|routing| {
        routing.alb.is_some()
            || routing.smi.is_some()
            || routing.istio.is_some()
            || !routing.plugins.is_empty()
    });
    let mut problems = Vec::new();
    for (index, template) in experiment.templates.iter().enumerate() {
        let at = format!("{at}.experiment.templates[{index}]");
        if let Some(weight) = template.weight.filter(|_| !weighted) {
            let message = match routing {
                None => "Experiment template weight cannot be set unless TrafficRouting is enabled",
                Some(_) => {
                    "Experiment template weight is only available for TrafficRouting with SMI, ALB, and Istio at this time"
                }
            };
            problems.push(Problem::invalid(&format!("{at}.weight"), &json!(weight), message));
        }
        if !matches!(template.spec_ref.as_str(), "canary" | "stable") {
            let message = "Invalid template step SpecRef: must be canary or stable";
            problems.push(Problem::invalid(&format!("{at}.specRef"), &json!(template.spec_ref), message));
        }
    }
    problems
}

/// Returns the problems of the analysis templates that an experiment step names.
pub(super) fn reference_problems(
    rollout: &Rollout,
    referenced: &Referenced,
    (step, at): (&CanaryStep, &str),
) -> Vec<Problem> {
    let analyses = step.experiment.iter().flat_map(|experiment| &experiment.analyses).enumerate();
    let problems = analyses.filter_map(|(index, analysis)| {
        let template = TemplateRef {
            template_name: analysis.template_name.clone(),
            cluster_scope: analysis.cluster_scope,
        };
        let wanted = RolloutAnalysis {
            templates: vec![template],
            args: analysis.args.clone(),
            ..RolloutAnalysis::default()
        };
        let at = format!("{at}.experiment.analyses[{index}].templateName");
        references::analysis_problem(rollout, referenced, &wanted, &at)
    });
    problems.collect()
}
