//! AnalysisTemplate, ClusterAnalysisTemplate and AnalysisRun.

mod metric;
mod provider;
mod status;

use super::definition::{Definition, Scope, Subresources};
use super::schema::{Schema, boolean, field, int32, list, object, open, required, string};
use super::{AGE, PHASE};

pub(super) fn analysis_template() -> Definition {
    Definition {
        kind: "AnalysisTemplate",
        plural: "analysistemplates",
        short: &["at"],
        scope: Scope::Namespaced,
        subresources: Subresources::None,
        columns: &[AGE],
        description: "Metrics to measure and what counts as good, used by Rollouts and Experiments.",
        schema: object(&[required("spec", template_spec(), "What to measure.")]),
    }
}

pub(super) fn cluster_analysis_template() -> Definition {
    Definition {
        kind: "ClusterAnalysisTemplate",
        plural: "clusteranalysistemplates",
        short: &["cat"],
        scope: Scope::Cluster,
        description: "An AnalysisTemplate for all namespaces.",
        ..analysis_template()
    }
}

pub(super) fn analysis_run() -> Definition {
    Definition {
        kind: "AnalysisRun",
        plural: "analysisruns",
        short: &["ar"],
        scope: Scope::Namespaced,
        subresources: Subresources::None,
        columns: &[PHASE, AGE],
        description: "One run of an analysis, its measurements and its verdict.",
        schema: object(&[
            required("spec", run_spec(), "What to measure."),
            field("status", status::status().open_throughout(), "What was measured."),
        ]),
    }
}

fn template_spec() -> Schema {
    let reference = object(&[
        field("templateName", string(), "Its name."),
        field("clusterScope", boolean(), "Whether it is a ClusterAnalysisTemplate."),
    ]);
    open(&[
        field("metrics", list(metric::metric()), "What to measure."),
        field("args", list(argument()), "Arguments; one without a value must be given by the user."),
        field("dryRun", dry_run(), "Metrics whose verdict does not count."),
        field("measurementRetention", retention(), "How many measurements to keep."),
        field("templates", list(reference), "Templates whose metrics are joined."),
    ])
}

fn run_spec() -> Schema {
    let ttl = object(&[
        field("secondsAfterCompletion", int32(), "After any end."),
        field("secondsAfterFailure", int32(), "After a failure."),
        field("secondsAfterSuccess", int32(), "After a success."),
    ]);
    open(&[
        required("metrics", list(metric::metric()), "What to measure."),
        field("args", list(argument()), "Values of the arguments."),
        field("dryRun", dry_run(), "Metrics whose verdict does not count."),
        field("measurementRetention", retention(), "How many measurements to keep."),
        field("terminate", boolean(), "Stop."),
        field("ttlStrategy", ttl, "When a finished run deletes itself."),
    ])
}

/// An argument of a template, a run or an Experiment's analysis.
pub(super) fn argument() -> Schema {
    let secret =
        object(&[required("name", string(), "Name of the Secret."), required("key", string(), "Key in it.")]);
    let from = object(&[
        field("secretKeyRef", secret, "A key of a Secret in this namespace."),
        field("fieldRef", field_reference(), "A field of the object."),
    ]);
    object(&[
        required("name", string(), "Name, used as {{args.name}}."),
        field("value", string(), "Value."),
        field("valueFrom", from, "Where the value comes from."),
    ])
}

/// The value of an argument, given by a Rollout.
pub(super) fn for_rollout() -> Schema {
    let from = object(&[
        field("podTemplateHashValue", string(), "Hash of the pods: Stable or Latest."),
        field("fieldRef", field_reference(), "A field of the Rollout."),
    ]);
    object(&[
        required("name", string(), "Name of the template's argument."),
        field("value", string(), "Value."),
        field("valueFrom", from, "Where the value comes from."),
    ])
}

fn field_reference() -> Schema {
    object(&[required("fieldPath", string(), "Path, e.g. metadata.labels['app'].")])
}

/// Metrics whose verdict does not count.
pub(super) fn dry_run() -> Schema {
    list(object(&[required("metricName", string(), "Regular expression over names of metrics.")]))
}

/// How many measurements to keep.
pub(super) fn retention() -> Schema {
    list(object(&[
        required("metricName", string(), "Regular expression over names of metrics."),
        required("limit", int32(), "Number of measurements."),
    ]))
}
