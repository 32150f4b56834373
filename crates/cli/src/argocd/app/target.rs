//! What the source of an Application says, fetched and read here.

use std::collections::BTreeMap;

use object::{Object, Value};
use runtime::{Selection, resources};
use source::manifests::{DirectoryOptions, parse, read};
use source::{
    LocalRepositories, RepoSpec, RepoUrl, Repositories, RepositorySecret, SecretType, Settings, SourceError,
    Tree,
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
    let objects = objects(&fetch(source, revision, context).await?, source)?;
    Ok(ranked(place(objects, app, context).await?, app))
}

/// Returns the manifests of a plain folder at a revision as they are written there, with the mark only.
pub(super) async fn written(
    app: &Object,
    revision: &str,
    context: &Context<'_>,
) -> Result<Vec<Object>, Failure> {
    let source = folder(app)?;
    let mut objects = objects(&fetch(source, Some(revision), context).await?, source)?;
    objects.iter_mut().for_each(|object| mark(object, app, context));
    Ok(objects)
}

/// Returns the objects with those first that the status of the Application knows, in its order.
pub(super) fn ranked(mut objects: Vec<Object>, app: &Object) -> Vec<Object> {
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
    objects.sort_by_key(rank);
    objects
}

/// Why the files of a source cannot be had.
#[derive(Debug)]
pub(super) enum FetchError {
    /// The repository or what is asked of it.
    Source(SourceError),
    /// The credentials cannot be looked up, or there is no room for a copy.
    Other(Failure),
}

impl From<SourceError> for FetchError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<Failure> for FetchError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Source(error) => failure(&error),
            FetchError::Other(failure) => failure,
        }
    }
}

/// Returns the files of a source's folder at a revision, that of the source when none is given.
pub(super) async fn fetch(
    source: &Value,
    revision: Option<&str>,
    context: &Context<'_>,
) -> Result<Tree, FetchError> {
    let text = |field: &str| source[field].as_str().unwrap_or_default();
    let target = revision.filter(|text| !text.is_empty()).unwrap_or(text("targetRevision"));
    let target = if target.is_empty() { "HEAD" } else { target };
    let url = RepoUrl::parse(text("repoURL"))?;
    let spec = RepoSpec { credentials: credentials(&url, context).await?, url };
    let cache = tempfile::tempdir().map_err(Failure::from)?;
    let mut settings = Settings::new(cache.path());
    settings.local = LocalRepositories::Read;
    let repositories = Repositories::new(settings);
    let commit = repositories.resolve(&spec, target).await?;
    Ok(repositories.files(&spec, &commit, &source::Selection::manifests(text("path"))).await?)
}

/// Returns the objects in the files of a plain folder.
pub(super) fn objects(tree: &Tree, source: &Value) -> Result<Vec<Object>, Failure> {
    let files = read(tree, &directory(source)).map_err(|error| Failure::rpc("Unknown", error))?;
    parse(&files).map_err(|error| Failure::rpc("FailedPrecondition", error))
}

fn failure(error: &SourceError) -> Failure {
    Failure::rpc("Unknown", error)
}

/// Returns the one source when it is a plain folder.
pub(super) fn folder(app: &Object) -> Result<&Value, Failure> {
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
    let secrets: Vec<RepositorySecret> = secrets(context)
        .await?
        .into_iter()
        .filter_map(|(kind, data)| Some(RepositorySecret { kind: SecretType::parse(&kind)?, data }))
        .collect();
    let chosen = source::choose(url, &secrets).map_err(|error| failure(&error))?;
    Ok(chosen.unwrap_or_default())
}

/// Returns the Secrets about repositories and clusters: what each is about, and its data.
pub(super) async fn secrets(
    context: &Context<'_>,
) -> Result<Vec<(String, BTreeMap<String, String>)>, Failure> {
    let labelled = Selection::labels(SECRET_TYPE);
    let secrets = context.cluster.list(&resources::SECRETS, Some(&context.namespace), &labelled).await?;
    let kind = |secret: &Object| secret.label(SECRET_TYPE).unwrap_or_default().to_owned();
    Ok(secrets.iter().map(|secret| (kind(secret), decoded(secret))).collect())
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
pub(super) async fn place(
    objects: Vec<Object>,
    app: &Object,
    context: &Context<'_>,
) -> Result<Vec<Object>, Failure> {
    let namespace = app.str(&["spec", "destination", "namespace"]);
    let mut placed = Vec::new();
    for mut object in objects {
        let resource = context.discovery.resource(&object.gvk()).await?;
        match resource.map(|resource| resource.namespaced) {
            // A kind that the cluster does not know is taken for one with namespaces, as by the existing tool.
            Some(true) | None if object.namespace().is_empty() => {
                object.set(&["metadata", "namespace"], namespace);
            }
            Some(false) => drop(object.remove(&["metadata", "namespace"])),
            Some(true) | None => {}
        }
        mark(&mut object, app, context);
        placed.push(object);
    }
    Ok(placed)
}

/// Writes into the object which Application it belongs to.
fn mark(object: &mut Object, app: &Object, context: &Context<'_>) {
    let instance = if app.namespace() == context.namespace {
        app.name().to_owned()
    } else {
        format!("{}_{}", app.namespace(), app.name())
    };
    let destination = app.str(&["spec", "destination", "namespace"]);
    let gvk = object.gvk();
    let place = if object.namespace().is_empty() { destination } else { object.namespace() };
    let id = format!("{instance}:{}/{}:{place}/{}", gvk.group, gvk.kind, object.name());
    object.set_annotation(TRACKING_ID, &id);
}
