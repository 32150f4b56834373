//! Defaults, and values in the types they are acted on.

mod blue_green;
mod delays;

use std::time::Duration;

use api::IntOrString;
use api::rollout::{CanaryStep, CanaryStrategy, ReplicaProgressThreshold, Rollout};
use object::{LabelSelector, time};

use super::Problem;
use crate::{Referenced, Routed, Settings, Step, Threshold, hash};

/// Upstream's default of maxSurge and maxUnavailable: a text without `%` that is read as a percentage.
const QUARTER: i64 = 25;

/// Returns the spec with defaults. Call only after all checks: what they refuse is not expected here.
pub(super) fn settings(rollout: &Rollout, referenced: &Referenced) -> Result<Settings, Problem> {
    let spec = &rollout.spec;
    let selector_json = spec.selector.clone().unwrap_or_default();
    let selector = LabelSelector::from_json(&selector_json)
        .map_err(|_| Problem::invalid("spec.selector", &selector_json, "invalid label selector"))?;
    let canary = spec.strategy.canary.clone().unwrap_or_default();
    let replicas = spec.replicas.unwrap_or(1);
    let blue_green = spec.strategy.blue_green.as_ref();
    let unavailable = blue_green.map_or(&canary.max_unavailable, |strategy| &strategy.max_unavailable);
    let (max_surge, max_unavailable) = limits(replicas, canary.max_surge.as_ref(), unavailable.as_ref());
    let count = |limit: Option<i32>, default: usize| {
        limit.map_or(default, |limit| usize::try_from(limit).unwrap_or(0))
    };
    let history = spec.analysis.clone().unwrap_or_default();
    let routed = routed(&canary, referenced)?;
    let template = spec.template.clone().unwrap_or_default();
    let hash = hash::pod_template(&template, rollout.status.collision_count)
        .map_err(|error| Problem { path: format!("spec.template.{}", error.path), message: error.message })?;
    Ok(Settings {
        replicas,
        selector,
        selector_json,
        template,
        hash,
        min_ready_seconds: spec.min_ready_seconds.unwrap_or(0),
        max_surge,
        max_unavailable,
        revision_history_limit: count(spec.revision_history_limit, 10),
        progress_deadline: seconds(i64::from(spec.progress_deadline_seconds.unwrap_or(600))),
        rollback_window: spec.rollback_window.as_ref().and_then(|window| window.revisions),
        successful_runs: count(history.successful_run_history_limit, 5),
        unsuccessful_runs: count(history.unsuccessful_run_history_limit, 5),
        steps: canary.steps.iter().filter_map(step).collect(),
        blue_green: blue_green.map(blue_green::blue_green),
        routed,
        threshold: canary.replica_progress_threshold.as_ref().map(threshold),
        workload: None,
        copies: Vec::new(),
        delays: blue_green.map_or_else(|| delays::canary(&canary), delays::blue_green),
    })
}

fn step(step: &CanaryStep) -> Option<Step> {
    if let Some(weight) = step.set_weight {
        return Some(Step::SetWeight(weight));
    }
    if let Some(pause) = &step.pause {
        return Some(Step::Pause(pause.duration.as_ref().and_then(pause_duration)));
    }
    if let Some(experiment) = &step.experiment {
        return Some(Step::Experiment(experiment.clone()));
    }
    if let Some(scale) = &step.set_canary_scale {
        return Some(Step::SetCanaryScale(scale.clone()));
    }
    if let Some(route) = &step.set_header_route {
        return Some(Step::SetHeaderRoute(route.clone()));
    }
    if let Some(route) = &step.set_mirror_route {
        return Some(Step::SetMirrorRoute(route.clone()));
    }
    step.analysis.clone().map(Step::Analysis)
}

fn routed(canary: &CanaryStrategy, referenced: &Referenced) -> Result<Option<Routed>, Problem> {
    let Some(routing) = &canary.traffic_routing else { return Ok(None) };
    let routers = traffic::routers(routing, &referenced.routing)
        .map_err(|problems| problems.into_iter().next().map_or_else(Problem::default, Problem::from))?;
    let max = routing.max_traffic_weight.unwrap_or(100).max(1);
    let dynamic = canary.dynamic_stable_scale == Some(true);
    let min_pods = canary.min_pods_per_replica_set.unwrap_or(0);
    Ok(Some(Routed { routers, max, dynamic, min_pods }))
}

fn threshold(threshold: &ReplicaProgressThreshold) -> Threshold {
    if threshold.kind == "Pods" {
        Threshold::Pods(threshold.value)
    } else {
        Threshold::Percent(threshold.value)
    }
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// Returns the duration of a pause step: seconds, or a Go duration; `None` when it is neither or negative.
pub(super) fn pause_duration(duration: &IntOrString) -> Option<Duration> {
    match duration {
        IntOrString::Int(number) => u64::try_from(*number).ok().map(Duration::from_secs),
        IntOrString::Text(text) => match text.parse::<u64>() {
            Ok(number) => Some(Duration::from_secs(number)),
            Err(_) => time::parse_duration(text).ok(),
        },
    }
}

/// Returns true for a text that is no number, with or without `%`, and for negative values.
pub(super) fn wrong_percentage(value: &IntOrString) -> bool {
    match value {
        IntOrString::Int(number) => *number < 0,
        IntOrString::Text(text) => text.strip_suffix('%').unwrap_or(text).parse::<u32>().is_err(),
    }
}

/// Returns surge and unavailable in pods: surge rounds up, unavailable down; when both are 0, one may be missing.
///
/// Source: `ResolveFenceposts`. Example: 10 pods with the default 25 % are (3, 2); 1 pod is (1, 0).
pub(crate) fn limits(
    replicas: i32,
    surge: Option<&IntOrString>,
    unavailable: Option<&IntOrString>,
) -> (i32, i32) {
    let surge = resolve(surge, replicas, |hundredths| (hundredths + 99) / 100);
    let unavailable = resolve(unavailable, replicas, |hundredths| hundredths / 100);
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
}

/// Returns pods: a number as it is, a percentage of `replicas` in hundredths of a pod rounded by `round`.
fn resolve(value: Option<&IntOrString>, replicas: i32, round: fn(i64) -> i64) -> i32 {
    let percent = |percent: i64| round(percent.saturating_mul(i64::from(replicas)));
    let pods = match value {
        None => percent(QUARTER),
        Some(IntOrString::Int(pods)) => *pods,
        Some(IntOrString::Text(text)) => percent(text.trim_end_matches('%').parse().unwrap_or(0)),
    };
    i32::try_from(pods.max(0)).unwrap_or(i32::MAX)
}
