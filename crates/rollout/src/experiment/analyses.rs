//! The analyses of an Experiment.
//!
//! Source: Argo Rollouts `reconcileAnalysisRun`.

use api::analysis::{AnalysisPhase as Phase, AnalysisRun, TemplateRef};
use api::experiment::ExperimentAnalysisRun;
use api::rollout::{ExperimentStepAnalysis, RolloutAnalysis};
use object::{Gvk, Key, Object, json};

use super::{Action, Pass, arguments};
use crate::{Event, Referenced, keys, runs};

/// Starts, follows and ends the run of one analysis.
pub(super) fn reconcile(pass: &mut Pass, analysis: &ExperimentStepAnalysis) {
    let before = status_of(pass, &analysis.name);
    let status = next(pass, analysis, before.clone());
    put(pass, &before, status);
}

fn next(
    pass: &mut Pass,
    analysis: &ExperimentStepAnalysis,
    status: ExperimentAnalysisRun,
) -> ExperimentAnalysisRun {
    if pass.experiment.status.available_at.is_none() {
        return match missing(pass, analysis) {
            Some(message) => in_error(status, message),
            None => status,
        };
    }
    if status.analysis_run.is_empty() {
        return if pass.terminating() { status } else { start(pass, analysis, status) };
    }
    if status.phase.is_some_and(Phase::completed) {
        return status;
    }
    let found = pass.observed.analysis_runs.iter().find(|run| run.name() == status.analysis_run).cloned();
    let Some(run) = found else {
        let message = format!("analysisrun.argoproj.io {:?} not found", status.analysis_run);
        return in_error(status, message);
    };
    follow(pass, analysis, &run, status)
}

/// Takes the run's verdict over; tells a run that goes on to stop when nothing is to go on.
fn follow(
    pass: &mut Pass,
    analysis: &ExperimentStepAnalysis,
    run: &Object,
    status: ExperimentAnalysisRun,
) -> ExperimentAnalysisRun {
    let read = AnalysisRun::from_object(run).map(|run| run.status).unwrap_or_default();
    let completed = read.phase.is_some_and(Phase::completed);
    if pass.terminating() && !completed && !run.flag(&["spec", "terminate"]) {
        let message = format!("Terminating {} ({})", analysis.name, run.name());
        pass.plan.events.push(Event::normal("AnalysisRunTerminating", message));
        pass.plan.actions.push(Action::TerminateAnalysisRun { key: run.key() });
    }
    if pass.terminating() && !completed {
        return status;
    }
    ExperimentAnalysisRun { phase: read.phase, message: read.message, ..status }
}

/// Returns the words for a template that is not there.
fn missing(pass: &Pass, analysis: &ExperimentStepAnalysis) -> Option<String> {
    let kind = if analysis.cluster_scope { "ClusterAnalysisTemplate" } else { "AnalysisTemplate" };
    if referenced(pass).template(&reference(analysis)).is_some() {
        return None;
    }
    let error = format!("{}.argoproj.io {:?} not found", kind.to_lowercase(), analysis.template_name);
    Some(format!("{kind} verification failed for analysis '{}': {error}", analysis.name))
}

fn reference(analysis: &ExperimentStepAnalysis) -> TemplateRef {
    TemplateRef { template_name: analysis.template_name.clone(), cluster_scope: analysis.cluster_scope }
}

fn referenced(pass: &Pass) -> Referenced {
    Referenced { templates: pass.observed.templates.clone(), ..Referenced::default() }
}

/// Plans a run; an unfinished one that is the same is taken instead.
fn start(
    pass: &mut Pass,
    analysis: &ExperimentStepAnalysis,
    status: ExperimentAnalysisRun,
) -> ExperimentAnalysisRun {
    let mut run = match make(pass, analysis) {
        Ok(run) => run,
        Err(error) => {
            let message = format!("Failed to create AnalysisRun for analysis '{}': {error}", analysis.name);
            return in_error(status, message);
        }
    };
    let base = run.name().to_owned();
    for collision in 1.. {
        let Some(existing) = pass.observed.analysis_runs.iter().find(|other| other.name() == run.name())
        else {
            let (name, object) = (analysis.name.clone(), run.clone());
            pass.plan.actions.push(Action::CreateAnalysisRun { analysis: name, object });
            break;
        };
        if takes(pass, existing, &run) {
            break;
        }
        run.set(&["metadata", "name"], format!("{base}.{collision}"));
    }
    ExperimentAnalysisRun { phase: Some(Phase::Pending), analysis_run: run.name().to_owned(), ..status }
}

