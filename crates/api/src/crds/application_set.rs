//! ApplicationSet.

mod generator;
mod provider;

use super::application;
use super::definition::{Definition, Scope, Subresources};
use super::schema::{
    Schema, boolean, field, int_or_string, int64, labels, list, object, one_of, open, required, string,
    strings, time,
};

pub(super) fn application_set() -> Definition {
    Definition {
        kind: "ApplicationSet",
        plural: "applicationsets",
        short: &["appset", "appsets"],
        scope: Scope::Namespaced,
        subresources: Subresources::Status,
        columns: &[],
        description: "A template of Applications and what to fill it with.",
        schema: object(&[
            required("spec", spec(), "What is wanted."),
            field("status", status().open_throughout(), "What is."),
        ]),
    }
}

fn spec() -> Schema {
    let ignored = object(&[
        field("name", string(), "Name of the Application; any when absent."),
        field("jsonPointers", strings(), "RFC 6901 pointers to fields."),
        field("jqPathExpressions", strings(), "jq paths to fields."),
    ]);
    let preserved = object(&[
        field("annotations", strings(), "Keys of annotations."),
        field("labels", strings(), "Keys of labels."),
    ]);
    open(&[
        required("generators", list(generator::generator()), "What to fill the template with."),
        required("template", template(), "The Application to make of each parameter set."),
        field("templatePatch", string(), "Template of a strategic merge patch of the Application."),
        field("goTemplate", boolean(), "Whether templates are Go templates; else {{key}} is replaced."),
        field("goTemplateOptions", strings(), "Options such as missingkey=error."),
        field("syncPolicy", sync_policy(), "What may be done to Applications."),
        field("strategy", strategy(), "In what order Applications are synced and deleted."),
        field("preservedFields", preserved, "Metadata of Applications that is left alone."),
        field("ignoreApplicationDifferences", list(ignored), "Fields of Applications that are left alone."),
        field("applyNestedSelectors", boolean(), "Not used: always true."),
    ])
}

fn template() -> Schema {
    let metadata = object(&[
        field("name", string(), "Name."),
        field("namespace", string(), "Namespace; that of the ApplicationSet when absent."),
        field("labels", labels(), "Labels."),
        field("annotations", labels(), "Annotations."),
        field("finalizers", strings(), "Finalizers."),
    ]);
    object(&[
        required("metadata", metadata, "Name and the like of the Application."),
        required("spec", application::spec(), "spec of the Application."),
    ])
}

fn sync_policy() -> Schema {
    let allowed = one_of(&["create-only", "create-update", "create-delete", "sync"]);
    object(&[
        field("applicationsSync", allowed, "What may be done to Applications; sync (all) when absent."),
        field("preserveResourcesOnDeletion", boolean(), "Keep what a deleted Application has deployed."),
    ])
}

fn strategy() -> Schema {
    let expression = object(&[
        field("key", string(), "Label of the Application."),
        field("operator", string(), "In or NotIn."),
        field("values", strings(), "Values."),
    ]);
    let step = object(&[
        field("matchExpressions", list(expression), "Which Applications."),
        field("maxUpdate", int_or_string(), "How many at a time; all when absent."),
    ]);
    let rolling = object(&[field("steps", list(step), "Steps, in order.")]);
    object(&[
        field("type", string(), "AllAtOnce or RollingSync."),
        field("rollingSync", rolling, "Groups that are synced one after the other."),
        field("deletionOrder", string(), "AllAtOnce or Reverse."),
    ])
}

fn status() -> Schema {
    let condition = object(&[
        required("type", string(), "Kind, e.g. ErrorOccurred."),
        required("status", string(), "True, False or Unknown."),
        required("reason", string(), "Why, in one word."),
        required("message", string(), "Why, for people."),
        field("lastTransitionTime", time(), "Since when."),
    ]);
    let step = object(&[
        required("application", string(), "Name of the Application."),
        required("status", string(), "Waiting, Pending, Progressing or Healthy."),
        required("message", string(), "Why."),
        required("step", string(), "Number of the step."),
        required("targetRevisions", strings(), "Revisions to reach."),
        field("lastTransitionTime", time(), "Since when."),
    ]);
    object(&[
        field("conditions", list(condition), "What people should know."),
        field("applicationStatus", list(step), "Where each Application is in a RollingSync."),
        field("resources", list(application::resource()), "The Applications."),
        field("resourcesCount", int64(), "Number of Applications."),
        field("health", application::health(), "Whether they work."),
    ])
}
