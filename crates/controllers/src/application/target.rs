//! What the source of an Application says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::application::Source;
use base64::Engine as _;
use object::{Key, Object, Time};
use runtime::Cache;
use source::manifests::{self, DirectoryOptions, Manifests};
use source::{
    CommitId, RepoSpec, RepoUrl, Repositories, RepositorySecret, SecretType, Selection, SourceError, choose,
};
use sync::Target;

use super::trust::Trust;

/// Label of Secrets that hold credentials of repositories.
pub const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";

/// Reads sources and remembers, for each Application, what it read last and since when reading fails.
pub struct Targets {
    repositories: Arc<Repositories>,
    secrets: Cache,
    trust: Trust,
    memory: Mutex<BTreeMap<Key, Memory>>,
}

#[derive(Clone, Default)]
struct Memory {
    found: Option<Arc<Found>>,
    failing_since: Option<Time>,
}

struct Found {
    source: Source,
    revision: String,
    manifests: Manifests,
}

impl Targets {
    /// Returns a reader that takes credentials from `secrets` and what servers are known by from `trust`.
    pub fn new(repositories: Arc<Repositories>, secrets: Cache, trust: Trust) -> Self {
        Self { repositories, secrets, trust, memory: Mutex::default() }
    }

    /// Forgets an Application.
    pub fn forget(&self, app: &Key) {
        self.lock().remove(app);
    }

    /// Returns what `source` says at `revision`, a commit or a name. A commit that was read before is not read again.
    pub async fn read(&self, app: &Key, source: &Source, revision: &str, now: Time) -> Target {
        match self.find(app, source, revision).await {
            Ok(found) => {
                let memory = Memory { found: Some(found.clone()), failing_since: None };
                self.lock().insert(app.clone(), memory);
                Target::Found {
                    revision: found.revision.clone(),
                    objects: found.manifests.objects.clone(),
                    left_out: found.manifests.skipped.iter().map(ToString::to_string).collect(),
                    source_type: "Directory",
                }
            }
            Err(message) => {
                let mut memory = self.lock();
                let since = *memory.entry(app.clone()).or_default().failing_since.get_or_insert(now);
                Target::Failed { message, since }
            }
        }
    }

    async fn find(&self, app: &Key, source: &Source, revision: &str) -> Result<Arc<Found>, String> {
        let known = self.lock().get(app).and_then(|memory| memory.found.clone());
        let known = known.filter(|found| found.source == *source);
        if let Some(found) = known.as_ref().filter(|found| found.revision == revision) {
            return Ok(found.clone());
        }
        let repository = self.repository(&source.repo_url).map_err(|error| error.to_string())?;
        let commit =
            self.repositories.resolve(&repository, revision).await.map_err(|error| error.to_string())?;
        match known.filter(|found| found.revision == commit.as_str()) {
            Some(found) => Ok(found),
            None => self.load(source, &repository, &commit).await.map(Arc::new),
        }
    }

    async fn load(&self, source: &Source, repository: &RepoSpec, commit: &CommitId) -> Result<Found, String> {
        let selection = Selection::manifests(&source.path);
        let tree = self
            .repositories
            .files(repository, commit, &selection)
            .await
            .map_err(|error| error.to_string())?;
        unrendered(&tree)?;
        let directory = source.directory.clone().unwrap_or_default();
        let options = DirectoryOptions {
            recurse: directory.recurse,
            include: directory.include,
            exclude: directory.exclude,
        };
        let files = manifests::read(&tree, &options).map_err(|error| error.to_string())?;
        let mut manifests = manifests::load(&files).map_err(|error| error.to_string())?;
        manifests.skipped.extend(manifests::missing(&tree, &options).map_err(|error| error.to_string())?);
        Ok(Found { source: source.clone(), revision: commit.to_string(), manifests })
    }

    fn repository(&self, url: &str) -> Result<RepoSpec, SourceError> {
        let url = RepoUrl::parse(url)?;
        let secrets: Vec<RepositorySecret> =
            self.secrets.list().iter().filter_map(|secret| read_secret(secret)).collect();
        let mut credentials = choose(&url, &secrets)?.unwrap_or_default();
        self.trust.apply(&url, &mut credentials);
        Ok(RepoSpec { url, credentials })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Memory>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Files that say that a folder is no plain directory, and what renders it.
const RENDERED: [(&str, &str); 4] = [
    ("Chart.yaml", "Helm charts"),
    ("kustomization.yaml", "kustomizations"),
    ("kustomization.yml", "kustomizations"),
    ("Kustomization", "kustomizations"),
];

/// Refuses folders that have to be rendered, rather than applying their files as they are.
fn unrendered(tree: &source::Tree) -> Result<(), String> {
    match RENDERED.iter().find(|(file, _)| tree.bytes(file).is_some()) {
        Some((file, what)) => {
            Err(format!("{what} are not rendered by this version of slipway (found {file})"))
        }
        None => Ok(()),
    }
}

/// Returns the credentials in a Secret; `None` when it is not one for reading repositories.
pub fn read_secret(secret: &Object) -> Option<RepositorySecret> {
    let kind = SecretType::parse(secret.label(SECRET_TYPE)?)?;
    let data = secret.get(&["data"])?.as_object()?;
    let decoded = data.iter().filter_map(|(key, value)| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str()?).ok()?;
        Some((key.clone(), String::from_utf8(bytes).ok()?))
    });
    Some(RepositorySecret { kind, data: decoded.collect() })
}
