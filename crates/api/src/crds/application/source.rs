//! `spec.source` of an Application.

use crate::crds::schema::{
    Schema, anything, boolean, field, int_or_string, labels, list, map, object, required, string, strings,
};

pub(super) fn source() -> Schema {
    rendering().and(&[
        required("repoURL", string(), "URL of the Git repository, Helm repository or OCI registry."),
        field("path", string(), "Directory in the repository."),
        field("targetRevision", string(), "Branch, tag, commit or semver range; HEAD when absent."),
        field("tagPrefix", string(), "Prefix of the tags a semver range is matched against."),
        field("chart", string(), "Name of a Helm chart, when the repository is one of charts."),
        field("ref", string(), "Alias: other sources reach its files as $alias/path."),
        field("name", string(), "Label of this source among several."),
    ])
}

/// How to make manifests from files.
pub(super) fn rendering() -> Schema {
    object(&[
        field("helm", helm(), "Options of Helm."),
        field("kustomize", kustomize(), "Options of Kustomize."),
        field("directory", directory(), "Options of plain directories."),
        field("plugin", plugin(), "Options of a config management plugin."),
    ])
}

fn helm() -> Schema {
    let parameter = object(&[
        field("name", string(), "Path of the value."),
        field("value", string(), "Value."),
        field("forceString", boolean(), "Whether the value is a text whatever it looks like."),
    ]);
    let file = object(&[
        field("name", string(), "Path of the value."),
        field("path", string(), "File with the value."),
    ]);
    object(&[
        field("valueFiles", strings(), "Value files, later ones win."),
        field("values", string(), "Values as YAML text."),
        field("valuesObject", anything(), "Values; wins over values."),
        field("parameters", list(parameter), "Single values; they win over all others."),
        field("fileParameters", list(file), "Single values from files."),
        field("releaseName", string(), "Name of the release; that of the Application when absent."),
        field("namespace", string(), "Namespace for templates; that of the destination when absent."),
        field("kubeVersion", string(), "Kubernetes version for templates; the cluster's when absent."),
        field("apiVersions", strings(), "API versions for templates; the cluster's when absent."),
        field("version", string(), "Not used."),
        field("passCredentials", boolean(), "Whether all hosts get the repository's credentials."),
        field("ignoreMissingValueFiles", boolean(), "Whether value files may be missing."),
        field("skipCrds", boolean(), "Leave out the chart's crds folder."),
        field("skipTests", boolean(), "Leave out test hooks."),
        field("skipSchemaValidation", boolean(), "Do not hold values against the chart's schema."),
    ])
}

fn kustomize() -> Schema {
    let replicas = object(&[
        required("name", string(), "Name of the workload."),
        required("count", int_or_string(), "Number of pods."),
    ]);
    object(&[
        field("namePrefix", string(), "Prefix of all names."),
        field("nameSuffix", string(), "Suffix of all names."),
        field("namespace", string(), "Namespace of all objects."),
        field("images", strings(), "Images: [old=]new[:tag][@digest]."),
        field("replicas", list(replicas), "Numbers of pods."),
        field("commonLabels", labels(), "Labels of all objects."),
        field("forceCommonLabels", boolean(), "Whether they replace existing ones."),
        field("labelWithoutSelector", boolean(), "Leave selectors alone."),
        field("labelIncludeTemplates", boolean(), "Label pod templates too."),
        field("commonAnnotations", labels(), "Annotations of all objects."),
        field("forceCommonAnnotations", boolean(), "Whether they replace existing ones."),
        field("commonAnnotationsEnvsubst", boolean(), "Replace build variables in annotations."),
        field("patches", list(patch()), "Patches."),
        field("components", strings(), "Components."),
        field("ignoreMissingComponents", boolean(), "Whether components may be missing."),
        field("version", string(), "Version of Kustomize."),
        field("kubeVersion", string(), "Kubernetes version for charts."),
        field("apiVersions", strings(), "API versions for charts."),
    ])
}

fn patch() -> Schema {
    let target = object(&[
        field("group", string(), "Group."),
        field("version", string(), "Version."),
        field("kind", string(), "Kind."),
        field("name", string(), "Name, a regular expression."),
        field("namespace", string(), "Namespace, a regular expression."),
        field("labelSelector", string(), "Label selector."),
        field("annotationSelector", string(), "Annotation selector."),
    ]);
    object(&[
        field("patch", string(), "The patch as text."),
        field("path", string(), "File with the patch."),
        field("target", target, "What to patch."),
        field("options", map(boolean()), "Options such as allowNameChange."),
    ])
}

fn directory() -> Schema {
    let variable = || {
        object(&[
            required("name", string(), "Name."),
            required("value", string(), "Value."),
            field("code", boolean(), "Whether the value is Jsonnet."),
        ])
    };
    let jsonnet = object(&[
        field("extVars", list(variable()), "External variables."),
        field("tlas", list(variable()), "Top-level arguments."),
        field("libs", strings(), "Library folders."),
    ]);
    object(&[
        field("recurse", boolean(), "Read subdirectories too."),
        field("include", string(), "Glob of files to take."),
        field("exclude", string(), "Glob of files to leave out."),
        field("jsonnet", jsonnet, "Options of Jsonnet."),
        field("disableExtensionFilter", boolean(), "Read files of any extension."),
    ])
}

fn plugin() -> Schema {
    let variable = object(&[required("name", string(), "Name."), required("value", string(), "Value.")]);
    let parameter = object(&[
        field("name", string(), "Name."),
        field("string", string(), "A text."),
        field("map", labels(), "A map of texts."),
        field("array", strings(), "A list of texts."),
    ]);
    object(&[
        field("name", string(), "Name of the plugin; found by the files when absent."),
        field("env", list(variable), "Environment variables."),
        field("parameters", list(parameter), "Parameters."),
    ])
}
