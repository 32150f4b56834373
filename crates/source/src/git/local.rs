//! Repositories on this machine's file system are read in place.

use gix::Repository;

use super::Problem;
use crate::{
    RepoUrl, SourceError,
    revision::{CommitId, Reference},
};

/// Opens the repository of a `file://` URL: a bare one or a work tree's.
pub(crate) fn open(url: &RepoUrl) -> Result<Repository, SourceError> {
    let not_found = || SourceError::RepositoryNotFound { url: url.clone() };
    let path = url.local_path().ok_or_else(not_found)?;
    super::open(&path, &[]).map_err(|error| {
        tracing::debug!(%url, error = super::describe(&error), "not a repository");
        not_found()
    })
}

/// Returns the references and `HEAD`; those that lead to no commit are left out.
pub(crate) fn references(repo: &Repository) -> Result<Vec<Reference>, Problem> {
    let mut out = Vec::new();
    if let Ok(id) = repo.head_id()
        && let Some(commit) = CommitId::parse(&id.to_string())
    {
        out.push(Reference { name: "HEAD".into(), commit });
    }
    for reference in repo.references()?.all()? {
        let mut reference = reference.map_err(|error| Problem::Broken(error.to_string()))?;
        let name = reference.name().as_bstr().to_string();
        let commit = reference.peel_to_id().ok().and_then(|id| CommitId::parse(&id.to_string()));
        out.extend(commit.map(|commit| Reference { name, commit }));
    }
    Ok(out)
}
