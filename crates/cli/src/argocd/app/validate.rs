//! What is checked of a spec before it is written, as the existing server does: nothing here is needed by the controller,
//! which checks again, but who writes a wrong spec learns it at once.

use std::collections::BTreeMap;

use api::application::Project;
use object::{Object, Value};
use source::SourceError;
use sync::project::{Place, permits_destination, permits_source};

use super::target::{FetchError, fetch, folder, objects, secrets};
use crate::argocd::context::{Context, Failure};
use crate::argocd::view::{project as project_name, sources};

const IN_CLUSTER: (&str, &str) = ("https://kubernetes.default.svc", "in-cluster");

/// Whether repositories are asked too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// They are.
    Repositories,
    /// Only what the cluster knows: project and destination.
    Cluster,
}

impl Depth {
    /// Returns what `--validate` asks for.
    pub fn of(validate: bool) -> Self {
        if validate { Self::Repositories } else { Self::Cluster }
    }
}

/// Fails for an Application whose project, destination, repository, revision, folder or manifests will not do.
///
/// Source: `validateAndNormalizeApp`, in its order and words.
pub(super) async fn spec(app: &Object, depth: Depth, context: &Context<'_>) -> Result<(), Failure> {
    check_destination(app)?;
    let project = context.project(app).await?;
    let place = destination(app, context).await.map_err(|problem| match problem {
        Ok(problem) => wrong_destination(app, &problem),
        Err(failure) => failure,
    })?;
    if depth == Depth::Repositories {
        for source in sources(app) {
            repository(app, source, context).await?;
        }
    }
    let problems = permissions(app, project.as_ref(), &place);
    if problems.is_empty() { Ok(()) } else { Err(wrong_spec(app, &problems)) }
}

/// Fails for a destination that names no cluster or two.
pub(super) fn check_destination(app: &Object) -> Result<(), Failure> {
    let text = |field: &str| app.str(&["spec", "destination", field]);
    let problem = match (text("server"), text("name")) {
        ("", "") => "Destination server missing from app spec".to_owned(),
        ("", _) | (_, "") => return Ok(()),
        (server, name) => {
            format!("application destination can't have both name and server defined: {name} {server}")
        }
    };
    Err(wrong_destination(app, &problem))
}

fn wrong_destination(app: &Object, problem: &str) -> Failure {
    let text = format!("application destination spec for {} is invalid: {problem}", app.name());
    Failure::rpc("InvalidArgument", text)
}

fn wrong_spec(app: &Object, problems: &[String]) -> Failure {
    let all: Vec<String> = problems.iter().map(|problem| format!("InvalidSpecError: {problem}")).collect();
    Failure::rpc(
        "InvalidArgument",
        format!("application spec for {} is invalid: {}", app.name(), all.join(";")),
    )
}

/// Server and name of a cluster.
struct Known {
    server: String,
    name: String,
}

/// Returns the destination among the known clusters: the one that the Applications live in, and those of Secrets.
///
/// Errors: a sentence when there is none, or the failure of the look-up.
async fn destination(app: &Object, context: &Context<'_>) -> Result<Known, Result<String, Failure>> {
    let text = |field: &str| app.str(&["spec", "destination", field]);
    let (server, name) = (text("server"), text("name"));
    let mut known = vec![Known { server: IN_CLUSTER.0.into(), name: IN_CLUSTER.1.into() }];
    if !known.iter().any(|one| one.server == server || one.name == name) {
        let secrets = secrets(context).await.map_err(Err)?;
        let clusters = secrets.into_iter().filter(|(kind, _)| kind == "cluster");
        let get = |data: &BTreeMap<String, String>, field| data.get(field).cloned().unwrap_or_default();
        known.extend(
            clusters.map(|(_, data)| Known { server: get(&data, "server"), name: get(&data, "name") }),
        );
    }
    let is = |one: &Known| if server.is_empty() { one.name == name } else { one.server == server };
    let missing = || {
        if server.is_empty() {
            format!("there are no clusters with this name: {name}")
        } else {
            format!(
                "error getting cluster by server {server:?}: rpc error: code = NotFound desc = cluster {server:?} not found"
            )
        }
    };
    known.into_iter().find(is).ok_or_else(|| Ok(missing()))
}

/// Returns what the project does not permit. Source: `ValidatePermissions`.
fn permissions(app: &Object, project: Option<&Object>, place: &Known) -> Vec<String> {
    let mut problems = Vec::new();
    let name = project_name(app);
    for source in sources(app) {
        let text = |field: &str| source[field].as_str().unwrap_or_default();
        if text("repoURL").is_empty()
            || (text("path").is_empty() && text("chart").is_empty() && text("ref").is_empty())
        {
            problems.push(
                "spec.source.repoURL and either spec.source.path or spec.source.chart are required"
                    .to_owned(),
            );
        }
    }
    let Some(project) = project else { return problems };
    let spec = match Project::from_object(project) {
        Ok(project) => project.spec,
        Err(error) => return vec![format!("project {name} cannot be read: {error}")],
    };
    for source in sources(app) {
        let url = source["repoURL"].as_str().unwrap_or_default();
        if !url.is_empty() && !permits_source(&spec, url) {
            problems.push(format!("application repo {url} is not permitted in project '{name}'"));
        }
    }
    let namespace = app.str(&["spec", "destination", "namespace"]);
    if !permits_destination(&spec, Place { server: &place.server, cluster: &place.name, namespace }) {
        problems.push(format!(
            "application destination server '{}' and namespace '{namespace}' do not match any of the allowed destinations \
             in project '{name}'",
            place.server
        ));
    }
    problems
}

