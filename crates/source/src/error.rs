//! What can go wrong with a repository, in words its owner understands.

use std::time::Duration;

use thiserror::Error;

use crate::RepoUrl;

/// Why a revision or the files of a commit cannot be had. URLs in it carry no credentials.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// The URL is not one of a Git repository.
    #[error("invalid repository URL {url:?}: {reason}")]
    InvalidUrl {
        /// What was given, without credentials.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Repositories on this machine's file system are not allowed by [`crate::Settings`].
    #[error("repository not permitted: {url} is on the local file system")]
    LocalRefused {
        /// The repository.
        url: RepoUrl,
    },
    /// The server says there is no such repository.
    #[error("repository not found: {url}")]
    RepositoryNotFound {
        /// The repository.
        url: RepoUrl,
    },
    /// No connection, no TLS session, or an answer that is not Git's.
    #[error("unable to reach repository {url}: {message}")]
    Unreachable {
        /// The repository.
        url: RepoUrl,
        /// The cause.
        message: String,
    },
    /// Credentials are absent or wrong.
    #[error("authentication required: {url}")]
    AuthenticationRequired {
        /// The repository.
        url: RepoUrl,
    },
    /// Credentials are known to the server but do not allow reading.
    #[error("authorization failed: {url}")]
    AuthorizationFailed {
        /// The repository.
        url: RepoUrl,
    },
    /// The SSH server shows a key that is not among the known ones.
    #[error("host key of {url} cannot be verified: {message}")]
    HostKey {
        /// The repository.
        url: RepoUrl,
        /// What the `ssh` program said.
        message: String,
    },
    /// The credentials cannot be used, such as a key file that is no key.
    #[error("invalid credentials for repository {url}: {message}")]
    InvalidCredentials {
        /// The repository.
        url: RepoUrl,
        /// What is wrong with them.
        message: String,
    },
    /// The time limit passed.
    #[error("timed out after {} s waiting for repository {url}", .limit.as_secs_f64())]
    Timeout {
        /// The repository.
        url: RepoUrl,
        /// The limit.
        limit: Duration,
    },
    /// No branch, tag or commit of that name.
    #[error("unable to resolve '{revision}' to a commit SHA: revision not found")]
    RevisionNotFound {
        /// The repository.
        url: RepoUrl,
        /// What was asked for.
        revision: String,
    },
    /// The abbreviated commit id fits several commits.
    #[error("unable to resolve '{revision}' to a commit SHA: revision is ambiguous")]
    RevisionAmbiguous {
        /// The repository.
        url: RepoUrl,
        /// What was asked for.
        revision: String,
    },
    /// The commit has no such folder.
    #[error("{path}: app path does not exist")]
    PathNotFound {
        /// The repository.
        url: RepoUrl,
        /// The folder as it was asked for.
        path: String,
    },
    /// The path is that of a file.
    #[error("{path}: app path is not a directory")]
    NotADirectory {
        /// The repository.
        url: RepoUrl,
        /// The path as it was asked for.
        path: String,
    },
    /// The path is absolute or leaves the repository.
    #[error("{path}: app path is outside of the repository")]
    PathEscapes {
        /// The repository.
        url: RepoUrl,
        /// The path as it was asked for.
        path: String,
    },
    /// A symbolic link leaves the repository.
    #[error("repository contains out-of-bounds symlinks. file: {file}")]
    SymlinkEscapes {
        /// The repository.
        url: RepoUrl,
        /// The link, relative to the root of the repository.
        file: String,
    },
    /// Symbolic links that point at each other.
    #[error("too many levels of symbolic links. file: {file}")]
    SymlinkLoop {
        /// The repository.
        url: RepoUrl,
        /// The link, relative to the root of the repository.
        file: String,
    },
    /// The files together are larger than allowed.
    #[error("{path}: files exceed the limit of {limit} bytes. file: {file}")]
    TooLarge {
        /// The repository.
        url: RepoUrl,
        /// The folder.
        path: String,
        /// The file that went over.
        file: String,
        /// Bytes.
        limit: u64,
    },
    /// The repository as a whole is larger than allowed.
    #[error("repository {url} exceeds the limit of {limit} bytes")]
    RepositoryTooLarge {
        /// The repository.
        url: RepoUrl,
        /// Bytes on disk.
        limit: u64,
    },
    /// More files or folders, or deeper ones, than allowed.
    #[error("{path}: more than {limit} {what}")]
    TooMany {
        /// The repository.
        url: RepoUrl,
        /// The folder.
        path: String,
        /// What there is too much of.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// The cache on disk cannot be used: full, not writable, damaged.
    #[error("cache of repository {url} failed: {message}")]
    Cache {
        /// The repository.
        url: RepoUrl,
        /// The cause.
        message: String,
    },
}

impl SourceError {
    /// Returns true when asking again later may help without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Timeout { .. } | Self::Cache { .. })
    }
}
