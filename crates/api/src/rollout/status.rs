//! `status` of a Rollout.

use std::fmt;

use object::{Condition, Map, Value};
use serde::{Deserialize, Serialize};

use crate::analysis::AnalysisPhase;
use crate::wire::is_default;

/// What is. Everything the controller remembers is here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RolloutStatus {
    /// The update is aborted.
    #[serde(skip_serializing_if = "is_default")]
    pub abort: bool,
    /// Why the controller pauses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pause_conditions: Vec<PauseCondition>,
    /// The controller has paused and not yet seen the resume.
    #[serde(skip_serializing_if = "is_default")]
    pub controller_pause: bool,
    /// RFC 3339 time of the abort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aborted_at: Option<String>,
    /// Hash of the template that is being rolled out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub current_pod_hash: String,
    /// Hash of the steps.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub current_step_hash: String,
    /// Number of pods, of all ReplicaSets.
    #[serde(skip_serializing_if = "is_default")]
    pub replicas: i32,
    /// Number of pods of the new template.
    #[serde(skip_serializing_if = "is_default")]
    pub updated_replicas: i32,
    /// Number of ready pods.
    #[serde(skip_serializing_if = "is_default")]
    pub ready_replicas: i32,
    /// Number of available pods.
    #[serde(skip_serializing_if = "is_default")]
    pub available_replicas: i32,
    /// Index of the current step; as many as there are steps when all are done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_step_index: Option<i32>,
    /// How often a hash had to be changed because its name was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collision_count: Option<i32>,
    /// Generation this status is about, as a decimal text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub observed_generation: String,
    /// Conditions, last changed last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Of the canary strategy.
    pub canary: CanaryStatus,
    /// Of the blue-green strategy.
    pub blue_green: BlueGreenStatus,
    /// Number of pods an autoscaler sees.
    #[serde(rename = "HPAReplicas", skip_serializing_if = "is_default")]
    pub hpa_replicas: i32,
    /// Label selector of the pods an autoscaler sees, in query form.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub selector: String,
    /// Hash of the last template that was fully rolled out.
    #[serde(rename = "stableRS", skip_serializing_if = "String::is_empty")]
    pub stable_rs: String,
    /// Last `spec.restartAt` that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarted_at: Option<String>,
    /// The user skips all steps.
    #[serde(skip_serializing_if = "is_default")]
    pub promote_full: bool,
    /// One word for it all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<RolloutPhase>,
    /// Why that word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Generation of the referenced workload, as a decimal text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub workload_observed_generation: String,
    /// When the update began and ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<RolloutDuration>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl RolloutStatus {
    /// Returns the condition of type `kind`.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// Returns the pause for `reason`.
    pub fn pause(&self, reason: PauseReason) -> Option<&PauseCondition> {
        self.pause_conditions.iter().find(|pause| pause.reason == reason)
    }
}

/// One word for the state of a Rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RolloutPhase {
    /// Fully rolled out and available.
    Healthy,
    /// Failed, aborted or invalid.
    Degraded,
    /// On its way.
    Progressing,
    /// Waits for a time or the user.
    Paused,
}

impl fmt::Display for RolloutPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Why the controller pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PauseReason {
    /// An AnalysisRun could not tell.
    InconclusiveAnalysisRun,
    /// An Experiment could not tell.
    InconclusiveExperiment,
    /// A pause step.
    CanaryPauseStep,
    /// The pause before the blue-green switch.
    BlueGreenPause,
}

impl fmt::Display for PauseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A pause the controller made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PauseCondition {
    /// Why.
    pub reason: PauseReason,
    /// RFC 3339 time of its begin.
    #[serde(default)]
    pub start_time: String,
}

/// Name and verdict of an AnalysisRun.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisRunRef {
    /// Name of the run.
    pub name: String,
    /// Its phase; absent until it has one.
    #[serde(deserialize_with = "phase_or_empty", serialize_with = "empty_or_phase")]
    pub status: Option<AnalysisPhase>,
    /// Its message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

fn phase_or_empty<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<AnalysisPhase>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    AnalysisPhase::deserialize(serde::de::value::StringDeserializer::new(text)).map(Some)
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn empty_or_phase<S: serde::Serializer>(
    phase: &Option<AnalysisPhase>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match phase {
        Some(phase) => phase.serialize(serializer),
        None => serializer.serialize_str(""),
    }
}

/// What only a canary has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryStatus {
    /// Run of the current analysis step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_step_analysis_run_status: Option<AnalysisRunRef>,
    /// Run beside the steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_background_analysis_run_status: Option<AnalysisRunRef>,
    /// Name of the current Experiment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub current_experiment: String,
    /// Last weights told to the routers; kept as they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Value>,
    /// `ping` or `pong`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stable_ping_pong: String,
    /// Runs of step plugins; kept as they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub step_plugin_statuses: Vec<Value>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What only blue-green has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BlueGreenStatus {
    /// Hash the preview service selects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub preview_selector: String,
    /// Hash the active service selects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub active_selector: String,
    /// The preview may grow to full size.
    #[serde(skip_serializing_if = "is_default")]
    pub scale_up_preview_check_point: bool,
    /// Run before the switch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_promotion_analysis_run_status: Option<AnalysisRunRef>,
    /// Run after the switch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_promotion_analysis_run_status: Option<AnalysisRunRef>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// When an update began and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RolloutDuration {
    /// RFC 3339 time of its begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout_started_at: Option<String>,
    /// RFC 3339 time since which it waits for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual_pause_started_at: Option<String>,
    /// Seconds it has waited for the user.
    #[serde(skip_serializing_if = "is_default")]
    pub total_manual_pause_duration_seconds: i64,
    /// RFC 3339 time of its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_status: Option<CompletionStatus>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How an update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompletionStatus {
    /// All steps done.
    Promoted,
    /// The user skipped steps.
    FastPromoted,
    /// Aborted.
    Aborted,
    /// Another update began before it ended.
    Superseded,
    /// Back to the stable version.
    RolledBack,
    /// Back to an earlier version without steps.
    FastRolledBack,
}
