//! AnalysisRuns of an update: made, judged, ended, forgotten.
//!
//! Source: Argo Rollouts `rollout/analysis.go`.

mod create;
mod promotion;

use api::analysis::AnalysisPhase;
use api::rollout::{AnalysisRunRef, PauseReason, RolloutStatus};
use object::Object;

use super::blue_green;
use super::finished::{self, phase};
use super::pass::Pass;
use super::status::in_rollback_window;
use crate::{Action, BlueGreen, Event, Reason, Step, keys};

pub(super) use promotion::post_is_due;

/// What is known of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub name: String,
    pub phase: Option<AnalysisPhase>,
    pub message: String,
    step_index: String,
}

impl Run {
    fn of(object: &Object) -> Self {
        Self {
            name: object.name().to_owned(),
            phase: phase(object),
            message: object.str(&["status", "message"]).to_owned(),
            step_index: object.label(keys::STEP_INDEX).unwrap_or_default().to_owned(),
        }
    }
}

fn completed(object: &Object) -> bool {
    phase(object).is_some_and(AnalysisPhase::completed)
}

/// The runs that count for the current update.
#[derive(Clone, Debug, Default)]
pub(super) struct CurrentRuns {
    pub step: Option<Run>,
    pub background: Option<Run>,
    pub pre: Option<Run>,
    pub post: Option<Run>,
}

impl CurrentRuns {
    fn iter(&self) -> impl Iterator<Item = &Run> {
        [&self.step, &self.background, &self.pre, &self.post].into_iter().flatten()
    }

    fn has(&self, name: &str) -> bool {
        self.iter().any(|run| run.name == name)
    }
}

/// Returns the runs that the status names and that exist; none after an abort that the user takes back.
pub(super) fn current(pass: &Pass) -> CurrentRuns {
    let status = pass.status();
    if !status.abort && status.aborted_at.is_some() {
        return CurrentRuns::default();
    }
    let (canary, blue_green) = (&status.canary, &status.blue_green);
    let find = |reference: &Option<AnalysisRunRef>| {
        let name = &reference.as_ref()?.name;
        pass.observed.analysis_runs.iter().find(|run| run.name() == name).map(|run| Run::of(run))
    };
    CurrentRuns {
        step: find(&canary.current_step_analysis_run_status),
        background: find(&canary.current_background_analysis_run_status),
        pre: find(&blue_green.pre_promotion_analysis_run_status),
        post: find(&blue_green.post_promotion_analysis_run_status),
    }
}

/// Writes names and phases of the current runs into `status`.
pub(super) fn write(pass: &Pass, status: &mut RolloutStatus) {
    let reference = |run: &Option<Run>, old: &Option<AnalysisRunRef>| {
        let run = run.as_ref()?;
        let extra = old.as_ref().filter(|old| old.name == run.name).map(|old| old.extra.clone());
        Some(AnalysisRunRef {
            name: run.name.clone(),
            status: run.phase,
            message: run.message.clone(),
            extra: extra.unwrap_or_default(),
        })
    };
    let old = &pass.status().canary;
    status.canary.current_step_analysis_run_status =
        reference(&pass.runs.step, &old.current_step_analysis_run_status);
    status.canary.current_background_analysis_run_status =
        reference(&pass.runs.background, &old.current_background_analysis_run_status);
    let old = &pass.status().blue_green;
    status.blue_green.pre_promotion_analysis_run_status =
        reference(&pass.runs.pre, &old.pre_promotion_analysis_run_status);
    status.blue_green.post_promotion_analysis_run_status =
        reference(&pass.runs.post, &old.post_promotion_analysis_run_status);
}

/// Ends runs when there is nothing to judge any more, without beginning new ones.
pub(super) fn keep(pass: &mut Pass) {
    if nothing_to_judge(pass) {
        end_all(pass);
    }
}

