//! What keeps an Application from being compared or synced.

use api::application::{
    Application, ApplicationCondition, ConditionKind, DEFAULT_PROJECT, Operation, normalize, problems,
};
use object::{Object, Value};

use crate::observation::{Cluster, Observation, Target};

/// Returns what is wrong with the spec of `app`, its project and its destination.
pub fn of_spec(app: &Application, observation: &Observation) -> Vec<ApplicationCondition> {
    let spec = normalize(&app.spec);
    let mut found = problems(app);
    let mut add = |message| found.push(ApplicationCondition::new(ConditionKind::InvalidSpecError, message));
    match &observation.project {
        None if spec.project != DEFAULT_PROJECT => {
            add(format!("Application referencing project {} which does not exist", spec.project));
        }
        None => {}
        Some(project) => {
            for field in restrictions(project) {
                add(format!("{field} of project {} is not supported yet", spec.project));
            }
        }
    }
    if let Cluster::Unknown { message } = &observation.cluster {
        add(message.clone());
    }
    found
}

/// Returns the fields of a project that restrict it: they are refused rather than ignored.
fn restrictions(project: &Object) -> Vec<&'static str> {
    let all = |list: &[Value], fields: &[&str]| {
        list.iter().any(|entry| fields.iter().all(|field| entry[field].as_str().unwrap_or("*") == "*"))
    };
    let mut found = Vec::new();
    if !project.items(&["spec", "sourceRepos"]).iter().any(|repo| repo == "*") {
        found.push("spec.sourceRepos");
    }
    if !all(project.items(&["spec", "destinations"]), &["server", "namespace"]) {
        found.push("spec.destinations");
    }
    if !all(project.items(&["spec", "clusterResourceWhitelist"]), &["group", "kind"]) {
        found.push("spec.clusterResourceWhitelist");
    }
    let set = [
        ("clusterResourceBlacklist", "spec.clusterResourceBlacklist"),
        ("namespaceResourceBlacklist", "spec.namespaceResourceBlacklist"),
        ("namespaceResourceWhitelist", "spec.namespaceResourceWhitelist"),
        ("syncWindows", "spec.syncWindows"),
        ("signatureKeys", "spec.signatureKeys"),
        ("destinationServiceAccounts", "spec.destinationServiceAccounts"),
    ];
    let is_set = |field: &str| !project.items(&["spec", field]).is_empty();
    found.extend(set.into_iter().filter(|(field, _)| is_set(field)).map(|(_, path)| path));
    found
}

/// Returns what keeps an operation from going on, as `<condition>: <message>`.
pub fn of_operation(app: &Application, operation: &Operation, observation: &Observation) -> Vec<String> {
    let mut found = of_spec(app, observation);
    found.extend(of_target(observation));
    let mut reasons: Vec<String> =
        found.iter().map(|condition| format!("{}: {}", condition.kind.as_str(), condition.message)).collect();
    let sync = operation.sync.as_ref();
    if sync.is_some_and(|sync| !sync.manifests.is_empty()) {
        reasons.push("operation.sync.manifests is not supported yet".into());
    }
    if sync.is_some_and(|sync| !sync.sources.is_empty()) {
        reasons.push("operation.sync.sources is not supported yet".into());
    }
    reasons
}

/// Returns the condition of a source that cannot be read.
pub fn of_target(observation: &Observation) -> Option<ApplicationCondition> {
    match &observation.target {
        Target::Found { .. } => None,
        Target::Failed { message, .. } => {
            let message = format!("Failed to load target state: {message}");
            Some(ApplicationCondition::new(ConditionKind::ComparisonError, message))
        }
    }
}
