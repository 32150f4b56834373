//! Reading a commit from a cache, which is filled and repaired on the way.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use gix::Repository;
use tokio::sync::OwnedMutexGuard;

use super::{RepoSpec, Repositories, tell};
use crate::{
    CommitId, RepoUrl, SourceError,
    git::{
        self, Problem,
        remote::{Access, Quota, Wanted},
    },
    url::Transport,
};

/// What is read from a repository, for as long as it takes and perhaps more than once.
type Look<T> = dyn Fn(&Repository) -> Result<T, Problem> + Send + Sync;

/// What must be in a cache before it is read.
#[derive(Clone)]
enum Needed {
    Commit(CommitId),
    /// Everything the remote has now.
    Newest,
}

impl Repositories {
    /// Runs `look` on a repository that has `commit`.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        repo: &RepoSpec,
        commit: &CommitId,
        look: impl Fn(&Repository) -> Result<T, Problem> + Send + Sync + 'static,
    ) -> Result<T, SourceError> {
        self.allow(repo)?;
        let (url, id, limit) = (repo.url.clone(), commit.clone(), self.0.settings.request_timeout);
        let look = Arc::new(look);
        let (first, local) = (Arc::clone(&look), url.transport() == Transport::File);
        let path = self.cache(repo);
        let quick = move |_: &AtomicBool| {
            if local {
                let repo = git::local::open(&url)?;
                return in_place(&repo, &url, &id, &*first).map(Some);
            }
            match present(&path, &Needed::Commit(id), &*first) {
                Err(Problem::Source(error)) => Err(error),
                Err(Problem::Broken(_)) | Ok(None) => Ok(None),
                Ok(found) => Ok(found),
            }
        };
        match self.bounded(&repo.url, limit, quick).await? {
            Some(found) => Ok(found),
            None => self.fetch_and(repo, Needed::Commit(commit.clone()), look).await,
        }
    }

    /// Runs `look` on a repository that has all branches and tags of now.
    pub(super) async fn read_all<T: Send + 'static>(
        &self,
        repo: &RepoSpec,
        look: impl Fn(&Repository) -> Result<T, Problem> + Send + Sync + 'static,
    ) -> Result<T, SourceError> {
        if repo.url.transport() == Transport::File {
            let (url, limit) = (repo.url.clone(), self.0.settings.request_timeout);
            let read =
                move |_: &AtomicBool| look(&git::local::open(&url)?).map_err(|problem| tell(&url, problem));
            return self.bounded(&repo.url, limit, read).await;
        }
        self.fetch_and(repo, Needed::Newest, Arc::new(look)).await
    }

    async fn fetch_and<T: Send + 'static>(
        &self,
        repo: &RepoSpec,
        needed: Needed,
        look: Arc<Look<T>>,
    ) -> Result<T, SourceError> {
        let limit = self.0.settings.fetch_timeout;
        let (access, path) = (self.access(repo, limit), self.cache(repo));
        let guard = self.lock(repo, limit).await?;
        let bytes = self.0.settings.repository_bytes;
        let work = move |stop: &AtomicBool| {
            let result = fill(&access, &path, &needed, &*look, &Quota { bytes, stop });
            drop(guard);
            result
        };
        self.bounded(&repo.url, limit, work).await
    }

    /// Returns the folder of the repository's cache. Callers with and without credentials do not share one, so that
    /// nobody reads from it what the server would not have shown.
    pub(super) fn cache(&self, repo: &RepoSpec) -> PathBuf {
        self.0.settings.cache.join(cache_name(repo))
    }

    /// Waits until nobody else writes to the cache.
    pub(super) async fn lock(
        &self,
        repo: &RepoSpec,
        limit: Duration,
    ) -> Result<OwnedMutexGuard<()>, SourceError> {
        let lock = {
            let mut locks = self.0.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(cache_name(repo)).or_default())
        };
        tokio::time::timeout(limit, lock.lock_owned())
            .await
            .map_err(|_| SourceError::Timeout { url: repo.url.clone(), limit })
    }
}

