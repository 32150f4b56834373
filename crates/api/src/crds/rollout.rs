//! Rollout.

mod canary;
mod router;
mod status;
mod step;

pub(super) use status::condition;

use ::object::json;

use super::analysis::{dry_run, for_rollout, retention};
use super::definition::{Column, Definition, Scope, Subresources};
use super::pod::{pod_template, selector, template_metadata};
use super::schema::{
    Schema, boolean, field, int_or_string, int32, list, object, open, required, string, time,
};
use super::{AGE, column};

const COLUMNS: &[Column] = &[
    column("Desired", "integer", ".spec.replicas", "Wanted pods."),
    column("Current", "integer", ".status.replicas", "Pods that are not terminating."),
    column("Up-to-date", "integer", ".status.updatedReplicas", "Pods of the newest template."),
    column("Available", "integer", ".status.availableReplicas", "Pods that count as available."),
    AGE,
];

pub(super) fn rollout() -> Definition {
    Definition {
        kind: "Rollout",
        plural: "rollouts",
        short: &["ro"],
        scope: Scope::Namespaced,
        subresources: Subresources::StatusAndScale,
        columns: COLUMNS,
        description: "A Deployment whose new version arrives by a strategy: canary or blue-green.",
        schema: object(&[
            required("spec", spec(), "What is wanted."),
            field("status", status::status().open_throughout(), "What is."),
        ]),
    }
}

fn spec() -> Schema {
    let immutable = json!([{"rule": "self == oldSelf", "message": ".spec.selector is immutable"}]);
    let history = object(&[
        field("successfulRunHistoryLimit", int32(), "Successful runs to keep; 5 when absent."),
        field("unsuccessfulRunHistoryLimit", int32(), "Other finished runs to keep; 5 when absent."),
    ]);
    open(&[
        field("replicas", int32(), "Wanted number of pods; 1 when absent."),
        field(
            "selector",
            selector().with("x-kubernetes-validations", immutable),
            "Selects the pods; required unless workloadRef is set, and cannot be changed.",
        ),
        field("template", pod_template(), "The pods; must be absent when workloadRef is set."),
        field("workloadRef", workload(), "A workload whose template and selector are used instead."),
        field(
            "minReadySeconds",
            int32(),
            "Seconds a pod must be ready to count as available; 0 when absent.",
        ),
        field("strategy", strategy(), "How to get to a new template: exactly one of canary and blueGreen."),
        field("revisionHistoryLimit", int32(), "Old ReplicaSets to keep for undo; 10 when absent."),
        field("paused", boolean(), "The user's pause: nothing is rolled out while true."),
        field(
            "progressDeadlineSeconds",
            int32(),
            "Seconds without progress after which the Rollout is degraded; 600 when absent.",
        ),
        field("progressDeadlineAbort", boolean(), "Whether the deadline also aborts the update."),
        field("restartAt", time(), "Pods made before this time are replaced."),
        field("analysis", history, "How many finished AnalysisRuns and Experiments to keep."),
        field(
            "rollbackWindow",
            object(&[field("revisions", int32(), "Number of revisions.")]),
            "Going back to one of the last revisions skips the steps.",
        ),
    ])
}

fn workload() -> Schema {
    object(&[
        field("apiVersion", string(), "apps/v1 or v1."),
        field("kind", string(), "Deployment, ReplicaSet or PodTemplate."),
        field("name", string(), "Name in this namespace."),
        field("scaleDown", string(), "When to scale the workload down: never, onsuccess or progressively."),
    ])
}

fn strategy() -> Schema {
    object(&[
        field("canary", canary::canary(), "Step by step from the stable to the new pods."),
        field("blueGreen", blue_green(), "Two full sets of pods and a switch of the active service."),
    ])
}

fn blue_green() -> Schema {
    object(&[
        required("activeService", string(), "Service that carries the users' traffic."),
        field("previewService", string(), "Service that reaches the new pods before the switch."),
        field("previewReplicaCount", int32(), "New pods before the switch; all when absent."),
        field("autoPromotionEnabled", boolean(), "Whether the switch happens by itself; true when absent."),
        field("autoPromotionSeconds", int32(), "Seconds to wait before the switch; 0 when absent."),
        field("maxUnavailable", int_or_string(), "Pods that may be missing in a restart; 25% when absent."),
        field(
            "scaleDownDelaySeconds",
            int32(),
            "Seconds the old pods stay after the switch; 30 when absent.",
        ),
        field(
            "scaleDownDelayRevisionLimit",
            int32(),
            "Old ReplicaSets that may stay; any number when absent.",
        ),
        field("prePromotionAnalysis", run(), "Analysis that must succeed before the switch."),
        field("postPromotionAnalysis", run(), "Analysis after the switch; its failure switches back."),
        field("antiAffinity", anti_affinity(), "Keeps old and new pods on different nodes."),
        field("previewMetadata", template_metadata(), "Labels and annotations of preview pods."),
        field("activeMetadata", template_metadata(), "Labels and annotations of active pods."),
        field(
            "abortScaleDownDelaySeconds",
            int32(),
            "Seconds the preview pods stay after an abort; 30 when absent, 0 for ever.",
        ),
    ])
}

/// Exactly one of two ways to keep pods apart.
fn anti_affinity() -> Schema {
    object(&[
        field(
            "preferredDuringSchedulingIgnoredDuringExecution",
            object(&[required("weight", int32(), "1 to 100.")]),
            "With a weight.",
        ),
        field("requiredDuringSchedulingIgnoredDuringExecution", object(&[]), "Strictly."),
    ])
}

/// What AnalysisRun to make.
fn run() -> Schema {
    let template = object(&[
        field("templateName", string(), "Its name."),
        field("clusterScope", boolean(), "Whether it is a ClusterAnalysisTemplate."),
    ]);
    object(&[
        field("templates", list(template), "AnalysisTemplates whose metrics are joined."),
        field("args", list(for_rollout()), "Values of the templates' arguments."),
        field("dryRun", dry_run(), "Metrics whose verdict does not count."),
        field("measurementRetention", retention(), "How many measurements to keep."),
        field("analysisRunMetadata", template_metadata(), "Labels and annotations of the AnalysisRun."),
    ])
}
