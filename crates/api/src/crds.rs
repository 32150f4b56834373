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

mod definition;
mod schema;

use ::object::Object;

use definition::{Column, Definition, Scope, Subresources};
use schema::{Schema, anything, field, object, required};

/// Returns the CustomResourceDefinitions of all our kinds.
pub fn all() -> Vec<Object> {
    definitions().iter().map(Definition::to_object).collect()
}

const AGE: Column = column("Age", "date", ".metadata.creationTimestamp", "Time since the object was made.");
const PHASE: Column = column("Status", "string", ".status.phase", "Phase.");

const ROLLOUT_COLUMNS: &[Column] = &[
    column("Desired", "integer", ".spec.replicas", "Wanted pods."),
    column("Current", "integer", ".status.replicas", "Pods that are not terminating."),
    column("Up-to-date", "integer", ".status.updatedReplicas", "Pods of the newest template."),
    column("Available", "integer", ".status.availableReplicas", "Pods that count as available."),
    AGE,
];

const APPLICATION_COLUMNS: &[Column] = &[
    column("Sync Status", "string", ".status.sync.status", ""),
    column("Health Status", "string", ".status.health.status", ""),
    Column { priority: 10, ..column("Revision", "string", ".status.sync.revision", "") },
    Column { priority: 10, ..column("Project", "string", ".spec.project", "") },
];

const fn column(
    name: &'static str,
    kind: &'static str,
    path: &'static str,
    description: &'static str,
) -> Column {
    Column { name, kind, path, description, priority: 0 }
}

fn definitions() -> Vec<Definition> {
    vec![
        rollout(),
        analysis_template(),
        cluster_analysis_template(),
        analysis_run(),
        experiment(),
        application(),
        app_project(),
        application_set(),
    ]
}

fn rollout() -> Definition {
    Definition {
        kind: "Rollout",
        plural: "rollouts",
        short: &["ro"],
        scope: Scope::Namespaced,
        subresources: Subresources::StatusAndScale,
        columns: ROLLOUT_COLUMNS,
        description: "A Deployment whose new version arrives by a strategy: canary or blue-green.",
        schema: open_spec_and_status(),
    }
}

fn analysis_template() -> Definition {
    Definition {
        kind: "AnalysisTemplate",
        plural: "analysistemplates",
        short: &["at"],
        scope: Scope::Namespaced,
        subresources: Subresources::None,
        columns: &[AGE],
        description: "Metrics to measure and what counts as good, used by Rollouts and Experiments.",
        schema: open_spec_and_status(),
    }
}

fn cluster_analysis_template() -> Definition {
    Definition {
        kind: "ClusterAnalysisTemplate",
        plural: "clusteranalysistemplates",
        short: &["cat"],
        scope: Scope::Cluster,
        description: "An AnalysisTemplate for all namespaces.",
        ..analysis_template()
    }
}

fn analysis_run() -> Definition {
    Definition {
        kind: "AnalysisRun",
        plural: "analysisruns",
        short: &["ar"],
        scope: Scope::Namespaced,
        subresources: Subresources::None,
        columns: &[PHASE, AGE],
        description: "One run of an analysis, its measurements and its verdict.",
        schema: open_spec_and_status(),
    }
}

fn experiment() -> Definition {
    Definition {
        kind: "Experiment",
        plural: "experiments",
        short: &["exp"],
        scope: Scope::Namespaced,
        subresources: Subresources::None,
        columns: &[PHASE, AGE],
        description: "Sets of pods that run beside each other for a time, and analyses of them.",
        schema: open_spec_and_status(),
    }
}

fn application() -> Definition {
    Definition {
        kind: "Application",
        plural: "applications",
        short: &["app", "apps"],
        scope: Scope::Namespaced,
        subresources: Subresources::None,
        columns: APPLICATION_COLUMNS,
        description: "Objects in a source, kept in a cluster.",
        schema: open_spec_and_status().and(&[field("operation", anything(), "A sync to run now.")]),
    }
}

fn app_project() -> Definition {
    Definition {
        kind: "AppProject",
        plural: "appprojects",
        short: &["appproj", "appprojs"],
        scope: Scope::Namespaced,
        subresources: Subresources::None,
        columns: &[],
        description: "What a group of Applications may do.",
        schema: open_spec_and_status(),
    }
}

fn application_set() -> Definition {
    Definition {
        kind: "ApplicationSet",
        plural: "applicationsets",
        short: &["appset", "appsets"],
        scope: Scope::Namespaced,
        subresources: Subresources::Status,
        columns: &[],
        description: "A template of Applications and what to fill it with.",
        schema: open_spec_and_status(),
    }
}

fn open_spec_and_status() -> Schema {
    object(&[required("spec", anything(), "What is wanted."), field("status", anything(), "What is.")])
}
