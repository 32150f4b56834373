//! Analysis: AnalysisTemplate, ClusterAnalysisTemplate and AnalysisRun (`argoproj.io/v1alpha1`).

mod metric;
mod status;

use object::Object;
use serde::{Deserialize, Serialize};

use crate::wire::is_default;
use crate::wire::read_part;
use crate::{FieldError, write};

pub use metric::{Metric, Provider, WebHeader, WebMetric};
pub use status::{AnalysisPhase, AnalysisRunStatus, Measurement, MetricResult, RunSummary, TtlStrategy};

/// Names a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateRef {
    /// Its name.
    pub template_name: String,
    /// Whether it is a ClusterAnalysisTemplate.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_scope: bool,
}

/// A named value. In a template without a value it is required.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Argument {
    /// Name, used as `{{args.name}}`.
    pub name: String,
    /// Value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where the value comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ValueFrom>,
}

/// Where the value of an argument comes from; exactly one field is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ValueFrom {
    /// A key of a Secret (templates and runs only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
    /// `Stable` or `Latest` (Rollouts only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_template_hash_value: Option<PodTemplateHashValue>,
    /// A field of the Rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_ref: Option<FieldRef>,
}

/// A key of a Secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    pub name: String,
    /// Key in it.
    pub key: String,
}

/// Which ReplicaSet's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PodTemplateHashValue {
    /// Of the stable ReplicaSet.
    Stable,
    /// Of the new ReplicaSet.
    Latest,
}

/// A field of the Rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FieldRef {
    /// Path, e.g. `metadata.labels['app']` or `status.stableRS`.
    pub field_path: String,
}

/// Metrics whose verdict does not count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DryRun {
    /// Regular expression over metric names.
    pub metric_name: String,
}

/// How many measurements to keep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MeasurementRetention {
    /// Regular expression over metric names.
    pub metric_name: String,
    /// Number of measurements.
    pub limit: i32,
}

/// `spec` of AnalysisTemplate and ClusterAnalysisTemplate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisTemplateSpec {
    /// What to measure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// Arguments and their defaults.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Argument>,
    /// Metrics whose verdict does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dry_run: Vec<DryRun>,
    /// How many measurements to keep.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Templates to join.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<TemplateRef>,
}

/// An AnalysisTemplate or ClusterAnalysisTemplate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnalysisTemplate {
    /// The object as it came.
    pub object: Object,
    /// What to measure.
    pub spec: AnalysisTemplateSpec,
}

impl AnalysisTemplate {
    /// Returns the template in `object`, of either kind.
    ///
    /// Errors: [`FieldError`] naming the first field that has the wrong type.
    pub fn from_object(object: &Object) -> Result<Self, FieldError> {
        Ok(Self { spec: read_part(object, "spec")?, object: object.clone() })
    }

    /// Returns how a Rollout names this template.
    pub fn reference(&self) -> TemplateRef {
        TemplateRef {
            template_name: self.object.name().to_owned(),
            cluster_scope: self.object.kind() == "ClusterAnalysisTemplate",
        }
    }
}

/// `spec` of an AnalysisRun.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisRunSpec {
    /// What to measure.
    pub metrics: Vec<Metric>,
    /// Values of the arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Argument>,
    /// Stop.
    #[serde(skip_serializing_if = "is_default")]
    pub terminate: bool,
    /// Metrics whose verdict does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dry_run: Vec<DryRun>,
    /// How many measurements to keep.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measurement_retention: Vec<MeasurementRetention>,
    /// When a finished run deletes itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_strategy: Option<TtlStrategy>,
}

/// An AnalysisRun.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnalysisRun {
    /// The object as it came, all parts included.
    pub object: Object,
    /// What to measure.
    pub spec: AnalysisRunSpec,
    /// What was measured.
    pub status: AnalysisRunStatus,
}

impl AnalysisRun {
    /// Returns the AnalysisRun in `object`.
    ///
    /// Errors: [`FieldError`] naming the first field that has the wrong type.
    pub fn from_object(object: &Object) -> Result<Self, FieldError> {
        Ok(Self {
            spec: read_part(object, "spec")?,
            status: read_part(object, "status")?,
            object: object.clone(),
        })
    }

    /// Returns the object with the status written back.
    pub fn to_object(&self) -> Object {
        let mut object = self.object.clone();
        object.as_map_mut().insert("status".into(), write(&self.status));
        object
    }
}

#[cfg(test)]
mod tests;