/// Fails for a source whose repository cannot be read, or which has no such revision or folder, or whose manifests are
/// broken; charts and what only other tools render are not looked into.
async fn repository(app: &Object, source: &Value, context: &Context<'_>) -> Result<(), Failure> {
    let text = |field: &str| source[field].as_str().unwrap_or_default();
    if text("repoURL").is_empty() || !text("chart").is_empty() {
        return Ok(());
    }
    let generation = |reason: String| {
        let text = format!("Unable to generate manifests in {}: {reason}", text("path"));
        wrong_spec(app, &[text])
    };
    let tree = match fetch(source, None, context).await {
        Ok(tree) => tree,
        Err(FetchError::Other(failure)) => return Err(failure),
        Err(FetchError::Source(error)) if is_about_content(&error) => {
            return Err(generation(format!("rpc error: code = Unknown desc = {error}")));
        }
        Err(FetchError::Source(error)) => {
            return Err(wrong_spec(app, &[inaccessible(text("repoURL"), &error, context).await?]));
        }
    };
    let renders = ["Chart.yaml", "kustomization.yaml", "kustomization.yml"];
    if folder(app).is_err() || renders.iter().any(|file| tree.bytes(file).is_some()) {
        return Ok(());
    }
    match objects(&tree, source) {
        Ok(_) => Ok(()),
        Err(Failure::Fatal { message, .. }) => Err(generation(message)),
        Err(other) => Err(other),
    }
}

/// Returns true for errors of a repository that can be reached.
fn is_about_content(error: &SourceError) -> bool {
    matches!(
        error,
        SourceError::RevisionNotFound { .. }
            | SourceError::RevisionAmbiguous { .. }
            | SourceError::PathNotFound { .. }
            | SourceError::NotADirectory { .. }
            | SourceError::PathEscapes { .. }
            | SourceError::SymlinkEscapes { .. }
            | SourceError::SymlinkLoop { .. }
            | SourceError::TooLarge { .. }
            | SourceError::TooMany { .. }
    )
}

async fn inaccessible(url: &str, error: &SourceError, context: &Context<'_>) -> Result<String, Failure> {
    let secrets = secrets(context).await?;
    let is = |(kind, data): &&(String, BTreeMap<String, String>)| {
        kind == "repository" && data.get("url").is_some_and(|known| known == url)
    };
    let found = secrets.iter().find(is);
    let field = |name: &str| found.and_then(|(_, data)| data.get(name)).cloned().unwrap_or_default();
    let reason = match error {
        SourceError::RepositoryNotFound { .. } => "repository not found: ".to_owned(),
        SourceError::AuthenticationRequired { .. } => "authentication required: ".to_owned(),
        SourceError::AuthorizationFailed { .. } => "authorization failed: ".to_owned(),
        other => other.to_string(),
    };
    Ok(format!(
        "repository not accessible: repositories not accessible: &Repository{{Repo: {url:?}, Type: {:?}, Name: {:?}, \
         Project: {:?}}}: repo client error while testing repository: rpc error: code = Unknown desc = error testing \
         repository connectivity: unable to ls-remote HEAD on repository: failed to list refs: {reason}",
        field("type"),
        field("name"),
        field("project"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn a_destination_has_one_cluster() {
        let ok = |destination: Value| {
            let app =
                Object::from_value(json!({"metadata": {"name": "a"}, "spec": {"destination": destination}}));
            check_destination(&app).is_ok()
        };
        assert!(ok(json!({"server": "x"})) && ok(json!({"name": "x"})));
        assert!(!ok(json!({"name": "x", "server": "x"})) && !ok(json!({})));
    }

    #[test]
    fn a_project_permits_sources_and_destinations() {
        let app = Object::from_value(json!({"spec": {"project": "p", "destination": {"namespace": "x"},
            "source": {"repoURL": "https://a/b", "path": "."}}}));
        let place = Known { server: IN_CLUSTER.0.into(), name: IN_CLUSTER.1.into() };
        assert!(permissions(&app, None, &place).is_empty());
        let project = |spec: Value| Object::from_value(json!({"spec": spec}));
        let open =
            project(json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}));
        assert!(permissions(&app, Some(&open), &place).is_empty());
        let problems = permissions(&app, Some(&project(json!({}))), &place);
        assert_eq!(problems[0], "application repo https://a/b is not permitted in project 'p'");
        assert!(problems[1].ends_with("do not match any of the allowed destinations in project 'p'"));
    }
}
