//! What keeps an Application from being compared or synced.

use api::application::{
    Application, ApplicationCondition, ConditionKind, DEFAULT_PROJECT, Operation, Project, normalize,
    problems,
};
use object::Value;

use crate::observation::{Cluster, Observation, Target};
use crate::project::{self, Permissions};

/// Returns what is wrong with the spec of `app`, its project and its destination.
pub fn of_spec(app: &Application, observation: &Observation) -> Vec<ApplicationCondition> {
    let spec = normalize(&app.spec);
    let mut found = problems(app);
    let mut add = |message| found.push(ApplicationCondition::new(ConditionKind::InvalidSpecError, message));
    let permissions = Permissions::of(observation);
    match permissions.project() {
        Ok(None) if spec.project != DEFAULT_PROJECT => {
            add(format!("Application referencing project {} which does not exist", spec.project));
        }
        Ok(None) => {}
        Ok(Some(project)) => {
            of_project(app, project, &permissions, observation).into_iter().for_each(&mut add)
        }
        Err(message) => add(format!("project {} cannot be read: {message}", spec.project)),
    }
    if let Cluster::Unknown { message } = &observation.cluster {
        add(message.clone());
    }
    found
}

/// Returns what the project does not permit, and which of its restrictions cannot be kept yet: those are refused rather
/// than ignored.
///
/// Source: Argo CD `ValidatePermissions`.
fn of_project(
    app: &Application,
    project: &Project,
    permissions: &Permissions,
    observation: &Observation,
) -> Vec<String> {
    let mut found = Vec::new();
    let spec = normalize(&app.spec);
    let name = &spec.project;
    let url = spec.first_source().repo_url;
    if !url.is_empty() && !project::permits_source(&project.spec, &url) {
        found.push(format!("application repo {url} is not permitted in project '{name}'"));
    }
    if let Cluster::Known { server } = &observation.cluster
        && !permissions.namespace(&spec.destination.namespace)
    {
        found.push(format!(
            "application destination server '{server}' and namespace '{}' do not match any of the allowed destinations in \
             project '{name}'",
            spec.destination.namespace
        ));
    }
    let unkept = [
        ("syncWindows", !project.spec.sync_windows.is_empty()),
        ("destinationServiceAccounts", !project.spec.destination_service_accounts.is_empty()),
        ("permitOnlyProjectScopedClusters", project.spec.permit_only_project_scoped_clusters),
        ("signatureKeys", is_set(project.spec.extra.get("signatureKeys"))),
        ("sourceIntegrity", is_set(project.spec.extra.get("sourceIntegrity"))),
    ];
    let unkept = unkept.iter().filter(|(_, set)| *set);
    found.extend(unkept.map(|(field, _)| format!("spec.{field} of project {name} is not supported yet")));
    found
}

fn is_set(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => true,
    }
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
