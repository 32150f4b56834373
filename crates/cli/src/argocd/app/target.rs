//! What the source of an Application says, fetched and read here.

use std::collections::BTreeMap;

use object::{Object, Value};
use runtime::{Selection, resources};
use source::manifests::{DirectoryOptions, parse, read};
use source::{
    LocalRepositories, RepoSpec, RepoUrl, Repositories, RepositorySecret, SecretType, Settings, SourceError,
};

use crate::argocd::context::{Context, Failure};
use crate::argocd::view::sources;

const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";

/// Returns the manifests of a plain folder as they would be applied: with namespace and mark, hooks included; those
/// that the status knows come first, in its order.
///
/// Errors: any other sort of source, and those of fetching and reading.
pub(super) async fn targets(
    app: &Object,
    revision: Option<&str>,
    context: &Context<'_>,
) -> Result<Vec<Object>, Failure> {
    let source = folder(app)?;
    let text = |field: &str| source[field].as_str().unwrap_or_default();
    let target = revision.filter(|text| !text.is_empty()).unwrap_or(text("targetRevision"));
    let target = if target.is_empty() { "HEAD" } else { target };
    let url = RepoUrl::parse(text("repoURL")).map_err(|error| failure(&error))?;
    let spec = RepoSpec { credentials: credentials(&url, context).await?, url };
    let cache = tempfile::tempdir()?;
    let mut settings = Settings::new(cache.path());
    settings.local = LocalRepositories::Read;
    let repositories = Repositories::new(settings);
    let commit = repositories.resolve(&spec, target).await.map_err(|error| failure(&error))?;
    let selection = source::Selection::manifests(text("path"));
    let tree = repositories.files(&spec, &commit, &selection).await.map_err(|error| failure(&error))?;
    let files = read(&tree, &directory(source)).map_err(|error| Failure::rpc("Unknown", error))?;
    let objects = parse(&files).map_err(|error| Failure::rpc("FailedPrecondition", error))?;
    let mut placed = place(objects, app, context).await?;
    let known = app.items(&["status", "resources"]);
    let rank = |object: &Object| {
        let is = |entry: &Value, field: &str, text: &str| entry[field].as_str().unwrap_or_default() == text;
        let same = |entry: &Value| {
            is(entry, "group", &object.gvk().group)
                && is(entry, "kind", object.kind())
                && is(entry, "namespace", object.namespace())
                && is(entry, "name", object.name())
        };
        known.iter().position(same).unwrap_or(known.len())
    };
    placed.sort_by_key(rank);
    Ok(placed)
}

fn failure(error: &SourceError) -> Failure {
    Failure::rpc("Unknown", error)
}

/// Returns the one source when it is a plain folder.
fn folder(app: &Object) -> Result<&Value, Failure> {
    let all = sources(app);
    let [source] = all[..] else {
        return Err(Failure::rpc(
            "Unimplemented",
            "Applications with several sources cannot be rendered here yet",
        ));
    };
    for field in ["helm", "kustomize", "plugin", "chart"] {
        if source.get(field).is_some_and(|value| !value.is_null() && *value != object::json!({})) {
            return Err(Failure::rpc(
                "Unimplemented",
                format!("a source with {field} cannot be rendered here yet"),
            ));
        }
    }
    Ok(source)
}

fn directory(source: &Value) -> DirectoryOptions {
    let directory = &source["directory"];
    let text = |field: &str| directory[field].as_str().unwrap_or_default().to_owned();
    DirectoryOptions {
        recurse: directory["recurse"] == true,
        include: text("include"),
        exclude: text("exclude"),
    }
}

/// Returns the credentials that the Secrets of the namespace have for a repository.
async fn credentials(url: &RepoUrl, context: &Context<'_>) -> Result<source::Credentials, Failure> {
    let labelled = Selection::labels(SECRET_TYPE);
    let secrets = context.cluster.list(&resources::SECRETS, Some(&context.namespace), &labelled).await?;
    let secrets: Vec<RepositorySecret> = secrets
        .iter()
        .filter_map(|secret| {
            let kind = SecretType::parse(secret.label(SECRET_TYPE)?)?;
            Some(RepositorySecret { kind, data: decoded(secret) })
        })
        .collect();
    let chosen = source::choose(url, &secrets).map_err(|error| failure(&error))?;
    Ok(chosen.unwrap_or_default())
}

/// Returns the data of a Secret; values that are not base64 text are left out.
fn decoded(secret: &Object) -> BTreeMap<String, String> {
    use base64::Engine as _;
    let Some(Value::Object(data)) = secret.get(&["data"]) else { return BTreeMap::new() };
    let decode = |value: &Value| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str()?).ok()?;
        String::from_utf8(bytes).ok()
    };
    data.iter().filter_map(|(key, value)| Some((key.clone(), decode(value)?))).collect()
}

/// Gives each object the namespace of the destination where it has none, and the mark of the Application.
async fn place(objects: Vec<Object>, app: &Object, context: &Context<'_>) -> Result<Vec<Object>, Failure> {
    let namespace = app.str(&["spec", "destination", "namespace"]);
    let instance = if app.namespace() == context.namespace {
        app.name().to_owned()
    } else {
        format!("{}_{}", app.namespace(), app.name())
    };
    let mut placed = Vec::new();
    for mut object in objects {
        let resource = context.discovery.resource(&object.gvk()).await?;
        match resource.map(|resource| resource.namespaced) {
            Some(true) if object.namespace().is_empty() => object.set(&["metadata", "namespace"], namespace),
            Some(false) => drop(object.remove(&["metadata", "namespace"])),
            Some(true) | None => {}
        }
        let gvk = object.gvk();
        let place = if object.namespace().is_empty() { namespace } else { object.namespace() };
        let id = format!("{instance}:{}/{}:{place}/{}", gvk.group, gvk.kind, object.name());
        object.set_annotation(TRACKING_ID, &id);
        placed.push(object);
    }
    Ok(placed)
}
