//! What the spec names: Services and analysis templates.

use std::slice;

use api::analysis::{AnalysisRunSpec, Metric};
use api::rollout::{BlueGreenStrategy, Rollout, RolloutAnalysis};
use object::json;

use super::{Problem, experiment, routing};
use crate::{Extent, Referenced, keys, runs};

/// Returns the problems of what the spec names.
///
/// Source: `validation_references.go`.
pub(super) fn problems(rollout: &Rollout, referenced: &Referenced) -> Vec<Problem> {
    if let Some(strategy) = &rollout.spec.strategy.blue_green {
        return blue_green_problems(rollout, referenced, strategy);
    }
    let Some(canary) = rollout.canary() else { return Vec::new() };
    let pair = canary.ping_pong.clone().unwrap_or_default();
    let services = [
        ("canary.canaryService", canary.canary_service.as_str()),
        ("canary.stableService", &canary.stable_service),
        ("canary.pingPong.pingService", &pair.ping_service),
        ("canary.pingPong.pongService", &pair.pong_service),
    ];
    let mut problems = services_problems(rollout, referenced, services.to_vec());
    problems.extend(routing::reference_problems(rollout, referenced));
    if let Some(background) = &canary.analysis {
        let path = "spec.strategy.canary.analysis.templates";
        problems.extend(analysis_problem(rollout, referenced, &background.analysis, path));
    }
    for (index, step) in canary.steps.iter().enumerate() {
        let at = format!("spec.strategy.canary.steps[{index}]");
        problems.extend(experiment::reference_problems(rollout, referenced, (step, &at)));
        if let Some(analysis) = &step.analysis {
            let path = format!("spec.strategy.canary.steps[{index}].analysis.templates");
            problems.extend(analysis_problem(rollout, referenced, analysis, &path));
            problems.extend(endless_problem(referenced, analysis, &path));
        }
    }
    problems
}

fn blue_green_problems(
    rollout: &Rollout,
    referenced: &Referenced,
    strategy: &BlueGreenStrategy,
) -> Vec<Problem> {
    let services = [
        ("blueGreen.activeService", strategy.active_service.as_str()),
        ("blueGreen.previewService", &strategy.preview_service),
    ];
    let mut problems = services_problems(rollout, referenced, services.to_vec());
    for (field, analysis) in [
        ("prePromotionAnalysis", &strategy.pre_promotion_analysis),
        ("postPromotionAnalysis", &strategy.post_promotion_analysis),
    ] {
        let Some(analysis) = analysis else { continue };
        let path = format!("spec.strategy.blueGreen.{field}.templates");
        problems.extend(analysis_problem(rollout, referenced, analysis, &path));
        problems.extend(endless_problem(referenced, analysis, &path));
    }
    problems
}

/// Returns the problems of Services, in the order of the fields, or in that of the file for those of a file.
fn services_problems(
    rollout: &Rollout,
    referenced: &Referenced,
    mut named: Vec<(&str, &str)>,
) -> Vec<Problem> {
    if referenced.extent == Extent::Excerpt {
        named.sort_by_key(|(_, name)| referenced.services.iter().position(|it| it.name() == *name));
    }
    named.into_iter().flat_map(|(field, name)| service_problems(rollout, referenced, field, name)).collect()
}

fn service_problems(rollout: &Rollout, referenced: &Referenced, field: &str, name: &str) -> Vec<Problem> {
    if name.is_empty() {
        return Vec::new();
    }
    let problem = |message: &str| Problem::invalid(&format!("spec.strategy.{field}"), &json!(name), message);
    let Some(service) = referenced.service(name) else {
        if referenced.extent == Extent::Excerpt {
            return Vec::new();
        }
        return vec![problem(&format!("services {name:?} not found"))];
    };
    let template = object::Object::from_value(rollout.spec.template.clone().unwrap_or_default());
    let selector = service.get(&["spec", "selector"]).and_then(|selector| selector.as_object());
    let mut problems: Vec<Problem> = selector
        .into_iter()
        .flatten()
        .filter(|(key, value)| *key != keys::HASH && template.label(key) != value.as_str())
        .map(|(key, _)| problem(&format!("Service {name:?} has unmatch label {key:?} in rollout")))
        .collect();
    if service.annotation(keys::MANAGED_BY).is_some_and(|owner| owner != rollout.name()) {
        problems.push(problem(&format!("Service {name:?} is managed by another Rollout")));
    }
    problems
}

/// Returns why no run can be made of an analysis.
pub(super) fn analysis_problem(
    rollout: &Rollout,
    referenced: &Referenced,
    analysis: &RolloutAnalysis,
    path: &str,
) -> Option<Problem> {
    if referenced.extent == Extent::Excerpt && runs::lacks(referenced, &analysis.templates) {
        return None;
    }
    let names: Vec<&str> =
        analysis.templates.iter().map(|template| template.template_name.as_str()).collect();
    // What is told by the ReplicaSets is not known yet, only that there will be a value.
    let hashes = runs::Hashes { stable: "stable".into(), latest: "latest".into() };
    let known = runs::arguments(&rollout.object, analysis, &hashes);
    let args = known.clone().unwrap_or_else(|_| runs::placeholders(analysis));
    let value = json!(format!("templateNames: [{}]", names.join(" ")));
    match runs::spec(referenced, analysis, args) {
        Err(error) => Some(Problem::invalid(path, &value, &error)),
        // With a value still to come, a number made of it cannot be judged: the run itself will be.
        Ok(_) if known.is_err() => None,
        Ok(spec) => metric_problem(referenced, analysis, &spec, path),
    }
}

/// Returns the rule that a template's metrics break, or that `dryRun` and `measurementRetention` break.
///
/// Source: `ValidateAnalysisTemplateWithType`. It looks at steps only; a background run that cannot be carried out is
/// refused as early here.
fn metric_problem(
    referenced: &Referenced,
    analysis: &RolloutAnalysis,
    whole: &AnalysisRunSpec,
    path: &str,
) -> Option<Problem> {
    let problem = |name: &str, error: &::analysis::Unsound| {
        let message = format!("AnalysisTemplate {name}: {}", error.cause());
        Some(Problem::invalid(path, &json!(name), &message))
    };
    for template in &analysis.templates {
        let Ok(own) = runs::flatten(referenced, slice::from_ref(template)) else { continue };
        let spec =
            AnalysisRunSpec { metrics: own.metrics, args: whole.args.clone(), ..AnalysisRunSpec::default() };
        if let Err(error) = ::analysis::check_spec(&spec) {
            return problem(&template.template_name, &error);
        }
    }
    let error = ::analysis::check_spec(whole).err()?;
    problem(&analysis.templates.first()?.template_name, &error)
}

/// Returns the problem of a step that would never end.
fn endless_problem(referenced: &Referenced, analysis: &RolloutAnalysis, path: &str) -> Option<Problem> {
    let spec = runs::flatten(referenced, &analysis.templates).ok()?;
    let name = &analysis.templates.first()?.template_name;
    let metric = spec.metrics.iter().find(|metric| is_endless(metric))?;
    let count = metric.count.as_ref().map_or_else(|| "<nil>".to_owned(), ToString::to_string);
    let message = format!(
        "AnalysisTemplate {name} has metric {} which runs indefinitely. Invalid value for count: {count}",
        metric.name
    );
    Some(Problem::invalid(path, &json!(name), &message))
}

/// Returns true when a metric is measured for ever: an interval and no count.
fn is_endless(metric: &Metric) -> bool {
    let counted = metric.count.as_ref().is_some_and(|count| count.as_int() != Some(0));
    !metric.interval.is_empty() && !counted
}
