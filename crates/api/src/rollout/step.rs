//! `spec.strategy.canary.steps`.
//!
//! The order of the fields and what is left out when empty are those of upstream's Go types: the step hash is taken
//! over the bytes these types serialise to.

use std::collections::BTreeMap;

use object::Value;
use serde::{Deserialize, Serialize};

use super::PodTemplateMetadata;
use crate::IntOrString;
use crate::analysis::{Argument, DryRun, MeasurementRetention, TemplateRef};
use crate::wire::is_default;

/// One step; exactly one field is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryStep {
    /// Share of the new version, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_weight: Option<i32>,
    /// Wait, for a time or for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseStep>,
    /// Run an Experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<ExperimentStep>,
    /// Run an AnalysisRun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<RolloutAnalysis>,
    /// Scale the new pods apart from the weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_canary_scale: Option<SetCanaryScale>,
    /// Send requests with a header to the new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_header_route: Option<SetHeaderRoute>,
    /// Copy requests to the new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_mirror_route: Option<SetMirrorRoute>,
    /// Run a step plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginStep>,
}

/// Wait, for a time or for the user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PauseStep {
    /// Seconds, or a Go duration; until the user resumes when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<IntOrString>,
}

/// What AnalysisRun to make.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RolloutAnalysis {
    /// Templates to join.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<TemplateRef>,
    /// Values of the templates' arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Argument>,
    /// Metrics whose verdict does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dry_run: Vec<DryRun>,
    /// How many measurements to keep.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Labels and annotations of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis_run_metadata: Option<PodTemplateMetadata>,
}

/// Run an Experiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExperimentStep {
    /// Sets of pods to start.
    pub templates: Vec<ExperimentStepTemplate>,
    /// Go duration.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub duration: String,
    /// Analyses to run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub analyses: Vec<ExperimentStepAnalysis>,
    /// Metrics whose verdict does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dry_run: Vec<DryRun>,
    /// Labels and annotations of the runs.
    pub analysis_run_metadata: PodTemplateMetadata,
    /// Seconds the pods stay afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_down_delay_seconds: Option<i32>,
}

/// One set of pods of an Experiment step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExperimentStepTemplate {
    /// Name of the set.
    pub name: String,
    /// `stable` or `canary`.
    pub spec_ref: String,
    /// Number of pods; 1 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Labels and annotations of the pods.
    pub metadata: PodTemplateMetadata,
    /// Selector of the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<Value>,
    /// Share of the traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i32>,
    /// Service to make for the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Value>,
}

/// One analysis of an Experiment step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExperimentStepAnalysis {
    /// Name of the analysis.
    pub name: String,
    /// Name of the template.
    pub template_name: String,
    /// Whether the template is a ClusterAnalysisTemplate.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_scope: bool,
    /// Values of the template's arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Argument>,
    /// Whether the Experiment waits for it.
    #[serde(skip_serializing_if = "is_default")]
    pub required_for_completion: bool,
}

/// Scale the new pods apart from the weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SetCanaryScale {
    /// Percentage of `replicas`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i32>,
    /// Number of pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Follow the weight again.
    #[serde(skip_serializing_if = "is_default")]
    pub match_traffic_weight: bool,
}

/// Send requests with a header to the new version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SetHeaderRoute {
    /// Name of the managed route.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Headers; none removes the route.
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<HeaderMatch>,
}

/// A header and its value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderMatch {
    /// Name of the header.
    pub header_name: String,
    /// Its value.
    pub header_value: Option<StringMatch>,
}

/// Exactly one of the three.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StringMatch {
    /// The whole text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub exact: String,
    /// The start of the text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// A regular expression.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub regex: String,
}

/// Copy requests to the new version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SetMirrorRoute {
    /// Name of the managed route.
    pub name: String,
    /// Which requests; none removes the route.
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<RouteMatch>,
    /// Percentage of them; 100 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<i32>,
}

/// Which requests a mirror copies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteMatch {
    /// HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<StringMatch>,
    /// Path of the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<StringMatch>,
    /// Headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, StringMatch>,
}

/// Run a step plugin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PluginStep {
    /// `namespace/name` of the plugin.
    pub name: String,
    /// What the plugin is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
}
