//! Experiment -> plan.
//!
//! An Experiment runs sets of pods beside one another for a time, with analyses over them. Start at [`plan`]: carry out
//! the actions in order, write the status patch, record the events, wake. An action that the API server refuses for good
//! becomes a status by [`refused`].
//!
//! Source: Argo Rollouts `experiments/` and `utils/experiment`.

mod analyses;
mod arguments;
mod conditions;
mod sets;
mod validate;
mod verdict;

use std::sync::Arc;

use api::experiment::{Experiment, ExperimentStatus, TemplateStatus};
use object::{Key, Object, Time, Value, json};

use crate::Event;
use crate::plan::merge_patch;

pub use validate::{Invalid, validate};

/// Objects around an Experiment. Lists need no order.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// ReplicaSets that the Experiment controls.
    pub replica_sets: Vec<Arc<Object>>,
    /// Services that the Experiment controls.
    pub services: Vec<Arc<Object>>,
    /// AnalysisRuns of the namespace.
    pub analysis_runs: Vec<Arc<Object>>,
    /// AnalysisTemplates of the namespace and ClusterAnalysisTemplates.
    pub templates: Vec<Arc<Object>>,
}

/// A change to make.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Create the ReplicaSet of a template.
    CreateReplicaSet {
        /// Name of the template.
        template: String,
        /// The ReplicaSet.
        object: Object,
    },
    /// Patch the size of a ReplicaSet or when it is scaled down.
    PatchReplicaSet {
        /// Name of the template.
        template: String,
        /// Which.
        key: Key,
        /// Version that it was planned on.
        version: String,
        /// Merge patch.
        patch: Value,
    },
    /// Create the Service of a template.
    CreateService {
        /// Name of the template.
        template: String,
        /// The Service.
        object: Object,
    },
    /// Delete the Service of a template.
    DeleteService {
        /// Name of the template.
        template: String,
        /// Which.
        key: Key,
        /// Its uid.
        uid: String,
    },
    /// Create the run of an analysis.
    CreateAnalysisRun {
        /// Name of the analysis.
        analysis: String,
        /// The run.
        object: Object,
    },
    /// Tell a run to stop.
    TerminateAnalysisRun {
        /// Which.
        key: Key,
    },
}

/// What one pass does. When an action fails, write nothing and plan again, or [`refused`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Changes, in order.
    pub actions: Vec<Action>,
    /// The whole new status; `None` when it is as it was.
    pub status: Option<ExperimentStatus>,
    /// Merge patch (`{"status": …}`, explicit nulls) to `status`; `None` when it is as it was.
    pub status_patch: Option<Value>,
    /// Events on the Experiment.
    pub events: Vec<Event>,
    /// Events on the Rollout that the Experiment belongs to.
    pub forwarded: Vec<Event>,
    /// When to look again if nothing changes before.
    pub wake: Option<Time>,
}

impl Plan {
    /// Returns true when the pass changes nothing.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.status_patch.is_none()
    }
}

/// One pass over an Experiment.
struct Pass<'a> {
    experiment: &'a Experiment,
    observed: &'a Observed,
    now: Time,
    status: ExperimentStatus,
    plan: Plan,
}

/// Returns what to do now. An Experiment whose spec is invalid gets a condition and nothing else.
pub fn plan(experiment: &Experiment, observed: &Observed, now: Time) -> Plan {
    let now = now.whole_seconds();
    let status = experiment.status.clone();
    let mut pass = Pass { experiment, observed, now, status, plan: Plan::default() };
    if let Err(invalid) = validate(experiment) {
        conditions::invalid(&mut pass, &invalid);
        return pass.finish();
    }
    for template in &experiment.spec.templates {
        sets::reconcile(&mut pass, template);
    }
    for analysis in &experiment.spec.analyses {
        analyses::reconcile(&mut pass, analysis);
    }
    verdict::settle(&mut pass);
    conditions::settle(&mut pass);
    pass.plan.wake = verdict::wake(&pass);
    pass.finish()
}

/// Returns the plan after the API server refused an action for good, in these words: the template or the analysis is in
/// error.
pub fn refused(experiment: &Experiment, action: &Action, error: &str, now: Time) -> Plan {
    let now = now.whole_seconds();
    let (observed, status) = (Observed::default(), experiment.status.clone());
    let mut pass = Pass { experiment, observed: &observed, now, status, plan: Plan::default() };
    match action {
        Action::CreateReplicaSet { template, .. } => {
            let message = format!("Failed to create ReplicaSet for template '{template}': {error}");
            sets::fail(&mut pass, template, message);
        }
        Action::PatchReplicaSet { template, patch, .. } => {
            let count = &patch["spec"]["replicas"];
            let message = format!(
                "Unable to scale ReplicaSet for template '{template}' to desired replica count '{count}': {error}"
            );
            sets::fail(&mut pass, template, message);
        }
        Action::CreateService { template, object } => {
            let name = object.name();
            let message = format!("Failed to create Service {name} for template '{template}': {error}");
            sets::fail(&mut pass, template, message);
        }
        Action::DeleteService { template, .. } => {
            let message = format!("Failed to delete Service for template '{template}': {error}");
            sets::fail(&mut pass, template, message);
        }
        Action::CreateAnalysisRun { analysis, .. } => {
            analyses::fail(
                &mut pass,
                analysis,
                format!("Failed to create AnalysisRun for analysis '{analysis}': {error}"),
            );
        }
        Action::TerminateAnalysisRun { .. } => {}
    }
    verdict::settle(&mut pass);
    pass.finish()
}

impl Pass<'_> {
    fn finish(mut self) -> Plan {
        let new = api::write(&self.status);
        if api::write(&self.experiment.status) != new {
            let held = self.experiment.object.get(&["status"]).cloned().unwrap_or_else(|| json!({}));
            self.plan.status_patch = merge_patch(&held, &new).map(|patch| json!({"status": patch}));
            self.plan.status = Some(self.status);
        }
        self.plan
    }

    /// Returns true when the Experiment had ended before this pass.
    fn finished(&self) -> bool {
        self.experiment.status.phase.is_some_and(api::analysis::AnalysisPhase::completed)
    }

    /// Returns true when nothing new begins: it had ended, is told to, or a part of it had failed before this pass.
    ///
    /// Source: `IsTerminating`.
    fn terminating(&self) -> bool {
        use api::analysis::AnalysisPhase::{Error, Failed, Inconclusive};
        let status = &self.experiment.status;
        let bad_set = |set: &TemplateStatus| matches!(set.status.as_str(), "Failed" | "Error");
        self.experiment.spec.terminate
            || self.finished()
            || status.template_statuses.iter().any(bad_set)
            || status.analysis_runs.iter().any(|run| matches!(run.phase, Some(Failed | Error | Inconclusive)))
    }

    /// Returns when the Experiment has run for its duration; `None` while not all sets have run, or without duration.
    fn end(&self) -> Option<Time> {
        let available = Time::parse(self.experiment.status.available_at.as_deref()?).ok()?;
        let duration = object::time::parse_duration(&self.experiment.spec.duration).ok()?;
        Some(available.after(duration))
    }
}

#[cfg(test)]
mod tests;
