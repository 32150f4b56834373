//! Normalisation and validation of the spec.

use super::{Application, ApplicationCondition, ApplicationSpec, ConditionKind, Source};

/// Project of Applications that name none.
pub const DEFAULT_PROJECT: &str = "default";
/// URL by which the controller's own cluster is named.
pub const IN_CLUSTER: &str = "https://kubernetes.default.svc";
/// Name of the controller's own cluster.
pub const IN_CLUSTER_NAME: &str = "in-cluster";

/// Returns the spec with an empty project made `default` and one of several sources dropped from `source`.
///
/// Source: `NormalizeApplicationSpec`.
pub fn normalize(spec: &ApplicationSpec) -> ApplicationSpec {
    let mut spec = spec.clone();
    if spec.project.is_empty() {
        DEFAULT_PROJECT.clone_into(&mut spec.project);
    }
    if !spec.sources.is_empty() {
        spec.source = None;
    }
    spec
}

/// Returns what is wrong with the spec, worst first; empty when it can be acted on.
///
/// Source: `ValidatePermissions` and `ValidateDestination`; fields that are not acted on yet are problems too, so that
/// none is ever ignored silently.
pub fn problems(app: &Application) -> Vec<ApplicationCondition> {
    let spec = &app.spec;
    let mut messages = Vec::new();
    if spec.sources.is_empty() {
        source_problems(spec.source.as_ref().unwrap_or(&Source::default()), "spec.source", &mut messages);
    } else {
        messages.push(not_yet("spec.sources"));
    }
    if spec.source_hydrator.is_some() {
        messages.push(not_yet("spec.sourceHydrator"));
    }
    messages.extend(destination_problem(spec));
    let retry = spec.sync_policy.as_ref().and_then(|policy| policy.retry.as_ref());
    if retry.is_some_and(|retry| retry.refresh) {
        messages.push(not_yet("spec.syncPolicy.retry.refresh"));
    }
    let jq = spec.ignore_differences.iter().any(|ignore| !ignore.jq_path_expressions.is_empty());
    if jq {
        messages.push(not_yet("spec.ignoreDifferences[].jqPathExpressions"));
    }
    messages
        .into_iter()
        .map(|message| ApplicationCondition::new(ConditionKind::InvalidSpecError, message))
        .collect()
}

fn not_yet(field: &str) -> String {
    format!("{field} is not supported yet")
}

fn source_problems(source: &Source, path: &str, messages: &mut Vec<String>) {
    if source.repo_url.is_empty() || (source.path.is_empty() && source.chart.is_empty()) {
        messages
            .push("spec.source.repoURL and either spec.source.path or spec.source.chart are required".into());
    }
    let jsonnet = source.directory.as_ref().and_then(|directory| directory.jsonnet.as_ref());
    let unsupported = [
        ("chart", !source.chart.is_empty()),
        ("tagPrefix", !source.tag_prefix.is_empty()),
        ("ref", !source.reference.is_empty()),
        ("helm", source.helm.as_ref().is_some_and(is_set)),
        ("kustomize", source.kustomize.as_ref().is_some_and(is_set)),
        ("plugin", source.plugin.as_ref().is_some_and(is_set)),
        ("directory.jsonnet", jsonnet.is_some_and(is_set)),
    ];
    let set = unsupported.iter().filter(|(_, set)| *set);
    messages.extend(set.map(|(field, _)| not_yet(&format!("{path}.{field}"))));
}

/// Returns false for `null` and for maps of nothing: `jsonnet: {}` is what clients write for "none".
fn is_set(value: &object::Value) -> bool {
    !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty())
}

fn destination_problem(spec: &ApplicationSpec) -> Option<String> {
    let destination = &spec.destination;
    match (destination.server.is_empty(), destination.name.is_empty()) {
        (false, false) => Some(format!(
            "application destination can't have both name and server defined: {} {}",
            destination.name, destination.server
        )),
        (true, true) => Some("Destination server missing from app spec".into()),
        (true, false) | (false, true) => None,
    }
}
