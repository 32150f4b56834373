//! Experiment.

use super::analysis::{argument, dry_run, retention};
use super::definition::{Definition, Scope, Subresources};
use super::pod::{pod_template, selector, template_metadata};
use super::rollout::condition;
use super::schema::{Schema, boolean, field, int32, list, object, open, required, string, time};
use super::{AGE, PHASE};

pub(super) fn experiment() -> Definition {
    Definition {
        kind: "Experiment",
        plural: "experiments",
        short: &["exp"],
        scope: Scope::Namespaced,
        subresources: Subresources::None,
        columns: &[PHASE, AGE],
        description: "Sets of pods that run beside each other for a time, and analyses of them.",
        schema: object(&[
            required("spec", spec(), "What is wanted."),
            field("status", status().open_throughout(), "What is."),
        ]),
    }
}

fn spec() -> Schema {
    let analysis = object(&[
        required("name", string(), "Name of the analysis."),
        required("templateName", string(), "Name of the AnalysisTemplate."),
        field("clusterScope", boolean(), "Whether the template is a ClusterAnalysisTemplate."),
        field("args", list(argument()), "Values of the template's arguments."),
        field("requiredForCompletion", boolean(), "Whether the Experiment waits for it."),
    ]);
    open(&[
        required("templates", list(template()), "Sets of pods to start."),
        field("duration", string(), "How long the pods run, e.g. 10m; until terminated when absent."),
        field("progressDeadlineSeconds", int32(), "Seconds without progress until failure; 600 when absent."),
        field("terminate", boolean(), "Stop."),
        field("analyses", list(analysis), "Analyses to run."),
        field("scaleDownDelaySeconds", int32(), "Seconds the pods stay afterwards; 30 when absent."),
        field("dryRun", dry_run(), "Metrics whose verdict does not count."),
        field("measurementRetention", retention(), "How many measurements to keep."),
        field("analysisRunMetadata", template_metadata(), "Labels and annotations of the AnalysisRuns."),
    ])
}

fn template() -> Schema {
    object(&[
        required("name", string(), "Name, unique in the Experiment."),
        required("selector", selector(), "Selects the pods."),
        required("template", pod_template(), "The pods."),
        field("replicas", int32(), "Number of pods; 1 when absent."),
        field("minReadySeconds", int32(), "Seconds a pod must be ready to count as available."),
        field("service", object(&[field("name", string(), "Its name.")]), "Service to make for the pods."),
    ])
}

fn status() -> Schema {
    let run = object(&[
        required("name", string(), "Name of the analysis."),
        required("analysisRun", string(), "Name of its AnalysisRun."),
        required("phase", string(), "Verdict."),
        field("message", string(), "Why that verdict."),
    ]);
    object(&[
        field("phase", string(), "Pending, Running, Successful, Failed, Error or Inconclusive."),
        field("message", string(), "Why that phase."),
        field("availableAt", time(), "When all sets were available first."),
        field("templateStatuses", list(template_status()), "State by set."),
        field("analysisRuns", list(run), "State by analysis."),
        field("conditions", list(condition()), "Conditions."),
    ])
}

fn template_status() -> Schema {
    object(&[
        required("name", string(), "Name of the set."),
        required("replicas", int32(), "Pods."),
        required("updatedReplicas", int32(), "Pods of this template."),
        required("readyReplicas", int32(), "Ready pods."),
        required("availableReplicas", int32(), "Available pods."),
        field("collisionCount", int32(), "How often a hash was changed because its name was taken."),
        field("status", string(), "Progressing, Running, Successful, Failed or Error."),
        field("message", string(), "Why that status."),
        field("lastTransitionTime", time(), "When the status last changed."),
        field("serviceName", string(), "Service that was made."),
        field("podTemplateHash", string(), "Hash of the template."),
    ])
}
