//! Application.

mod operation;
mod source;
mod status;

use super::column;
use super::definition::{Column, Definition, Scope, Subresources};
use super::pod::template_metadata;
use super::schema::{
    Field, Schema, anything, boolean, field, int64, list, object, open, required, string, strings,
};

pub(super) use status::{health, resource};

const COLUMNS: &[Column] = &[
    column("Sync Status", "string", ".status.sync.status", ""),
    column("Health Status", "string", ".status.health.status", ""),
    Column { priority: 10, ..column("Revision", "string", ".status.sync.revision", "") },
    Column { priority: 10, ..column("Project", "string", ".spec.project", "") },
];

pub(super) fn application() -> Definition {
    Definition {
        kind: "Application",
        plural: "applications",
        short: &["app", "apps"],
        scope: Scope::Namespaced,
        subresources: Subresources::None,
        columns: COLUMNS,
        description: "Objects in a source, kept in a cluster.",
        schema: object(&[
            required("spec", spec(), "What is wanted."),
            field(
                "operation",
                operation::operation().open_throughout(),
                "A sync to run now; removed when it has ended.",
            ),
            field("status", status::status().open_throughout(), "What is."),
        ]),
    }
}

/// `spec` of an Application, as an ApplicationSet also has it.
pub(super) fn spec() -> Schema {
    open(&[
        required("destination", destination(), "Where to deploy to."),
        required("project", string(), "Name of the AppProject; empty means default."),
        field("source", source::source(), "The one source; not used when sources is set."),
        field("sources", list(source::source()), "Several sources."),
        field("sourceHydrator", source_hydrator(), "Render into a branch and deploy from there."),
        field("syncPolicy", sync_policy(), "How and when to sync."),
        field("ignoreDifferences", ignore_differences(), "Differences that do not count."),
        field("info", info(), "Facts shown to people."),
        field("revisionHistoryLimit", int64(), "History entries to keep; 10 when absent."),
    ])
}

fn destination() -> Schema {
    object(&[
        field("server", string(), "URL of the cluster's API."),
        field("name", string(), "Name of the cluster, instead of server."),
        field("namespace", string(), "Namespace of objects that name none."),
    ])
}

fn source_hydrator() -> Schema {
    let dry = source::rendering().and(&[
        required("repoURL", string(), "URL of the repository."),
        required("targetRevision", string(), "Branch, tag or commit."),
        required("path", string(), "Directory in the repository."),
    ]);
    let path = string().with("minLength", 1).with("pattern", r"^.{2,}|[^./]$");
    let synced = object(&[
        required("targetBranch", string(), "Branch with the rendered manifests."),
        required("path", path, "Directory in that branch; not its root."),
        field("repoURL", string(), "URL of the repository; that of drySource when absent."),
    ]);
    let staging = object(&[required("targetBranch", string(), "Name of the branch.")]);
    object(&[
        required("drySource", dry, "What to render."),
        required("syncSource", synced, "What to deploy."),
        field("hydrateTo", staging, "Branch to write to first; syncSource's when absent."),
    ])
}

fn sync_policy() -> Schema {
    let automated = object(&[
        field("enabled", boolean(), "False switches the policy off."),
        field("prune", boolean(), "Delete what is no longer in the source."),
        field("selfHeal", boolean(), "Undo changes made in the cluster."),
        field("allowEmpty", boolean(), "Allow a sync that leaves nothing."),
    ]);
    object(&[
        field("automated", automated, "Sync by itself; {} means on."),
        field("syncOptions", strings(), "Options such as CreateNamespace=true."),
        retry(),
        field(
            "managedNamespaceMetadata",
            template_metadata(),
            "Labels and annotations of the namespace that CreateNamespace=true makes.",
        ),
    ])
}

fn retry() -> Field {
    let backoff = object(&[
        field("duration", string(), "First wait, e.g. 5s or seconds."),
        field("factor", int64(), "Growth per attempt; 2 when absent."),
        field("maxDuration", string(), "Longest wait, e.g. 3m."),
    ]);
    let retry = object(&[
        field("limit", int64(), "How often to try again; negative means without end."),
        field("backoff", backoff, "How long to wait."),
        field("refresh", boolean(), "Resolve the revision again before each attempt."),
    ]);
    field("retry", retry, "What to do when a sync fails.")
}

fn ignore_differences() -> Schema {
    list(object(&[
        required("kind", string(), "Kind, a glob."),
        field("group", string(), "Group, a glob."),
        field("name", string(), "Name; empty means any."),
        field("namespace", string(), "Namespace; empty means any."),
        field("jsonPointers", strings(), "RFC 6901 pointers to fields."),
        field("jqPathExpressions", strings(), "jq paths to fields."),
        field("managedFieldsManagers", strings(), "Managers whose fields are ignored."),
    ]))
}

fn info() -> Schema {
    list(object(&[
        required("name", string(), "Name."),
        required("value", string(), "Value; a URL becomes a link."),
    ]))
}

/// A copy of `spec.source`, kept as it came.
fn source_copy(name: &'static str) -> Field {
    field(name, anything(), "Fields as of spec.source.")
}

/// A copy of `spec.sources`, kept as it came.
fn source_copies(name: &'static str) -> Field {
    field(name, list(anything()), "Fields as of spec.source.")
}
