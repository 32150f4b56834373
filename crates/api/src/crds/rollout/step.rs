//! `spec.strategy.canary.steps` of a Rollout.

use super::run;
use crate::crds::analysis::{dry_run, for_rollout};
use crate::crds::pod::{selector, template_metadata};
use crate::crds::schema::{
    Schema, anything, boolean, field, int_or_string, int32, list, map, object, required, string,
};

pub(super) fn step() -> Schema {
    let pause = object(&[field(
        "duration",
        int_or_string(),
        "Seconds, or a duration such as 1h30m; until the user promotes when absent.",
    )]);
    let plugin = object(&[
        required("name", string(), "namespace/name of the plugin."),
        field("config", anything(), "What the plugin is told."),
    ]);
    object(&[
        field("setWeight", int32(), "Percentage of the traffic for the new version."),
        field("pause", pause, "Wait for a time or for the user."),
        field(
            "setCanaryScale",
            canary_scale(),
            "Scale the new pods apart from the weight; with a router only.",
        ),
        field("analysis", run(), "Run an AnalysisRun and wait for its verdict."),
        field("experiment", experiment(), "Run an Experiment and wait for its verdict."),
        field("setHeaderRoute", header_route(), "Send requests with a header to the new version."),
        field("setMirrorRoute", mirror_route(), "Copy requests to the new version."),
        field("plugin", plugin, "Run a step plugin."),
    ])
}

fn canary_scale() -> Schema {
    object(&[
        field("weight", int32(), "Percentage of replicas."),
        field("replicas", int32(), "Number of pods."),
        field("matchTrafficWeight", boolean(), "Follow the weight again."),
    ])
}

fn experiment() -> Schema {
    let analysis = object(&[
        required("name", string(), "Name of the analysis."),
        required("templateName", string(), "Name of the AnalysisTemplate."),
        field("clusterScope", boolean(), "Whether the template is a ClusterAnalysisTemplate."),
        field("args", list(for_rollout()), "Values of the template's arguments."),
        field("requiredForCompletion", boolean(), "Whether the Experiment waits for it."),
    ]);
    object(&[
        required("templates", list(experiment_template()), "Sets of pods to start."),
        field("duration", string(), "How long the pods run, e.g. 10m; until the analyses end when absent."),
        field("analyses", list(analysis), "Analyses to run."),
        field("dryRun", dry_run(), "Metrics whose verdict does not count."),
        field("analysisRunMetadata", template_metadata(), "Labels and annotations of the AnalysisRuns."),
        field("scaleDownDelaySeconds", int32(), "Seconds the pods stay afterwards."),
    ])
}

fn experiment_template() -> Schema {
    object(&[
        required("name", string(), "Name of the set."),
        required("specRef", string(), "Whose pod template: stable or canary."),
        field("replicas", int32(), "Number of pods; 1 when absent."),
        field("metadata", template_metadata(), "Labels and annotations of the pods."),
        field("selector", selector(), "Selects the pods; that of the Rollout when absent."),
        field("weight", int32(), "Percentage of the traffic; with a router only."),
        field("service", object(&[field("name", string(), "Its name.")]), "Service to make for the pods."),
    ])
}

fn header_route() -> Schema {
    let header = object(&[
        required("headerName", string(), "Name of the header."),
        required("headerValue", text_match(), "Its value."),
    ]);
    object(&[
        field("name", string(), "Name of the route, one of managedRoutes."),
        field("match", list(header), "Headers; none removes the route."),
    ])
}

fn mirror_route() -> Schema {
    let request = object(&[
        field("method", text_match(), "HTTP method."),
        field("path", text_match(), "Path of the URL."),
        field("headers", map(text_match()), "Headers by name."),
    ]);
    object(&[
        required("name", string(), "Name of the route, one of managedRoutes."),
        field("match", list(request), "Which requests; none removes the route."),
        field("percentage", int32(), "Percentage of them; 100 when absent."),
    ])
}

fn text_match() -> Schema {
    object(&[
        field("exact", string(), "The whole text."),
        field("prefix", string(), "The start of the text."),
        field("regex", string(), "A regular expression."),
    ])
}
