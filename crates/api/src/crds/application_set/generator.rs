//! `spec.generators` of an ApplicationSet.

use super::provider::{pull_request, scm};
use crate::crds::pod::selector;
use crate::crds::schema::{
    Field, Schema, any_value, anything, boolean, field, int64, labels, list, map, object, required, string,
    strings,
};

pub(super) fn generator() -> Schema {
    object(&[
        field("list", list_of(), "Parameters written here."),
        field("clusters", clusters(), "One set a cluster."),
        field("git", git(), "One set a directory or file of a repository."),
        field("scmProvider", scm().and(&shared()), "One set a repository of an organisation."),
        field("pullRequest", pull_request().and(&shared()), "One set an open pull request."),
        field("clusterDecisionResource", decision(), "One set a cluster that an object's status lists."),
        field("plugin", plugin(), "Parameters of a plugin."),
        field("matrix", matrix(), "All combinations of two generators."),
        field("merge", merge(), "Sets of several generators joined by keys."),
        field("selector", selector(), "Only parameter sets that match."),
    ])
}

fn template() -> Field {
    field("template", anything(), "Fields as of spec.template; they win over it.")
}

/// Fields that most generators have.
fn shared() -> [Field; 3] {
    [
        template(),
        field("values", labels(), "More parameters, used as values.name."),
        field("requeueAfterSeconds", int64(), "Seconds until it is asked again."),
    ]
}

fn list_of() -> Schema {
    object(&[
        field("elements", list(any_value()), "Parameter sets."),
        field("elementsYaml", string(), "Parameter sets as a template of YAML."),
        template(),
    ])
}

fn clusters() -> Schema {
    let [template, values, _] = shared();
    object(&[
        field("selector", selector(), "Selects Secrets of clusters; all clusters when absent."),
        field("flatList", boolean(), "One set with all clusters instead."),
        template,
        values,
    ])
}

fn git() -> Schema {
    let place = |what: &str| {
        list(object(&[
            required("path", string(), what),
            field("exclude", boolean(), "Whether to leave it out."),
        ]))
    };
    object(&[
        required("repoURL", string(), "URL of the repository."),
        required("revision", string(), "Branch, tag or commit."),
        field("directories", place("Glob of directories."), "Directories, one set each."),
        field("files", place("Glob of files."), "JSON or YAML files with parameters."),
        field("pathParamPrefix", string(), "Prefix of the path parameters."),
    ])
    .and(&shared())
}

fn decision() -> Schema {
    object(&[
        required("configMapRef", string(), "ConfigMap that says what kind and what fields to read."),
        field("name", string(), "Name of the object."),
        field("labelSelector", selector(), "Selects the objects."),
    ])
    .and(&shared())
}

fn plugin() -> Schema {
    let reference = object(&[required("name", string(), "Name of the ConfigMap.")]);
    let input = object(&[field("parameters", map(any_value()), "Parameters by name.")]);
    object(&[
        required("configMapRef", reference, "ConfigMap that says where the plugin is."),
        field("input", input, "What the plugin is told."),
    ])
    .and(&shared())
}

fn children() -> Field {
    required("generators", list(anything()), "Generators, fields as of spec.generators.")
}

fn matrix() -> Schema {
    object(&[children(), template()])
}

fn merge() -> Schema {
    let keys = required("mergeKeys", strings(), "Parameters that must be equal.");
    object(&[children(), keys, template()])
}
