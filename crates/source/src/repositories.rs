//! [`Repositories`]: the asynchronous door to Git, with a bare cache for each remote.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use gix::Repository;
use tokio::sync::Semaphore;

use crate::{
    CommitId, CommitMetadata, Credentials, RepoUrl, Selection, SourceError, Tree,
    git::{self, Problem, remote::Access},
    revision::{self, Resolution},
    url::Transport,
};

mod bounded;
mod cached;

/// Whether repositories of this machine's file system may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalRepositories {
    /// No: an Application must not be able to read the controller's disk.
    Refused,
    /// Yes, in place: for the development cluster and tests.
    Read,
}

/// Limits and places.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of the bare caches; may be wiped when no process uses it. One process at a time.
    pub cache: PathBuf,
    /// For a request that transfers little, such as listing references. Default 15 s.
    pub request_timeout: Duration,
    /// For a fetch. Default 90 s.
    pub fetch_timeout: Duration,
    /// Bytes on disk of one repository. Default 4 GiB.
    pub repository_bytes: u64,
    /// Git operations at the same time. Default 16.
    pub parallel: usize,
    /// Program that takes the options of OpenSSH. Default `ssh`.
    pub ssh: PathBuf,
    /// `file://` repositories. Default refused.
    pub local: LocalRepositories,
}

impl Settings {
    /// Returns the defaults with the caches in `cache`.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            request_timeout: Duration::from_secs(15),
            fetch_timeout: Duration::from_secs(90),
            repository_bytes: 4 << 30,
            parallel: 16,
            ssh: PathBuf::from("ssh"),
            local: LocalRepositories::Refused,
        }
    }
}

/// A repository and what it is read with.
#[derive(Clone, Debug)]
pub struct RepoSpec {
    /// Where it is.
    pub url: RepoUrl,
    /// How it is read; the default is anonymously.
    pub credentials: Credentials,
}

impl RepoSpec {
    /// Returns a repository that is read anonymously.
    pub fn public(url: RepoUrl) -> Self {
        Self { url, credentials: Credentials::default() }
    }
}

/// Git repositories by URL. Cheap to clone; clones share caches, locks and limits.
#[derive(Clone, Debug)]
pub struct Repositories(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: Settings,
    permits: Arc<Semaphore>,
    /// A repository without objects, from which remotes are listed; held while it is made.
    empty: Mutex<PathBuf>,
    /// By name of the cache: held while it is written.
    locks: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Repositories {
    /// Returns repositories with caches and limits as in `settings`. Touches nothing yet.
    pub fn new(settings: Settings) -> Self {
        let permits = Arc::new(Semaphore::new(settings.parallel.max(1)));
        let empty = Mutex::new(settings.cache.join("empty.git"));
        Self(Arc::new(Shared { settings, permits, empty, locks: Mutex::default() }))
    }

    /// Returns the commit that `revision` means now: see [`revision::resolve`]. A full commit id asks nobody.
    ///
    /// Errors: those of the connection, and [`SourceError::RevisionNotFound`].
    pub async fn resolve(&self, repo: &RepoSpec, revision: &str) -> Result<CommitId, SourceError> {
        self.allow(repo)?;
        if let Some(id) = CommitId::parse(revision) {
            return Ok(id);
        }
        match revision::resolve(revision, &self.references(repo).await?) {
            Resolution::Commit(id) => Ok(id),
            Resolution::Abbreviated(prefix) => self.expand(repo, &prefix).await,
            Resolution::Ambiguous => {
                Err(SourceError::RevisionAmbiguous { url: repo.url.clone(), revision: revision.to_owned() })
            }
            Resolution::Nothing => {
                Err(SourceError::RevisionNotFound { url: repo.url.clone(), revision: revision.to_owned() })
            }
        }
    }

    /// Returns the selected files of a commit, fetched first if need be. Concurrent callers share one fetch.
    ///
    /// Errors: those of the connection, and those of the path, its links and the limits.
    pub async fn files(
        &self,
        repo: &RepoSpec,
        commit: &CommitId,
        selection: &Selection,
    ) -> Result<Tree, SourceError> {
        let (url, id, selection) = (repo.url.clone(), commit.clone(), selection.clone());
        self.read(repo, commit, move |repo| git::read::files(repo, &url, &id, &selection)).await
    }

    /// Returns who made a commit, when and why, fetched first if need be. Tags are those of the last fetch.
    ///
    /// Errors: as [`Repositories::files`].
    pub async fn metadata(&self, repo: &RepoSpec, commit: &CommitId) -> Result<CommitMetadata, SourceError> {
        let id = commit.clone();
        self.read(repo, commit, move |repo| git::read::metadata(repo, &id, &git::local::references(repo)?))
            .await
    }

    /// Returns all references: of a remote as it is now.
    async fn references(&self, repo: &RepoSpec) -> Result<Vec<revision::Reference>, SourceError> {
        let url = repo.url.clone();
        let limit = self.0.settings.request_timeout;
        if url.transport() == Transport::File {
            return self
                .bounded(&repo.url, limit, move |_| {
                    git::local::references(&git::local::open(&url)?).map_err(|problem| tell(&url, problem))
                })
                .await;
        }
        let (access, shared) = (self.access(repo, limit), Arc::clone(&self.0));
        self.bounded(&repo.url, limit, move |_| access.references(&shared.empty)).await
    }

    /// Finds the one commit that begins with `prefix` after a fetch of everything.
    async fn expand(&self, repo: &RepoSpec, prefix: &str) -> Result<CommitId, SourceError> {
        let url = repo.url.clone();
        let wanted = prefix.to_owned();
        let look = move |repo: &Repository| git::read::beginning_with(repo, &wanted);
        let found = self.read_all(repo, look).await?;
        match <[CommitId; 1]>::try_from(found) {
            Ok([id]) => Ok(id),
            Err(none) if none.is_empty() => {
                Err(SourceError::RevisionNotFound { url, revision: prefix.to_owned() })
            }
            Err(_) => Err(SourceError::RevisionAmbiguous { url, revision: prefix.to_owned() }),
        }
    }

    fn access(&self, repo: &RepoSpec, limit: Duration) -> Access {
        let ssh = self.0.settings.ssh.clone();
        Access { url: repo.url.clone(), credentials: repo.credentials.clone(), limit, ssh }
    }

    fn allow(&self, repo: &RepoSpec) -> Result<(), SourceError> {
        let local = repo.url.transport() == Transport::File;
        match self.0.settings.local {
            LocalRepositories::Refused if local => Err(SourceError::LocalRefused { url: repo.url.clone() }),
            LocalRepositories::Refused | LocalRepositories::Read => Ok(()),
        }
    }
}

/// Returns what to tell the user about damage that could not be repaired.
fn tell(url: &RepoUrl, problem: Problem) -> SourceError {
    match problem {
        Problem::Source(error) => error,
        Problem::Broken(message) => SourceError::Cache { url: url.clone(), message },
    }
}
