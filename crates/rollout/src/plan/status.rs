//! The new status: counts, steps, promotion.

use api::rollout::{BlueGreenStatus, CanaryStatus, PauseReason, RolloutStatus};

use super::pass::Pass;
use super::promoted::Because;
use super::{blue_green, conditions, duration, pause, phase, runs, workload};
use crate::{Event, Step};

/// Returns the status with what is counted and copied, before any decision.
pub(super) fn base(pass: &Pass) -> RolloutStatus {
    let mut status = pass.status().clone();
    status.current_pod_hash = pass.current_hash();
    status.current_step_hash = pass.step_hash();
    status.replicas = pass.sets.sum(|set| set.replicas);
    status.updated_replicas = pass.sets.new_set().map_or(0, |set| set.replicas);
    status.ready_replicas = pass.sets.sum(|set| set.ready);
    status.available_replicas = pass.sets.sum(|set| set.size.available);
    status.hpa_replicas = status.replicas;
    status.selector = pass.settings().selector.to_string();
    status.restarted_at = pass.restarted_at.clone();
    status.conditions.retain(|condition| condition.kind != "InvalidSpec");
    status.canary.weights.clone_from(&pass.weights);
    if let Some(strategy) = &pass.settings().blue_green {
        status.canary = CanaryStatus { extra: status.canary.extra, ..CanaryStatus::default() };
        status.current_step_index = None;
        blue_green::write(pass, strategy, &mut status);
    } else {
        status.blue_green = BlueGreenStatus { extra: status.blue_green.extra, ..BlueGreenStatus::default() };
    }
    runs::write(pass, &mut status);
    status.canary.current_experiment =
        pass.experiment.as_ref().map(|experiment| experiment.name.clone()).unwrap_or_default();
    if let Some(workload) = &pass.settings().workload {
        status.workload_observed_generation = workload.generation.to_string();
    }
    status
}

/// Returns the status of a new update: the template or the steps are not those the status speaks of.
pub(super) fn reset(pass: &mut Pass) -> RolloutStatus {
    pass.pause.clear = true;
    pass.pause.remove_abort = true;
    pass.pause.abort = None;
    pass.restarted_at = pass.rollout().spec.restart_at.clone();
    pass.runs = runs::CurrentRuns::default();
    pass.experiment = None;
    let mut status = base(pass);
    let steps = pass.settings().steps.len();
    status.promote_full = false;
    status.canary.step_plugin_statuses = Vec::new();
    status.blue_green.scale_up_preview_check_point = false;
    status.current_step_index = (steps > 0).then_some(0);
    let skip = if pass.sets.new_set().is_some_and(|set| set.hash == status.stable_rs) {
        Some("Rollback to stable")
    } else if in_rollback_window(pass) && pass.sets.new_set().is_some_and(|set| set.size.spec > 0) {
        Some("Rollback within the window")
    } else {
        None
    };
    if let Some(message) = skip
        && steps > 0
    {
        pass.events.push(Event::normal("SkipSteps", message));
        status.current_step_index = Some(count(steps));
    }
    conclude(pass, status)
}

/// Returns the status at the end of a usual pass. `scaling` is true when `spec.replicas` changed: no step is made.
pub(super) fn advance(pass: &mut Pass, scaling: Scaling) -> RolloutStatus {
    let mut status = base(pass);
    let steps = pass.settings().steps.len();
    let all = (steps > 0).then(|| count(steps));
    let skip = pass.status().promote_full || in_rollback_window(pass);
    if skip {
        pass.pause.clear = true;
        pass.pause.remove_abort = true;
    }
    // What is stable has no steps left, whatever somebody wrote into the status.
    let skip = skip || pass.fully_promoted();
    if skip {
        status.current_step_index = all;
    }
    conditions::abort_at_deadline(pass, &status);
    if let Some(reason) = promotion(pass) {
        promote(pass, &mut status, reason);
        return conclude(pass, status);
    }
    if pass.aborted() {
        let back = status.stable_rs == status.current_pod_hash;
        status.current_step_index = if back { all } else { (steps > 0).then_some(0) };
        return conclude(pass, status);
    }
    if scaling == Scaling::No && !skip && step_completed(pass) {
        complete_step(pass, &mut status);
    } else if !skip {
        let index = pass.checked.step_index().min(steps);
        status.current_step_index = (steps > 0).then(|| count(index));
    }
    conclude(pass, status)
}

/// Returns the status of a pass that could not do what comes first: counts and conditions, no step.
pub(super) fn hold(pass: &mut Pass) -> RolloutStatus {
    let status = base(pass);
    conclude(pass, status)
}

/// Whether a pass answers a change of `spec.replicas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scaling {
    /// It does: sizes follow, steps wait.
    Yes,
    /// It does not.
    No,
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn complete_step(pass: &mut Pass, status: &mut RolloutStatus) {
    let (index, step) = pass.step();
    let total = pass.settings().steps.len();
    let text = step.map(step_text).unwrap_or_default();
    let message = format!("Rollout step {}/{total} completed ({text})", index + 1);
    pass.events.push(Event::normal("RolloutStepCompleted", message));
    pass.pause.end.push(PauseReason::CanaryPauseStep);
    status.current_step_index = Some(count(index + 1));
    status.canary.current_step_analysis_run_status = None;
    status.canary.current_experiment = String::new();
}

