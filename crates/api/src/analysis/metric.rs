//! Metrics and where they are measured.

use object::{Map, Value};
use serde::{Deserialize, Serialize};

use crate::IntOrString;
use crate::wire::is_default;

/// What to measure, how often, and what counts as good.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metric {
    /// Name, unique in its run.
    pub name: String,
    /// Go duration between measurements; one measurement when absent and `count` is absent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub interval: String,
    /// Go duration before the first measurement.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub initial_delay: String,
    /// Number of measurements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<IntOrString>,
    /// Condition (expr) of a successful measurement.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub success_condition: String,
    /// Condition (expr) of a failed measurement.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub failure_condition: String,
    /// Failed measurements that are tolerated; 0 when absent, -1 for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_limit: Option<IntOrString>,
    /// Inconclusive measurements that are tolerated; 0 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inconclusive_limit: Option<IntOrString>,
    /// Errors in a row that are tolerated; 4 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_error_limit: Option<IntOrString>,
    /// Successes in a row that make the metric successful; off when 0 or absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_success_limit: Option<IntOrString>,
    /// Where it is measured.
    pub provider: Provider,
}

/// Where a metric is measured; exactly one field is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Provider {
    /// An HTTP request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web: Option<WebMetric>,
    /// Other providers by name, as they came: `prometheus`, `kayenta`, `datadog`, `wavefront`, `newRelic`, `job`,
    /// `cloudWatch`, `graphite`, `influxdb`, `skywalking`, `plugin`.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An HTTP request and where in its answer the result is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebMetric {
    /// `GET` when empty, `POST` or `PUT`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// URL.
    pub url: String,
    /// Headers of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<WebHeader>,
    /// Body of the request.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Seconds until the request is given up; 10 when 0.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout_seconds: i64,
    /// JSONPath of the result; the whole answer when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub json_path: String,
    /// Whether the server's certificate is not verified.
    #[serde(skip_serializing_if = "is_default")]
    pub insecure: bool,
    /// JSON body of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_body: Option<Value>,
    /// Fields this version does not act on, e.g. `authentication`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A header of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebHeader {
    /// Name.
    pub key: String,
    /// Value.
    pub value: String,
}
