//! `status` of an Application.

use super::operation::{initiator, operation};
use super::{destination, ignore_differences, source_copies, source_copy};
use crate::crds::pod::template_metadata;
use crate::crds::schema::{
    Schema, anything, boolean, field, int64, list, object, one_of, required, string, strings, time,
};

pub(super) fn status() -> Schema {
    let condition = object(&[
        required("type", string(), "Kind, e.g. SyncError or OrphanedResourceWarning."),
        required("message", string(), "Why."),
        field("lastTransitionTime", time(), "Since when."),
    ]);
    let summary = object(&[
        field("externalURLs", strings(), "URLs of Ingresses and Services."),
        field("images", strings(), "Images of containers."),
        field("isAppOfApps", boolean(), "Whether it deploys Applications."),
    ]);
    object(&[
        field("sync", sync(), "Whether the cluster has what the source says."),
        field("health", health(), "Whether what the cluster has works."),
        field("resources", list(resource()), "One entry a resource."),
        field(
            "resourceHealthSource",
            string(),
            "Where health of resources is kept: empty (here) or appTree.",
        ),
        field("history", list(history()), "Successful syncs, oldest first."),
        field("operationState", operation_state(), "The last or current operation."),
        field("conditions", list(condition), "What people should know."),
        field("summary", summary, "Images and URLs."),
        field("sourceType", string(), "Helm, Kustomize, Directory or Plugin."),
        field("sourceTypes", strings(), "Types of several sources."),
        field("reconciledAt", time(), "When source and cluster were last compared."),
        field("observedAt", time(), "Not used."),
        field("controllerNamespace", string(), "Namespace of the controller that wrote this."),
        field("sourceHydrator", hydrator(), "Of rendering into a branch."),
    ])
}

fn sync() -> Schema {
    let compared = object(&[
        required("destination", destination(), "Where to."),
        source_copy("source"),
        source_copies("sources"),
        field("ignoreDifferences", ignore_differences(), "Differences that did not count."),
    ]);
    object(&[
        required("status", string(), "Synced, OutOfSync or Unknown."),
        field("revision", string(), "Resolved revision."),
        field("revisions", strings(), "Resolved revisions of several sources."),
        field("comparedTo", compared, "What was compared."),
    ])
}

/// Health of an object, as an ApplicationSet also has it.
pub(in crate::crds) fn health() -> Schema {
    object(&[
        field("status", string(), "Healthy, Suspended, Progressing, Missing, Degraded or Unknown."),
        field("message", string(), "Why."),
        field("lastTransitionTime", time(), "When it last changed."),
    ])
}

/// State of a resource, as an ApplicationSet also has it.
pub(in crate::crds) fn resource() -> Schema {
    object(&[
        field("group", string(), "Group."),
        field("version", string(), "Version."),
        field("kind", string(), "Kind."),
        field("namespace", string(), "Namespace."),
        field("name", string(), "Name."),
        field("status", string(), "Synced, OutOfSync or Unknown."),
        field("health", health(), "Whether it works."),
        field("hook", boolean(), "Whether it is a hook."),
        field("requiresPruning", boolean(), "Whether it is no longer in the source."),
        field("requiresDeletionConfirmation", boolean(), "Whether its deletion must be confirmed."),
        field("syncWave", int64(), "Wave it is applied in."),
    ])
}

fn history() -> Schema {
    object(&[
        required("id", int64(), "Number, one more than the entry before."),
        required("deployedAt", time(), "When it ended."),
        field("deployStartedAt", time(), "When it began."),
        field("revision", string(), "Resolved revision."),
        field("revisions", strings(), "Resolved revisions of several sources."),
        source_copy("source"),
        source_copies("sources"),
        initiator(),
    ])
}

fn operation_state() -> Schema {
    let result = object(&[
        required("revision", string(), "Resolved revision."),
        field("revisions", strings(), "Resolved revisions of several sources."),
        source_copy("source"),
        source_copies("sources"),
        field("resources", list(resource_result()), "What became of each resource."),
        field("managedNamespaceMetadata", template_metadata(), "Metadata given to the namespace."),
    ]);
    object(&[
        required("operation", operation(), "The operation as it was asked for."),
        required("phase", string(), "Running, Terminating, Failed, Error or Succeeded."),
        required("startedAt", time(), "When it began."),
        field("finishedAt", time(), "When it, or its last attempt, ended."),
        field("message", string(), "Why that phase."),
        field("retryCount", int64(), "How often it was tried again."),
        field("syncResult", result, "What was synced."),
    ])
}

fn resource_result() -> Schema {
    object(&[
        required("group", string(), "Group."),
        required("version", string(), "Version."),
        required("kind", string(), "Kind."),
        required("namespace", string(), "Namespace."),
        required("name", string(), "Name."),
        field("status", string(), "Synced, SyncFailed, Pruned or PruneSkipped."),
        field("message", string(), "Why."),
        field("hookType", string(), "PreSync, Sync, PostSync or SyncFail, of a hook."),
        field("hookPhase", string(), "Phase of the resource or hook."),
        field("syncPhase", string(), "Phase of the sync it belongs to."),
        field("images", strings(), "Images of its containers."),
    ])
}

fn hydrator() -> Schema {
    let copy = || field("sourceHydrator", anything(), "Fields as of spec.sourceHydrator.");
    let shas = || {
        object(&[
            field("drySHA", string(), "Commit that was rendered."),
            field("hydratedSHA", string(), "Commit with the rendered manifests."),
            copy(),
        ])
    };
    let current = shas().and(&[
        required("phase", one_of(&["Hydrating", "Failed", "Hydrated"]), "Phase."),
        required("message", string(), "Why that phase."),
        field("startedAt", time(), "When it began."),
        field("finishedAt", time(), "When it ended."),
    ]);
    object(&[
        field("currentOperation", current, "The last or current rendering."),
        field("lastSuccessfulOperation", shas(), "The last successful rendering."),
        field("lastComparedDryRevision", string(), "Commit that was last looked at."),
    ])
}
