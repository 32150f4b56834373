//! `operation` of an Application.

use super::{info, retry, source_copies, source_copy};
use crate::crds::schema::{Field, Schema, boolean, field, int64, list, object, required, string, strings};

pub(super) fn operation() -> Schema {
    object(&[
        field("sync", sync(), "The sync."),
        initiator(),
        field("info", info(), "Facts shown to people."),
        retry(),
    ])
}

/// Who asked for it.
pub(super) fn initiator() -> Field {
    let initiator = object(&[
        field("username", string(), "Name of the user."),
        field("automated", boolean(), "Whether the controller started it by itself."),
    ]);
    field("initiatedBy", initiator, "Who asked for it.")
}

fn sync() -> Schema {
    let resource = object(&[
        field("group", string(), "Group."),
        required("kind", string(), "Kind."),
        required("name", string(), "Name."),
        field("namespace", string(), "Namespace; empty means any."),
    ]);
    let way = || object(&[field("force", boolean(), "Delete and create where an update is refused.")]);
    let strategy = object(&[
        field("apply", way(), "Apply only, no hooks."),
        field("hook", way(), "With hooks; so when absent."),
    ]);
    object(&[
        field("revision", string(), "Revision to sync to; targetRevision when absent."),
        field("revisions", strings(), "Revisions of several sources."),
        source_copy("source"),
        source_copies("sources"),
        field("prune", boolean(), "Delete what is no longer in the source."),
        field("dryRun", boolean(), "Change nothing."),
        field("syncStrategy", strategy, "How to apply."),
        field("resources", list(resource), "Only these resources; all when empty."),
        field("manifests", strings(), "Manifests to use instead of the source's."),
        field("syncOptions", strings(), "Options of this sync."),
        field("autoHealAttemptsCount", int64(), "Self-heal attempts made at this revision."),
    ])
}
