//! Experiments: short-lived sets of pods and analyses over them (`argoproj.io/v1alpha1`, kind Experiment).

use object::{Condition, Map, Object, Value};
use serde::{Deserialize, Serialize};

use crate::FieldError;
use crate::analysis::{AnalysisPhase, DryRun, MeasurementRetention};
use crate::rollout::{ExperimentStepAnalysis, PodTemplateMetadata};
use crate::wire::{is_default, read_part};

/// An Experiment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Experiment {
    /// The object as it came, all parts included.
    pub object: Object,
    /// What is wanted.
    pub spec: ExperimentSpec,
    /// What is.
    pub status: ExperimentStatus,
}

impl Experiment {
    /// Returns the Experiment in `object`.
    ///
    /// Errors: [`FieldError`] naming the first field that has the wrong type.
    pub fn from_object(object: &Object) -> Result<Self, FieldError> {
        Ok(Self {
            spec: read_part(object, "spec")?,
            status: read_part(object, "status")?,
            object: object.clone(),
        })
    }
}

/// What an Experiment wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExperimentSpec {
    /// Sets of pods to start.
    pub templates: Vec<ExperimentTemplate>,
    /// Go duration; until terminated when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub duration: String,
    /// Seconds without progress after which it fails; 600 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_deadline_seconds: Option<i32>,
    /// Stop.
    #[serde(skip_serializing_if = "is_default")]
    pub terminate: bool,
    /// Analyses to run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub analyses: Vec<ExperimentStepAnalysis>,
    /// Seconds the pods stay afterwards; 30 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_down_delay_seconds: Option<i32>,
    /// Metrics whose verdict does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dry_run: Vec<DryRun>,
    /// How many measurements to keep.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Labels and annotations of the runs.
    #[serde(skip_serializing_if = "is_default")]
    pub analysis_run_metadata: PodTemplateMetadata,
}

/// A set of pods of an Experiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExperimentTemplate {
    /// Name, unique in the Experiment.
    pub name: String,
    /// Number of pods; 1 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Seconds a pod must be ready to count as available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ready_seconds: Option<i32>,
    /// Labels of the pods; a LabelSelector, kept as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<Value>,
    /// Pod template, kept as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Value>,
    /// Service to make for the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<TemplateService>,
}

/// Service to make for a set of pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateService {
    /// Its name; that of the ReplicaSet when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// What an Experiment is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExperimentStatus {
    /// Verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<AnalysisPhase>,
    /// Why that verdict.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// RFC 3339 time at which all sets first ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_at: Option<String>,
    /// State by set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub template_statuses: Vec<TemplateStatus>,
    /// State by analysis.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub analysis_runs: Vec<ExperimentAnalysisRun>,
    /// Conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// State of one set of pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateStatus {
    /// Name of the set.
    pub name: String,
    /// Number of pods.
    pub replicas: i32,
    /// Number of pods of this template.
    pub updated_replicas: i32,
    /// Number of ready pods.
    pub ready_replicas: i32,
    /// Number of available pods.
    pub available_replicas: i32,
    /// How often a hash had to be changed because its name was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collision_count: Option<i32>,
    /// `Progressing`, `Running`, `Successful`, `Failed` or `Error`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// RFC 3339 time of the last change of `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
    /// Name of the Service that was made.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service_name: String,
    /// Hash of the template.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pod_template_hash: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// State of one analysis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExperimentAnalysisRun {
    /// Name of the analysis.
    pub name: String,
    /// Name of its run.
    pub analysis_run: String,
    /// Verdict; absent until the run is seen by its controller. The field is always there, empty for none.
    #[serde(with = "phase_or_empty")]
    pub phase: Option<AnalysisPhase>,
    /// Why that verdict.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A phase whose absence is the empty text.
mod phase_or_empty {
    use serde::de::{Deserialize, Deserializer, IntoDeserializer as _};
    use serde::{Serialize as _, Serializer};

    use crate::analysis::AnalysisPhase;

    #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(phase: &Option<AnalysisPhase>, to: S) -> Result<S::Ok, S::Error> {
        match phase {
            Some(phase) => phase.serialize(to),
            None => to.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Option<AnalysisPhase>, D::Error> {
        let text = String::deserialize(from)?;
        if text.is_empty() {
            Ok(None)
        } else {
            AnalysisPhase::deserialize(text.into_deserializer()).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn a_run_that_is_not_seen_yet_has_an_empty_phase() {
        let value = json!({"name": "a", "analysisRun": "e-a", "phase": ""});
        let run: ExperimentAnalysisRun = crate::read(&value, "run").unwrap();
        assert_eq!(run.phase, None);
        assert_eq!(crate::write(&run), value);
        let run: ExperimentAnalysisRun = crate::read(&json!({"phase": "Failed"}), "run").unwrap();
        assert_eq!(run.phase, Some(AnalysisPhase::Failed));
        assert!(crate::read::<ExperimentAnalysisRun>(&json!({"phase": "Odd"}), "run").is_err());
    }
}
