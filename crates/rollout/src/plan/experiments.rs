//! Experiments of the steps: made, judged, ended, forgotten.
//!
//! Source: Argo Rollouts `rollout/experiment.go`.

mod create;

use api::analysis::AnalysisPhase;
use api::experiment::Experiment;
use api::rollout::PauseReason;
use object::Object;
use traffic::Additional;

use super::finished::{self, phase};
use super::pass::Pass;
use crate::{Action, Event, Reason, Step};

/// The Experiment of the current step.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub name: String,
    pub phase: Option<AnalysisPhase>,
    message: String,
    weights: Vec<(String, String, String)>,
}

impl Current {
    fn of(object: &Object) -> Self {
        let status = Experiment::from_object(object).map(|experiment| experiment.status).unwrap_or_default();
        let sets = status.template_statuses.into_iter();
        Self {
            name: object.name().to_owned(),
            phase: status.phase,
            message: status.message,
            weights: sets.map(|set| (set.name, set.service_name, set.pod_template_hash)).collect(),
        }
    }
}

/// Returns the Experiment that the status names when it is that of the current step; none after an abort that the user
/// takes back.
pub(super) fn current(pass: &Pass) -> Option<Current> {
    let status = pass.status();
    if !status.abort && status.aborted_at.is_some() {
        return None;
    }
    let name = &status.canary.current_experiment;
    let base = create::base_name(pass);
    let is_of_step = *name == base || name.starts_with(&format!("{base}-"));
    let found = pass.observed.experiments.iter().find(|experiment| experiment.name() == name);
    found.filter(|_| is_of_step).map(|object| Current::of(object))
}

/// Makes the Experiment of the current step, acts on its verdict, ends and deletes the others.
pub(super) fn reconcile(pass: &mut Pass) {
    let status = pass.status();
    let over = pass.aborted() || status.promote_full || status.stable_rs.is_empty() || pass.fully_promoted();
    let before = pass.experiment.take();
    let first = pass.actions.len();
    if !over && let Some(Step::Experiment(step)) = pass.step().1 {
        let current = before.filter(|current| !is_spent(pass, current));
        pass.experiment = match current {
            Some(current) => Some(current),
            None if pass.status().pause_conditions.is_empty() => create::create(pass, step),
            None => None,
        };
        judge(pass);
    }
    end_others(pass);
    // What another version was tried in ends before this one is tried.
    let new = pass.actions.get_mut(first..).unwrap_or_default();
    new.sort_by_key(|action| !matches!(action, Action::TerminateExperiment { .. }));
    delete_old(pass);
}

/// Returns true when the user resumed after an Experiment that could not tell: it takes another.
fn is_spent(pass: &Pass, current: &Current) -> bool {
    let status = pass.status();
    current.phase == Some(AnalysisPhase::Inconclusive)
        && status.controller_pause
        && status.pause_conditions.is_empty()
}

fn judge(pass: &mut Pass) {
    let Some(current) = pass.experiment.clone() else { return };
    match current.phase {
        Some(AnalysisPhase::Inconclusive) => pass.pause.add.push(PauseReason::InconclusiveExperiment),
        Some(AnalysisPhase::Failed | AnalysisPhase::Error) => {
            let message = format!("Experiment analysis phase is error/failed: {}", current.message);
            pass.pause.abort = Some(message);
        }
        Some(AnalysisPhase::Successful) => {}
        None | Some(AnalysisPhase::Pending | AnalysisPhase::Running) => {
            pass.wait(Reason::WaitingOnExperiment { experiment: current.name, phase: current.phase });
        }
    }
}

/// Returns true when the Experiment of the current step succeeded.
pub(super) fn successful(pass: &Pass) -> bool {
    pass.experiment.as_ref().is_some_and(|current| current.phase == Some(AnalysisPhase::Successful))
}

/// Returns the shares of the running Experiment's pods.
///
/// Source: `calculateWeightDestinationsFromExperiment`.
pub(super) fn weights(pass: &Pass) -> Vec<Additional> {
    let (Some(Step::Experiment(step)), Some(current)) = (pass.step().1, &pass.experiment) else {
        return Vec::new();
    };
    if current.phase != Some(AnalysisPhase::Running) {
        return Vec::new();
    }
    let sets = current.weights.iter().filter_map(|(name, service, hash)| {
        let template = step.templates.iter().find(|template| template.name == *name)?;
        Some(Additional { service: service.clone(), hash: hash.clone(), weight: template.weight? })
    });
    sets.collect()
}

/// Terminates all Experiments that are not current.
pub(super) fn end_others(pass: &mut Pass) {
    let current = pass.experiment.as_ref().map(|current| current.name.clone());
    for experiment in &pass.observed.experiments {
        let completed = phase(experiment).is_some_and(AnalysisPhase::completed);
        let ended = completed || experiment.flag(&["spec", "terminate"]) || experiment.is_deleting();
        if !ended && current.as_deref() != Some(experiment.name()) {
            pass.actions.push(Action::TerminateExperiment { key: experiment.key() });
        }
    }
}

/// Deletes finished Experiments beyond the limits, and those of ReplicaSets that are gone.
fn delete_old(pass: &mut Pass) {
    let current = pass.experiment.as_ref().map(|current| current.name.as_str());
    let others = pass.observed.experiments.iter().filter(|it| current != Some(it.name()));
    let gone = finished::beyond_limits(pass, others).into_iter().map(|experiment| Action::DeleteExperiment {
        key: experiment.key(),
        uid: experiment.uid().to_owned(),
    });
    let gone: Vec<Action> = gone.collect();
    pass.actions.extend(gone);
}

fn created(name: &str) -> Event {
    Event::normal("ExperimentCreated", format!("Created Experiment '{name}'"))
}