/// Returns how a step is written in events.
fn step_text(step: &Step) -> String {
    match step {
        Step::SetWeight(weight) => format!("setWeight: {weight}"),
        Step::Pause(None) => "pause".to_owned(),
        Step::Pause(Some(duration)) => format!("pause: {}", object::time::format_duration(*duration)),
        Step::Analysis(_) => "analysis".to_owned(),
        Step::Experiment(_) => "experiment".to_owned(),
        Step::SetCanaryScale(scale) => match (scale.weight, scale.replicas) {
            (Some(weight), _) => format!("setCanaryScale{{weight: {weight}}}"),
            (None, Some(replicas)) => format!("setCanaryScale{{replicas: {replicas}}}"),
            (None, None) => format!("setCanaryScale{{matchTrafficWeight: {}}}", scale.match_traffic_weight),
        },
        Step::SetHeaderRoute(route) => format!("setHeaderRoute: {}", route.name),
        Step::SetMirrorRoute(route) => format!("setMirrorRoute: {}", route.name),
    }
}

fn step_completed(pass: &Pass) -> bool {
    if pass.paused_by_user() {
        return false;
    }
    match pass.step().1 {
        None => false,
        Some(Step::Pause(duration)) => pause::step_over(pass, *duration),
        Some(Step::SetWeight(weight)) => {
            super::scale::at_wanted_sizes(pass) && super::routed::carries(pass, *weight)
        }
        Some(Step::Experiment(_)) => super::experiments::successful(pass),
        Some(Step::SetCanaryScale(_)) => super::scale::at_wanted_sizes(pass),
        Some(Step::SetHeaderRoute(_) | Step::SetMirrorRoute(_)) => true,
        Some(Step::Analysis(_)) => runs::step_successful(pass),
    }
}

/// Returns why the current template becomes the stable one now; `None` when it does not.
///
/// Source: `shouldFullPromote`; the order of the checks matters.
fn promotion(pass: &Pass) -> Option<Because> {
    if pass.sets.stable().is_none() {
        return Some(Because::Initial);
    }
    let new = pass.sets.new_set()?;
    let (replicas, available) = (pass.settings().replicas, new.size.available);
    let enough = available >= replicas
        || pass.settings().threshold.is_some_and(|threshold| threshold.met(replicas, available));
    if pass.aborted() || !enough || pass.verified == Some(false) {
        return None;
    }
    if pass.status().promote_full {
        return Some(Because::Full);
    }
    if in_rollback_window(pass) {
        return Some(Because::Window);
    }
    let steps = pass.settings().steps.len();
    (pass.step().0 >= steps).then_some(Because::Steps(steps))
}

pub(super) fn promote(pass: &mut Pass, status: &mut RolloutStatus, reason: Because) {
    duration::promoted(status, reason.completion(pass));
    pass.pause.clear = true;
    pass.pause.remove_abort = true;
    pass.pause.abort = None;
    status.promote_full = false;
    status.blue_green.scale_up_preview_check_point = false;
    let steps = pass.settings().steps.len();
    status.current_step_index = (steps > 0).then(|| count(steps));
    if status.stable_rs != status.current_pod_hash {
        if pass.rollout().canary().is_some_and(|canary| canary.ping_pong.is_some()) {
            let turn = if status.canary.stable_ping_pong == "ping" { "pong" } else { "ping" };
            turn.clone_into(&mut status.canary.stable_ping_pong);
        }
        status.stable_rs = status.current_pod_hash.clone();
        let (revision, hash) = (pass.revision(), &status.current_pod_hash);
        let message = format!("Rollout completed update to revision {revision} ({hash}): {reason}");
        pass.events.push(Event::normal("RolloutCompleted", message));
    }
}

/// Returns true when the current template is older than the stable one by less than `rollbackWindow.revisions`.
pub(super) fn in_rollback_window(pass: &Pass) -> bool {
    let (Some(window), Some(new), Some(stable)) =
        (pass.settings().rollback_window, pass.sets.new_set(), pass.sets.stable_apart())
    else {
        return false;
    };
    if new.created >= stable.created {
        return false;
    }
    let between = pass.sets.all.iter().filter(|set| {
        set.object.annotation(crate::keys::EXPERIMENT_NAME).is_none()
            && set.created > new.created
            && set.created < stable.created
    });
    count(between.count()) < window
}

/// Returns the status with pauses, conditions, phase and duration that follow from the rest.
pub(super) fn conclude(pass: &mut Pass, mut status: RolloutStatus) -> RolloutStatus {
    pause::apply(pass, &mut status);
    conditions::apply(pass, &mut status);
    status.observed_generation = pass.rollout().object.generation().to_string();
    (status.phase, status.message) = phase::phase(pass.rollout(), pass.settings().replicas, &status);
    duration::apply(pass, &mut status);
    workload::scale_down(pass, &status);
    let (was, is) = (!pass.status().pause_conditions.is_empty(), status.pause_conditions.first());
    match (was, is) {
        (false, Some(pause)) => {
            let message = format!("Rollout is paused ({})", pause.reason);
            pass.events.push(Event::normal("RolloutPaused", message));
        }
        // An abort ends the pauses too; that is no resume.
        (true, None) if !status.abort => {
            pass.events.push(Event::normal("RolloutResumed", "Rollout is resumed"))
        }
        _ => {}
    }
    status
}