fn cache_name(repo: &RepoSpec) -> String {
    let who = if repo.credentials.authenticate() { "with" } else { "without" };
    let text = format!("{} {who} credentials", repo.url.normalized());
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(text.as_bytes());
    let tail = hasher.try_finalize().map(|id| id.to_string()).unwrap_or_default();
    let name: String = repo
        .url
        .normalized()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .take(60)
        .collect();
    format!("{name}-{tail}")
}

/// Looks at a repository on this machine, which is not ours to repair.
fn in_place<T>(
    repo: &Repository,
    url: &RepoUrl,
    commit: &CommitId,
    look: &Look<T>,
) -> Result<T, SourceError> {
    if !git::read::has(repo, commit) {
        return Err(SourceError::RevisionNotFound { url: url.clone(), revision: commit.to_string() });
    }
    look(repo).map_err(|problem| tell(url, problem))
}

/// Looks at a cache that has what is needed; none when it has not.
fn present<T>(path: &Path, needed: &Needed, look: &Look<T>) -> Result<Option<T>, Problem> {
    let Needed::Commit(commit) = needed else { return Ok(None) };
    let Ok(repo) = git::open(path, &[]) else { return Ok(None) };
    if git::read::has(&repo, commit) { look(&repo).map(Some) } else { Ok(None) }
}

/// Fetches what is missing and looks. A damaged cache is dropped and fetched once more.
fn fill<T>(
    access: &Access,
    path: &Path,
    needed: &Needed,
    look: &Look<T>,
    quota: &Quota,
) -> Result<T, SourceError> {
    match present(path, needed, look) {
        Ok(Some(found)) => return Ok(found),
        Err(Problem::Source(error)) => return Err(error),
        Ok(None) => match fetch(access, path, needed, quota).map(|()| after(access, path, needed, look)) {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(Problem::Source(error))) => return Err(error),
            Err(error) if !may_be_damage(&error) => return Err(error),
            Ok(Err(Problem::Broken(_))) | Err(_) => {}
        },
        Err(Problem::Broken(_)) => {}
    }
    rebuild(access, path, needed, look, quota)
}

/// Fetches into a new cache beside the old one, which it replaces only when that worked.
fn rebuild<T>(
    access: &Access,
    path: &Path,
    needed: &Needed,
    look: &Look<T>,
    quota: &Quota,
) -> Result<T, SourceError> {
    let fail =
        |error: std::io::Error| SourceError::Cache { url: access.url.clone(), message: error.to_string() };
    let fresh = path.with_extension("new");
    git::remote::discard(&fresh).map_err(fail)?;
    let found = fetch(access, &fresh, needed, quota)
        .and_then(|()| after(access, &fresh, needed, look).map_err(|problem| tell(&access.url, problem)));
    if found.is_err() {
        git::remote::discard(&fresh).map_err(fail)?;
        return found;
    }
    tracing::warn!(url = %access.url, "the cache was damaged and has been fetched anew");
    git::remote::discard(path).and_then(|()| std::fs::rename(&fresh, path)).map_err(fail)?;
    found
}

/// True for failures that a damaged cache can be the cause of.
fn may_be_damage(error: &SourceError) -> bool {
    matches!(error, SourceError::Cache { .. } | SourceError::Unreachable { .. })
}

fn fetch(access: &Access, path: &Path, needed: &Needed, quota: &Quota) -> Result<(), SourceError> {
    access.fetch(path, &Wanted::BranchesAndTags, quota)?;
    let Needed::Commit(commit) = needed else { return Ok(()) };
    if git::open(path, &[]).is_ok_and(|repo| git::read::has(&repo, commit)) {
        return Ok(());
    }
    access.fetch(path, &Wanted::Commit(commit), quota).map_err(|error| {
        tracing::debug!(url = %access.url, %commit, %error, "no such commit");
        SourceError::RevisionNotFound { url: access.url.clone(), revision: commit.to_string() }
    })
}

fn after<T>(access: &Access, path: &Path, needed: &Needed, look: &Look<T>) -> Result<T, Problem> {
    let repo = git::open(path, &[])?;
    if let Needed::Commit(commit) = needed
        && !git::read::has(&repo, commit)
    {
        let (url, revision) = (access.url.clone(), commit.to_string());
        return Err(SourceError::RevisionNotFound { url, revision }.into());
    }
    look(&repo)
}
