//! The canary strategy and its steps.

use api::IntOrString;
use api::rollout::{CanaryStep, CanaryStrategy, Rollout};
use object::json;

use super::settings::{pause_duration, wrong_percentage};
use super::{Problem, affinity, experiment, routing};

const STEP: &str =
    "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause";

/// Returns the problems of the strategy in upstream's order.
pub(super) fn problems(rollout: &Rollout, canary: &CanaryStrategy) -> Vec<Problem> {
    let path = |field: &str| format!("spec.strategy.{field}");
    let mut problems = Vec::new();
    for (field, value) in [("maxSurge", &canary.max_surge), ("maxUnavailable", &canary.max_unavailable)] {
        if let Some(value) = value.as_ref().filter(|value| wrong_percentage(value)) {
            let message = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%')";
            problems.push(Problem::invalid(&path(field), &api::write(value), message));
        }
    }
    if is_zero(canary.max_surge.as_ref()) && is_zero(canary.max_unavailable.as_ref()) {
        let value = canary.max_surge.as_ref().map(api::write).unwrap_or_default();
        problems.push(Problem::invalid(
            &path("maxSurge"),
            &value,
            "MaxSurge and MaxUnavailable both can not be zero",
        ));
    }
    if !canary.canary_service.is_empty() && canary.canary_service == canary.stable_service {
        let message = "This rollout uses the same service for the stable and canary services, but two different services are required.";
        problems.push(Problem::invalid(&path("stableService"), &json!(canary.stable_service), message));
    }
    problems.extend(routing::problems(canary));
    if canary.traffic_routing.is_none() {
        if let Some(seconds) = canary.scale_down_delay_seconds {
            let message = "Canary scaleDownDelaySeconds can only be used with traffic routing";
            problems.push(Problem::invalid(&path("scaleDownDelaySeconds"), &json!(seconds), message));
        }
        if canary.dynamic_stable_scale == Some(true) {
            let message = "Canary dynamicStableScale can only be used with traffic routing";
            problems.push(Problem::invalid(&path("dynamicStableScale"), &json!(true), message));
        }
    }
    for (index, step) in canary.steps.iter().enumerate() {
        problems.extend(step_problems(rollout, step, &path(&format!("steps[{index}]"))));
    }
    problems.extend(affinity::problems(canary.anti_affinity.as_ref()));
    problems
}

/// Returns true for 0 and 0 %; the default is not zero.
fn is_zero(value: Option<&IntOrString>) -> bool {
    value.is_some_and(|value| match value {
        IntOrString::Int(number) => *number == 0,
        IntOrString::Text(text) => text.trim_end_matches('%').parse() == Ok(0),
    })
}

fn step_problems(rollout: &Rollout, step: &CanaryStep, path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(kind_problem(step, path));
    let routing = rollout.canary().and_then(|canary| canary.traffic_routing.as_ref());
    let max = routing.and_then(|routing| routing.max_traffic_weight).unwrap_or(100);
    if let Some(weight) = step.set_weight.filter(|weight| !(0..=max).contains(weight)) {
        let message = format!("SetWeight needs to be between 0 and {max}");
        problems.push(Problem::invalid(&format!("{path}.setWeight"), &json!(weight), &message));
    }
    if let Some(duration) = step.pause.as_ref().and_then(|pause| pause.duration.as_ref())
        && pause_duration(duration).is_none()
    {
        let path = format!("{path}.pause.duration");
        let value = match duration {
            IntOrString::Int(number) => json!(number),
            IntOrString::Text(_) => json!(-1),
        };
        problems.push(Problem::invalid(&path, &value, "Duration needs to be greater than 0"));
    }
    if step.set_canary_scale.is_some() && routing.is_none() {
        let message = "SetCanaryScale requires TrafficRouting to be set";
        problems.push(Problem::required("spec.strategy.trafficRouting", message));
    }
    problems.extend(routing::step_problems(rollout, step, path));
    problems.extend(experiment::problems(rollout, step, path));
    problems.extend(argument_problem(rollout, step, path));
    problems
}

/// Returns the problem of a step without or with several kinds. Upstream looks at four kinds for the second; others
/// would be ignored silently, so here all count.
fn kind_problem(step: &CanaryStep, path: &str) -> Option<Problem> {
    let kinds = [
        step.experiment.is_some(),
        step.pause.is_some(),
        step.set_weight.is_some(),
        step.analysis.is_some(),
        step.set_canary_scale.is_some(),
        step.set_header_route.is_some(),
        step.set_mirror_route.is_some(),
        step.plugin.is_some(),
    ];
    let text = match kinds.iter().filter(|set| **set).count() {
        1 => return None,
        // Upstream tells here of each whether it is absent.
        0 => "step.Experiment: true step.Pause: true step.SetWeight: true step.Analysis: true step.SetCanaryScale: true step.SetHeaderRoute: true step.SetMirrorRoutes: true".to_owned(),
        _ => format!(
            "step.Experiment: {} step.Pause: {} step.SetWeight: {} step.Analysis: {}",
            kinds[0], kinds[1], kinds[2], kinds[3]
        ),
    };
    Some(Problem::invalid(path, &json!(text), STEP))
}

fn argument_problem(rollout: &Rollout, step: &CanaryStep, path: &str) -> Option<Problem> {
    let of_experiment = step.experiment.iter().flat_map(|step| &step.analyses);
    let args = of_experiment.flat_map(|analysis| &analysis.args);
    let args: Vec<_> = args.chain(step.analysis.iter().flat_map(|analysis| &analysis.args)).collect();
    let wrong = args.iter().any(|arg| {
        let field = arg.value_from.as_ref().and_then(|from| from.field_ref.as_ref());
        field.is_some_and(|field| {
            field.field_path.starts_with("metadata")
                && crate::runs::metadata_field(&rollout.object, &field.field_path).is_none()
        })
    });
    let message = "Analyses arguments must refer to valid object metadata supported by downwardAPI";
    wrong.then(|| Problem::invalid(&format!("{path}.analyses"), &api::write(&args), message))
}
