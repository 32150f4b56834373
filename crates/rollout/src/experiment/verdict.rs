//! The verdict on an Experiment, and when to look at it again.
//!
//! Source: Argo Rollouts `calculateStatus`, `assessTemplates`, `assessAnalysisRuns`, `calculateEnqueueDuration`.

use api::analysis::AnalysisPhase as Phase;
use object::Time;

use super::Pass;
use super::sets::{deadline, earlier, status_of, wanted};

/// Sets phase, message and the time at which all sets first ran.
pub(super) fn settle(pass: &mut Pass) {
    if pass.finished() {
        return;
    }
    if pass.status.phase.is_none() {
        pass.status.phase = Some(Phase::Pending);
        return;
    }
    let (sets, analyses) = (of_sets(pass), of_analyses(pass));
    if sets.0 == Phase::Running && pass.status.available_at.is_none() {
        pass.status.available_at = Some(pass.now.to_string());
    }
    let required = pass.experiment.spec.analyses.iter().any(|analysis| analysis.required_for_completion);
    let by_analyses = match sets.0 {
        // Ran to the end: what the analyses say counts, when they say something or have to.
        Phase::Successful => analyses.0.completed() || required,
        Phase::Failed | Phase::Error | Phase::Inconclusive => false,
        // Under way: a bad analysis ends it, and so do all the required ones being good.
        Phase::Pending | Phase::Running => {
            analyses.0.completed() && analyses.0 != Phase::Successful || required_successful(pass)
        }
    };
    let (phase, message) = if by_analyses { analyses } else { sets };
    (pass.status.phase, pass.status.message) = (Some(phase), message);
}

/// Returns the worst of the templates.
fn of_sets(pass: &Pass) -> (Phase, String) {
    let ranked = |status: &str| match status {
        "Successful" => (0, Phase::Successful),
        "Running" => (1, Phase::Running),
        "Error" => (3, Phase::Error),
        "Failed" => (4, Phase::Failed),
        _ => (2, Phase::Pending),
    };
    let mut worst = (ranked("Successful"), String::new());
    for template in &pass.experiment.spec.templates {
        let status = status_of(&pass.status.template_statuses, &template.name);
        let rank = ranked(&status.status);
        if rank.0 > worst.0.0 {
            worst = (rank, status.message);
        }
    }
    (worst.0.1, worst.1)
}

/// Returns the worst of the analyses; successful without any. A run that nobody has looked at yet counts as pending; the
/// original counts it as successful.
fn of_analyses(pass: &Pass) -> (Phase, String) {
    let mut worst = (Phase::Successful, String::new());
    for analysis in &pass.experiment.spec.analyses {
        let found = pass.status.analysis_runs.iter().find(|run| run.name == analysis.name);
        let Some(run) = found else { continue };
        if run.analysis_run.is_empty() && run.phase.is_none() {
            continue;
        }
        let phase = run.phase.unwrap_or(Phase::Pending);
        if phase.badness() > worst.0.badness() {
            worst = (phase, run.message.clone());
        }
    }
    if required_successful(pass) && worst.0.badness() <= Phase::Pending.badness() {
        return (Phase::Successful, "Required AnalysisRuns completed".to_owned());
    }
    if worst.0 == Phase::Pending { (Phase::Running, worst.1) } else { worst }
}

/// Returns true when there are required analyses and all of them were good.
fn required_successful(pass: &Pass) -> bool {
    let mut required =
        pass.experiment.spec.analyses.iter().filter(|analysis| analysis.required_for_completion).peekable();
    let good = |name: &str| {
        let run = pass.status.analysis_runs.iter().find(|run| run.name == name);
        run.is_some_and(|run| run.phase == Some(Phase::Successful))
    };
    required.peek().is_some() && required.all(|analysis| good(&analysis.name))
}

/// Returns when to look again: at the end of the duration, when a lack of progress becomes a failure, and when a set is
/// scaled down.
pub(super) fn wake(pass: &Pass) -> Option<Time> {
    let mut wake = pass.plan.wake;
    if pass.terminating() {
        return wake;
    }
    wake = earlier(wake, pass.end().filter(|end| *end > pass.now));
    for template in &pass.experiment.spec.templates {
        let status = status_of(&pass.status.template_statuses, &template.name);
        let waits = matches!(status.status.as_str(), "Progressing" | "Running");
        if waits && status.available_replicas != wanted(pass, template) {
            wake = earlier(wake, deadline(pass, &status));
        }
    }
    wake
}
