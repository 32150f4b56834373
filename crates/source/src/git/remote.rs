//! Listing and fetching over http and ssh.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use gix::{
    Repository,
    progress::Discard,
    protocol::{fetch::Tags, handshake::Ref},
    remote::{Connection, Direction, ref_map},
};

use super::describe;
use crate::{
    Credentials, RepoUrl, SourceError,
    revision::{CommitId, Reference},
    url::Transport,
};

mod http;
mod quota;
mod ssh;

pub(crate) use quota::Quota;

type Line<'a, 'repo> =
    Connection<'a, 'static, 'repo, Box<dyn gix::protocol::transport::client::blocking_io::Transport + Send>>;

/// A remote repository, with what it takes to reach it.
#[derive(Clone)]
pub(crate) struct Access {
    pub url: RepoUrl,
    pub credentials: Credentials,
    /// For each request, from connecting to the last byte.
    pub limit: Duration,
    /// The program that speaks ssh.
    pub ssh: PathBuf,
}

/// What is fetched.
pub(crate) enum Wanted<'a> {
    /// All branches and tags.
    BranchesAndTags,
    /// One commit that no branch or tag leads to. Servers may refuse.
    Commit(&'a CommitId),
}

impl Wanted<'_> {
    fn refspecs(&self) -> Vec<String> {
        match self {
            Self::BranchesAndTags => {
                vec!["+refs/heads/*:refs/heads/*".into(), "+refs/tags/*:refs/tags/*".into()]
            }
            Self::Commit(id) => vec![format!("+{id}:refs/slipway/{id}")],
        }
    }
}

impl Access {
    /// Returns all references of the remote. `empty` is a bare repository to work from, made when absent; nothing is
    /// written to it, so that all remotes share it.
    pub(crate) fn references(&self, empty: &Mutex<PathBuf>) -> Result<Vec<Reference>, SourceError> {
        let session = ssh::Session::begin(self)?;
        let repo = {
            let path = empty.lock().unwrap_or_else(PoisonError::into_inner);
            open_or_create(&self.url, &path, &session.settings)?
        };
        let refs = self.list(&repo).map_err(|error| self.explain(&error, &session))?;
        Ok(refs.into_iter().filter_map(reference).collect())
    }

    fn list(&self, repo: &Repository) -> gix::Result<Vec<Ref>> {
        let remote = self.remote(repo, &Wanted::BranchesAndTags)?;
        let options = ref_map::Options { prefix_from_spec_as_filter_on_remote: false, ..Default::default() };
        let (map, _) = self.connect(&remote)?.ref_map(Discard, options)?;
        Ok(map.remote_refs)
    }

    /// Fetches into the bare repository `cache`, which is made when absent. A failure leaves it as it was, except that
    /// a cache of more than `quota` bytes is dropped.
    pub(crate) fn fetch(&self, cache: &Path, wanted: &Wanted, quota: &Quota) -> Result<(), SourceError> {
        let session = ssh::Session::begin(self)?;
        let repo = open_or_create(&self.url, cache, &session.settings)?;
        let result = quota.watch(cache, |stop| self.receive(&repo, wanted, stop));
        if quota.is_exceeded(cache) {
            let _ = discard(cache);
            return Err(SourceError::RepositoryTooLarge { url: self.url.clone(), limit: quota.bytes });
        }
        result.map_err(|error| self.explain(&error, &session))
    }

    fn receive(&self, repo: &Repository, wanted: &Wanted, stop: &AtomicBool) -> gix::Result<()> {
        let remote = self.remote(repo, wanted)?;
        self.connect(&remote)?
            .prepare_fetch(Discard, ref_map::Options::default())?
            .with_write_packed_refs_only(true)
            .receive(Discard, stop)?;
        Ok(())
    }

