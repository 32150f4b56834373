//! Reading a commit from an object database.

use std::collections::VecDeque;

use bytes::Bytes;
use gix::{ObjectId, Repository, objs::tree::EntryKind};
use object::Time;

use super::Problem;
use crate::{
    CommitMetadata, Content, FileEntry, FileKind, RepoUrl, Selection, SourceError, Tree,
    revision::{CommitId, Reference},
};

/// How many symbolic links one path may lead through; as Linux.
const MAX_LINKS: usize = 40;

/// True when the commit is in the database.
pub(crate) fn has(repo: &Repository, commit: &CommitId) -> bool {
    object_id(commit).is_ok_and(|id| repo.find_commit(id).is_ok())
}

fn object_id(commit: &CommitId) -> Result<ObjectId, Problem> {
    ObjectId::from_hex(commit.as_str().as_bytes()).map_err(|error| Problem::Broken(error.to_string()))
}

/// Returns the ids of commits that begin with `prefix`, at most two.
pub(crate) fn beginning_with(repo: &Repository, prefix: &str) -> Result<Vec<CommitId>, Problem> {
    let mut found = Vec::new();
    for id in repo.objects.iter()? {
        let id = id.map_err(|error| Problem::Broken(error.to_string()))?;
        if id.to_hex().to_string().starts_with(prefix) && repo.find_commit(id).is_ok() {
            found.extend(CommitId::parse(&id.to_string()).filter(|id| !found.contains(id)));
        }
        if found.len() == 2 {
            break;
        }
    }
    Ok(found)
}

/// Returns author, date, message and the tags among `references`.
pub(crate) fn metadata(
    repo: &Repository,
    id: &CommitId,
    references: &[Reference],
) -> Result<CommitMetadata, Problem> {
    let commit = repo.find_commit(object_id(id)?)?;
    let author = commit.author()?;
    let mut tags: Vec<String> = references
        .iter()
        .filter(|reference| reference.commit == *id)
        .filter_map(|reference| Some(reference.name.strip_prefix("refs/tags/")?.to_owned()))
        .collect();
    tags.sort();
    Ok(CommitMetadata {
        author: format!("{} <{}>", author.name, author.email),
        date: Time::from_unix(commit.time()?.seconds),
        message: commit.message_raw()?.to_string().trim().to_owned(),
        tags,
    })
}

/// Returns the selected files of a commit.
pub(crate) fn files(
    repo: &Repository,
    url: &RepoUrl,
    commit: &CommitId,
    selection: &Selection,
) -> Result<Tree, Problem> {
    let root = repo.find_commit(object_id(commit)?)?.tree_id()?.detach();
    let reader = Reader { repo, url, root, selection };
    let folder = reader.folder()?;
    reader.walk(&folder)
}

struct Reader<'a> {
    repo: &'a Repository,
    url: &'a RepoUrl,
    root: ObjectId,
    selection: &'a Selection,
}

/// Where a path leads, links followed.
enum Found {
    Folder { path: Vec<String>, id: ObjectId },
    File { id: ObjectId },
    Nothing,
}

/// A folder yet to be read; `path` is relative to the selected one.
struct Pending {
    path: String,
    id: ObjectId,
    depth: usize,
}

/// What has been read so far.
#[derive(Default)]
struct Progress {
    bytes: u64,
    entries: usize,
    tree: Tree,
}