/// Returns true when `existing` is an unfinished run of this Experiment that measures the same.
fn takes(pass: &Pass, existing: &Object, run: &Object) -> bool {
    let read = AnalysisRun::from_object(existing).unwrap_or_default();
    let same = ["metrics", "args", "dryRun", "measurementRetention"]
        .iter()
        .all(|field| existing.get(&["spec", field]) == run.get(&["spec", field]));
    let ours = existing.controller_uid() == Some(pass.experiment.object.uid());
    ours && same && !read.spec.terminate && !read.status.phase.is_some_and(Phase::completed)
}

fn make(pass: &Pass, analysis: &ExperimentStepAnalysis) -> Result<Object, String> {
    let (experiment, owner) = (&pass.experiment.spec, &pass.experiment.object);
    let wanted = RolloutAnalysis {
        templates: vec![reference(analysis)],
        dry_run: experiment.dry_run.clone(),
        measurement_retention: experiment.measurement_retention.clone(),
        ..RolloutAnalysis::default()
    };
    let args = arguments::resolve(pass, &analysis.args)?;
    let spec = runs::spec(&referenced(pass), &wanted, args)?;
    let key = Key::new(owner.namespace(), &format!("{}-{}", owner.name(), analysis.name));
    let mut run = Object::new(&Gvk::new("argoproj.io", "v1alpha1", "AnalysisRun"), &key);
    if let Some(instance) = owner.label(keys::INSTANCE_ID) {
        run.set_label(keys::INSTANCE_ID, instance);
    }
    let metadata = &experiment.analysis_run_metadata;
    metadata.labels.iter().for_each(|(name, value)| run.set_label(name, value));
    metadata.annotations.iter().for_each(|(name, value)| run.set_annotation(name, value));
    run.set(&["metadata", "ownerReferences"], json!([owner.controller_reference()]));
    run.set(&["spec"], api::write(&spec));
    Ok(run)
}

/// Puts an analysis in error.
pub(super) fn fail(pass: &mut Pass, analysis: &str, message: String) {
    let before = status_of(pass, analysis);
    let status = in_error(before.clone(), message);
    put(pass, &before, status);
}

fn in_error(status: ExperimentAnalysisRun, message: String) -> ExperimentAnalysisRun {
    ExperimentAnalysisRun { phase: Some(Phase::Error), message, ..status }
}

fn status_of(pass: &Pass, name: &str) -> ExperimentAnalysisRun {
    let found = pass.status.analysis_runs.iter().find(|run| run.name == name).cloned();
    found.unwrap_or_else(|| ExperimentAnalysisRun {
        name: name.to_owned(),
        ..ExperimentAnalysisRun::default()
    })
}

/// Writes an analysis' status and tells of its change, the Rollout too whose step the Experiment is.
fn put(pass: &mut Pass, before: &ExperimentAnalysisRun, status: ExperimentAnalysisRun) {
    if let Some(phase) = status.phase.filter(|phase| before.phase != Some(*phase)) {
        let from = before.phase.map(|phase| phase.to_string()).unwrap_or_default();
        let mut message = format!("AnalysisRun '{}' transitioned from {from} -> {phase}", status.name);
        if !status.message.is_empty() {
            message = format!("{message}: {}", status.message);
        }
        let reason = format!("AnalysisRun{phase}");
        let bad = matches!(phase, Phase::Failed | Phase::Error | Phase::Inconclusive);
        let event = if bad { Event::warning } else { Event::normal };
        pass.plan.events.push(event(&reason, message.clone()));
        pass.plan.forwarded.push(Event::warning(&reason, message));
    }
    let runs = &mut pass.status.analysis_runs;
    match runs.iter_mut().find(|other| other.name == status.name) {
        Some(slot) => *slot = status,
        None => runs.push(status),
    }
}