    fn remote<'repo>(&self, repo: &'repo Repository, wanted: &Wanted) -> gix::Result<gix::Remote<'repo>> {
        let specs = wanted.refspecs();
        let remote = repo.remote_at_without_url_rewrite(self.url.for_git())?;
        let scheme = remote.url(Direction::Fetch).map(|url| url.scheme.as_str().to_owned());
        let expected = match self.url.transport() {
            Transport::Http => "http",
            Transport::Https => "https",
            Transport::Ssh => "ssh",
            Transport::File => "file",
        };
        // what is limited and authenticated is what is connected to
        if scheme.as_deref() != Some(expected) {
            return Err(gix::Error::from_error(std::io::Error::other("the URL can be read in two ways")));
        }
        remote.with_fetch_tags(Tags::None).with_refspecs(specs.iter().map(String::as_str), Direction::Fetch)
    }

    fn connect<'a, 'repo>(&self, remote: &'a gix::Remote<'repo>) -> gix::Result<Line<'a, 'repo>> {
        let connection =
            remote.connect(Direction::Fetch)?.with_credentials(http::answer(&self.url, &self.credentials));
        Ok(match self.url.transport() {
            Transport::Http | Transport::Https => connection.with_transport_options(Box::new(http::options(
                &self.url,
                &self.credentials,
                self.limit,
            ))),
            Transport::Ssh | Transport::File => connection,
        })
    }

    /// Returns what a failure means to the user, by what the `ssh` program said if it was that.
    fn explain(&self, error: &gix::Error, session: &ssh::Session) -> SourceError {
        let said = session.said();
        let has = |words: &str| said.iter().any(|line| line.contains(words));
        let url = self.url.clone();
        let last = || self.credentials.conceal(said.last().cloned().unwrap_or_default());
        if has("Host key verification failed") || has("HOST IDENTIFICATION HAS CHANGED") {
            let told = said.iter().find(|line| line.contains("host key")).cloned();
            SourceError::HostKey { url, message: told.unwrap_or_else(last) }
        } else if let Some(line) = said.iter().find(|line| line.starts_with("Load key")) {
            // it names a file of ours that is gone by now
            let cause = line.rsplit_once(": ").map_or("", |(_, cause)| cause);
            SourceError::InvalidCredentials {
                url,
                message: format!("the private key cannot be read: {cause}"),
            }
        } else if has("Permission denied") {
            SourceError::AuthenticationRequired { url }
        } else if has("timed out") {
            SourceError::Timeout { url, limit: self.limit }
        } else if has("Connection refused") || has("resolve hostname") || has("Connection closed") {
            SourceError::Unreachable { url, message: last() }
        } else {
            self.classify(error)
        }
    }

    /// Returns what a failure means to the user.
    fn classify(&self, error: &gix::Error) -> SourceError {
        let (url, message) = (self.url.clone(), self.credentials.conceal(describe(error)));
        let lower = message.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if error.is_unauthenticated()
            || has(&["http status 401", "permission denied (", "authenticationrequired"])
        {
            SourceError::AuthenticationRequired { url }
        } else if has(&["http client configuration failed"]) {
            SourceError::InvalidCredentials { url, message }
        } else if has(&["http status 403"]) {
            SourceError::AuthorizationFailed { url }
        } else if has(&["http status 404", "repository not found", "does not appear to be a git repository"])
        {
            SourceError::RepositoryNotFound { url }
        } else if has(&["timed out", "timeout"]) {
            SourceError::Timeout { url, limit: self.limit }
        } else {
            SourceError::Unreachable { url, message }
        }
    }
}

fn reference(reference: Ref) -> Option<Reference> {
    let (name, object) = match reference {
        Ref::Peeled { full_ref_name, object, .. }
        | Ref::Direct { full_ref_name, object }
        | Ref::Symbolic { full_ref_name, object, .. } => (full_ref_name, object),
        Ref::Unborn { .. } => return None,
    };
    Some(Reference { name: name.to_string(), commit: CommitId::parse(&object.to_string())? })
}

/// Opens the cache; one that is absent or cannot be opened is made anew.
fn open_or_create(url: &RepoUrl, path: &Path, settings: &[String]) -> Result<Repository, SourceError> {
    if let Ok(repo) = super::open(path, settings) {
        return Ok(repo);
    }
    let fail = |message: String| SourceError::Cache { url: url.clone(), message };
    discard(path).map_err(|error| fail(error.to_string()))?;
    std::fs::create_dir_all(path).map_err(|error| fail(error.to_string()))?;
    gix::init_bare(path).map_err(|error| fail(describe(&error)))?;
    super::open(path, settings).map_err(|error| fail(describe(&error)))
}

/// Removes a cache.
pub(crate) fn discard(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