impl Reader<'_> {
    /// Finds the selected folder.
    fn folder(&self) -> Result<Selected, Problem> {
        let (url, path) = (self.url.clone(), self.selection.path.clone());
        if path.starts_with('/') || path.contains('\0') {
            return Err(SourceError::PathEscapes { url, path }.into());
        }
        match self.find(&[], &path, &path)? {
            Found::Folder { path, id } => Ok(Selected { path, id }),
            Found::File { .. } => Err(SourceError::NotADirectory { url, path }.into()),
            Found::Nothing => Err(SourceError::PathNotFound { url, path }.into()),
        }
    }

    fn walk(&self, selected: &Selected) -> Result<Tree, Problem> {
        let mut progress = Progress::default();
        let mut pending = vec![Pending { path: String::new(), id: selected.id, depth: 0 }];
        while let Some(folder) = pending.pop() {
            let tree = self.repo.find_tree(folder.id)?;
            for entry in tree.iter() {
                let entry = entry?;
                self.count(&mut progress, folder.depth)?;
                let path = format!("{}{}", folder.path, entry.filename());
                match entry.mode().kind() {
                    EntryKind::Tree => pending.push(Pending {
                        path: format!("{path}/"),
                        id: entry.object_id(),
                        depth: folder.depth + 1,
                    }),
                    EntryKind::Blob | EntryKind::BlobExecutable if self.wants(&path) => {
                        let bytes = self.load(&mut progress, &path, entry.object_id())?;
                        progress.tree.entries.insert(path, FileEntry { bytes, kind: FileKind::File });
                    }
                    EntryKind::Link => self.link(&mut progress, selected, path, entry.object_id())?,
                    EntryKind::Commit => {
                        let entry = FileEntry { bytes: Bytes::new(), kind: FileKind::Submodule };
                        progress.tree.entries.insert(path, entry);
                    }
                    EntryKind::Blob | EntryKind::BlobExecutable => {}
                }
            }
        }
        Ok(progress.tree)
    }

    fn count(&self, progress: &mut Progress, depth: usize) -> Result<(), Problem> {
        let limits = self.selection.limits;
        progress.entries += 1;
        let (what, limit) = match () {
            () if progress.entries > limits.entries => ("files and folders", limits.entries),
            () if depth > limits.depth => ("nested folders", limits.depth),
            () => return Ok(()),
        };
        let (url, path) = (self.url.clone(), self.selection.path.clone());
        Err(SourceError::TooMany { url, path, what, limit }.into())
    }

    fn wants(&self, path: &str) -> bool {
        const SUFFIXES: [&str; 5] = [".yaml", ".yml", ".json", ".jsonnet", ".libsonnet"];
        let name = path.rsplit('/').next().unwrap_or(path);
        match self.selection.content {
            Content::All => true,
            Content::Manifests => {
                name == "Kustomization" || SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
            }
        }
    }

    /// Reads a file, unless it takes the total over the limit.
    fn load(&self, progress: &mut Progress, file: &str, id: ObjectId) -> Result<Bytes, Problem> {
        let limit = self.selection.limits.bytes;
        progress.bytes = progress.bytes.saturating_add(self.repo.find_header(id)?.size());
        if progress.bytes > limit {
            let (url, path, file) = (self.url.clone(), self.selection.path.clone(), file.to_owned());
            return Err(SourceError::TooLarge { url, path, file, limit }.into());
        }
        Ok(Bytes::from(self.repo.find_blob(id)?.take_data()))
    }

    /// Follows a link of the selected folder. One that leads out of the repository is an error.
    fn link(
        &self,
        progress: &mut Progress,
        selected: &Selected,
        path: String,
        id: ObjectId,
    ) -> Result<(), Problem> {
        let mut parent = selected.path.clone();
        parent.extend(path.split('/').map(str::to_owned));
        let name = parent.join("/");
        parent.pop();
        let target = self.text(id, &name)?;
        let entry = match self.find(&parent, &target, &name)? {
            Found::Nothing => FileEntry { bytes: Bytes::new(), kind: FileKind::DanglingLink { target } },
            Found::Folder { path, .. } => {
                FileEntry { bytes: Bytes::new(), kind: FileKind::FolderLink { target: path.join("/") } }
            }
            Found::File { .. } if !self.wants(&path) => return Ok(()),
            Found::File { id } => {
                let bytes = self.load(progress, &path, id)?;
                FileEntry { bytes, kind: FileKind::Symlink { target } }
            }
        };
        progress.tree.entries.insert(path, entry);
        Ok(())
    }

    /// Returns the text of a link; 4096 bytes are the longest path of Linux.
    fn text(&self, id: ObjectId, name: &str) -> Result<String, Problem> {
        if self.repo.find_header(id)?.size() > 4096 {
            return Err(SourceError::SymlinkLoop { url: self.url.clone(), file: name.to_owned() }.into());
        }
        Ok(String::from_utf8_lossy(&self.repo.find_blob(id)?.data).into_owned())
    }

    /// Follows `path` from the folder `from`, which must hold no links; `name` is what errors call it.
    fn find(&self, from: &[String], path: &str, name: &str) -> Result<Found, Problem> {
        let (url, file) = (self.url.clone(), name.to_owned());
        let mut done = from.to_vec();
        let mut left: VecDeque<String> = path.split('/').map(str::to_owned).collect();
        let mut links = 0;
        if path.starts_with('/') {
            return Err(SourceError::SymlinkEscapes { url, file }.into());
        }
        while let Some(part) = left.pop_front() {
            match part.as_str() {
                "" | "." => continue,
                ".." if done.pop().is_some() => continue,
                ".." if name == self.selection.path && links == 0 => {
                    return Err(SourceError::PathEscapes { url, path: file }.into());
                }
                ".." => return Err(SourceError::SymlinkEscapes { url, file }.into()),
                _ => done.push(part),
            }
            let Some((kind, id)) = self.entry(&done)? else { return Ok(Found::Nothing) };
            match kind {
                EntryKind::Tree => {}
                EntryKind::Link => {
                    links += 1;
                    done.pop();
                    let target = self.text(id, name)?;
                    if target.starts_with('/') {
                        return Err(SourceError::SymlinkEscapes { url, file }.into());
                    }
                    if links > MAX_LINKS {
                        return Err(SourceError::SymlinkLoop { url, file }.into());
                    }
                    target.rsplit('/').for_each(|part| left.push_front(part.to_owned()));
                }
                _ if left.iter().all(String::is_empty) => return Ok(Found::File { id }),
                _ => return Ok(Found::Nothing),
            }
        }
        let id = if done.is_empty() { Some(self.root) } else { self.entry(&done)?.map(|(_, id)| id) };
        Ok(id.map_or(Found::Nothing, |id| Found::Folder { path: done, id }))
    }

    fn entry(&self, path: &[String]) -> Result<Option<(EntryKind, ObjectId)>, Problem> {
        let root = self.repo.find_tree(self.root)?;
        let entry = root.lookup_entry(path.iter().map(String::as_bytes))?;
        Ok(entry.map(|entry| (entry.mode().kind(), entry.object_id())))
    }
}

/// The selected folder: its path from the root, without links, and its tree.
struct Selected {
    path: Vec<String>,
    id: ObjectId,
}
