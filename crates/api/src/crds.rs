//! The CustomResourceDefinitions of our kinds, made from data.
//!
//! One file a kind says what its `spec` and `status` are made of; `definition.rs` wraps them. The schemas are
//! structural, hold every field Argo Rollouts and Argo CD know (also those not acted on yet: the controllers refuse
//! those by name), and validate nothing beyond what upstream's definitions validate: the controllers do.
//!
//! **Compact on purpose.** The API server decodes, validates and prunes by the schema on each write, so its size is a
//! cost of each write. What is not ours (pod specs, Job specs) or is a copy (a source in a status, the generators in a
//! generator) is an object of any fields. All definitions fit the annotation of a client-side `kubectl apply`.
//!
//! **Unknown fields.** A field this version does not know must survive: a newer version may have written it, and its
//! user may go back to that one. Yet a misspelt field should be told at once. So the top of `spec` (where whole features
//! are added) and every level of `operation` and `status` (which programs write) keep unknown fields; below the top of
//! `spec` they are pruned, and `kubectl` tells them (`unknown field "spec.strategy.canary.stepz"`), as with upstream's
//! definitions. A pod template's `spec` keeps all, its `metadata` only labels and annotations: both go into the hash.
//!
//! Start at [`all`].

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