/// Makes the runs that are due, acts on their verdicts, ends and deletes the others.
pub(super) fn reconcile(pass: &mut Pass) {
    if nothing_to_judge(pass) {
        end_all(pass);
        delete_old(pass);
        return;
    }
    let before = std::mem::take(&mut pass.runs);
    let first = pass.actions.len();
    pass.runs = match &pass.settings().blue_green {
        Some(strategy) => of_blue_green(pass, strategy, before),
        None => of_canary(pass, before),
    };
    end_others(pass);
    // What judged the version before ends before what judges this one begins.
    let new = pass.actions.get_mut(first..).unwrap_or_default();
    new.sort_by_key(|action| !matches!(action, Action::TerminateAnalysisRun { .. }));
    delete_old(pass);
    tell_changes(pass);
}

fn of_canary(pass: &mut Pass, before: CurrentRuns) -> CurrentRuns {
    let step = reconcile_step(pass, before.step);
    judge(pass, step.as_ref(), "Step-based");
    let background = reconcile_background(pass, before.background);
    judge(pass, background.as_ref(), "Background");
    CurrentRuns { step, background, ..CurrentRuns::default() }
}

fn of_blue_green(pass: &mut Pass, strategy: &BlueGreen, before: CurrentRuns) -> CurrentRuns {
    let pre = promotion::reconcile_pre(pass, strategy, before.pre);
    judge(pass, pre.as_ref(), "Blue/green pre-promotion");
    let post = promotion::reconcile_post(pass, strategy, before.post);
    judge(pass, post.as_ref(), "Blue/green post-promotion");
    CurrentRuns { pre, post, ..CurrentRuns::default() }
}

fn nothing_to_judge(pass: &Pass) -> bool {
    let status = pass.status();
    pass.aborted()
        || status.promote_full
        || status.stable_rs.is_empty()
        || pass.fully_promoted()
        || in_rollback_window(pass)
        || (pass.settings().blue_green.is_some() && blue_green::fast_rollback(pass))
}

/// Ends all runs; those of blue-green stay in the status.
fn end_all(pass: &mut Pass) {
    let current = std::mem::take(&mut pass.runs);
    end_others(pass);
    if pass.settings().blue_green.is_some() {
        pass.runs = current;
    }
}

/// Terminates all runs that are not current.
fn end_others(pass: &mut Pass) {
    for run in &pass.observed.analysis_runs {
        let ended = completed(run) || run.flag(&["spec", "terminate"]) || run.is_deleting();
        if !ended && !pass.runs.has(run.name()) {
            pass.actions.push(Action::TerminateAnalysisRun { key: run.key() });
        }
    }
}

/// Returns the run of the current analysis step, made when it is due.
fn reconcile_step(pass: &mut Pass, current: Option<Run>) -> Option<Run> {
    if !pass.status().pause_conditions.is_empty() {
        return current;
    }
    let (index, Some(Step::Analysis(analysis))) = pass.step() else { return None };
    // A promotion by hand may have moved on to another analysis step.
    let current = current.filter(|run| run.step_index == index.to_string());
    if needs_new(pass, current.as_ref()) {
        return create::create(pass, analysis, create::Role::Step(index));
    }
    current
}

fn reconcile_background(pass: &mut Pass, current: Option<Run>) -> Option<Run> {
    let background = pass.rollout().canary()?.analysis.as_ref()?;
    let started = pass.step().0 >= usize::try_from(background.starting_step.unwrap_or(0)).unwrap_or(0);
    if background.analysis.templates.is_empty() || !started {
        return None;
    }
    if pass.status().pause(PauseReason::InconclusiveAnalysisRun).is_some() {
        return current;
    }
    if needs_new(pass, current.as_ref()) {
        return create::create(pass, &background.analysis, create::Role::Background);
    }
    current
}

/// Returns true when there is no run, or the user resumed after one that could not tell.
fn needs_new(pass: &Pass, current: Option<&Run>) -> bool {
    let Some(current) = current else { return true };
    let status = pass.status();
    let steps = [PauseReason::CanaryPauseStep, PauseReason::BlueGreenPause];
    let resumed = status.controller_pause && steps.iter().all(|pause| status.pause(*pause).is_none());
    resumed
        && status.pause(PauseReason::InconclusiveAnalysisRun).is_none()
        && current.phase == Some(AnalysisPhase::Inconclusive)
}

