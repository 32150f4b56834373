//! Git content for Applications: which commit a revision means, and the files of that commit.
//!
//! [`Repositories`] is the door: `resolve` lists the references of a remote, `files` reads a folder of a commit from a
//! bare cache that is fetched on demand. [`manifests`] picks the manifests of such a folder and parses them.
//!
//! This crate never checks out a work tree: content is read from the object database, so no path of a repository is
//! ever a path of this machine. It runs nothing that a repository contains, and takes no settings from the user's or
//! the machine's Git configuration. Every call ends within its time limit, whatever the server does.

mod credentials;
mod error;
mod git;
pub mod manifests;
mod repositories;
pub mod revision;
mod tree;
mod url;

pub use credentials::{Credentials, RepositorySecret, SecretType, choose};
pub use error::SourceError;
pub use repositories::{LocalRepositories, RepoSpec, Repositories, Settings};
pub use revision::CommitId;
pub use tree::{CommitMetadata, Content, FileEntry, FileKind, Limits, Selection, Tree};
pub use url::RepoUrl;
