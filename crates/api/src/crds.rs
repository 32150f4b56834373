//! The CustomResourceDefinitions of our kinds, made from data.
//!
//! One file a kind says what its `spec` and `status` are made of; [`definition`] wraps them. The schemas are
//! structural, hold every field Argo Rollouts and Argo CD know (also those not acted on yet: the controllers refuse
//! those by name), and validate nothing beyond what upstream's definitions validate: the controllers do.
//!
//! **Compact on purpose.** The API server converts, validates and prunes by the schema on each write, so its size is
//! a cost of each write. What belongs to others (pod templates, Job specs, copies of a source in a status) is an
//! object of any fields.
//!
//! **Unknown fields.** A field this version does not know must survive (a newer version may have written it, and its
//! user may come back to it), yet a misspelt field should be told at once. So: the top of `spec` and `operation`, and
//! every level of `status`, keep unknown fields; below the top of a `spec` they are pruned and told by
//! `kubectl` (`unknown field "spec.strategy.canary.stepz"`), as with upstream's definitions.

mod analysis;
mod app_project;
mod application;
mod application_set;
mod definition;
mod experiment;
mod pod;
mod rollout;
mod schema;

use object::Object;

use definition::{Column, Definition};

/// Returns the CustomResourceDefinitions of all our kinds.
pub fn all() -> Vec<Object> {
    definitions().iter().map(Definition::to_object).collect()
}

fn definitions() -> [Definition; 8] {
    [
        rollout::rollout(),
        analysis::analysis_template(),
        analysis::cluster_analysis_template(),
        analysis::analysis_run(),
        experiment::experiment(),
        application::application(),
        app_project::app_project(),
        application_set::application_set(),
    ]
}

const AGE: Column = column("Age", "date", ".metadata.creationTimestamp", "Time since the object was made.");
const PHASE: Column = column("Status", "string", ".status.phase", "Phase.");

const fn column(
    name: &'static str,
    kind: &'static str,
    path: &'static str,
    description: &'static str,
) -> Column {
    Column { name, kind, path, description, priority: 0 }
}