/// Pauses on a run that cannot tell, aborts on a bad one.
fn judge(pass: &mut Pass, run: Option<&Run>, kind: &str) {
    let Some(run) = run else { return };
    match run.phase {
        Some(AnalysisPhase::Inconclusive) => {
            if pass.status().pause(PauseReason::InconclusiveAnalysisRun).is_none() {
                pass.pause.add.push(PauseReason::InconclusiveAnalysisRun);
            }
        }
        Some(AnalysisPhase::Failed | AnalysisPhase::Error) => {
            pass.pause.abort = Some(format!("{kind} analysis phase error/failed: {}", run.message));
        }
        Some(AnalysisPhase::Successful) => {}
        None | Some(AnalysisPhase::Pending | AnalysisPhase::Running) => {
            pass.wait(Reason::WaitingOnAnalysis { run: run.name.clone(), phase: run.phase });
        }
    }
}

/// Returns true when the run of the current step succeeded.
pub(super) fn step_successful(pass: &Pass) -> bool {
    pass.runs.step.as_ref().is_some_and(|run| run.phase == Some(AnalysisPhase::Successful))
}

/// Returns true when the run before the switch succeeded, or there is to be none.
pub(super) fn pre_successful(pass: &Pass, strategy: &BlueGreen) -> bool {
    strategy.pre.is_none()
        || pass.runs.pre.as_ref().is_some_and(|run| run.phase == Some(AnalysisPhase::Successful))
}

/// Returns true when the run after the switch succeeded.
pub(super) fn post_successful(pass: &Pass) -> bool {
    pass.runs.post.as_ref().is_some_and(|run| run.phase == Some(AnalysisPhase::Successful))
}

/// Records an event for each current run whose phase changed.
fn tell_changes(pass: &mut Pass) {
    let (canary, blue_green) = (&pass.status().canary, &pass.status().blue_green);
    let runs = &pass.runs;
    let pairs = [
        (runs.step.clone(), canary.current_step_analysis_run_status.as_ref(), "Step"),
        (runs.background.clone(), canary.current_background_analysis_run_status.as_ref(), "Background"),
        (runs.pre.clone(), blue_green.pre_promotion_analysis_run_status.as_ref(), "PrePromotion"),
        (runs.post.clone(), blue_green.post_promotion_analysis_run_status.as_ref(), "PostPromotion"),
    ];
    for (run, old, kind) in pairs {
        let Some((run, phase)) = run.and_then(|run| run.phase.map(|phase| (run, phase))) else { continue };
        let previous = match old {
            None => "NoPreviousStatus".to_owned(),
            Some(old) if old.name == run.name && old.status != Some(phase) => {
                old.status.map(|phase| phase.to_string()).unwrap_or_default()
            }
            Some(_) => continue,
        };
        let message =
            format!("{kind} Analysis Run '{}' Status New: '{phase}' Previous: '{previous}'", run.name);
        let reason = format!("AnalysisRun{phase}");
        let bad = matches!(phase, AnalysisPhase::Failed | AnalysisPhase::Error);
        pass.events.push(if bad {
            Event::warning(&reason, message)
        } else {
            Event::normal(&reason, message)
        });
    }
}

/// Deletes finished runs beyond the limits, and those of ReplicaSets that are gone.
fn delete_old(pass: &mut Pass) {
    let others = pass.observed.analysis_runs.iter().filter(|run| !pass.runs.has(run.name()));
    let gone = finished::beyond_limits(pass, others).into_iter();
    let gone = gone.map(|run| Action::DeleteAnalysisRun { key: run.key(), uid: run.uid().to_owned() });
    let gone: Vec<Action> = gone.collect();
    pass.actions.extend(gone);
}
