//! Values: what is asked of a commit and what comes back.

use std::collections::BTreeMap;

use bytes::Bytes;
use object::Time;

/// The files of a folder of a commit; keys are paths relative to that folder, with `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Files in lexical order of their paths.
    pub entries: BTreeMap<String, FileEntry>,
}

impl Tree {
    /// Returns the content of the file at `path`.
    pub fn bytes(&self, path: &str) -> Option<&Bytes> {
        self.entries.get(path).map(|entry| &entry.bytes)
    }
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Content; that of the file it leads to for a symbolic link, nothing for what leads to no file.
    pub bytes: Bytes,
    /// What it is.
    pub kind: FileKind,
}

/// What an entry is in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    File,
    /// A symbolic link to a file of the repository.
    Symlink {
        /// The link's text.
        target: String,
    },
    /// A symbolic link that leads nowhere.
    DanglingLink {
        /// The link's text.
        target: String,
    },
    /// A commit of another repository, which is not fetched.
    Submodule,
    /// A symbolic link to a folder of the repository; it is not descended into.
    FolderLink {
        /// Path of the folder relative to the root of the repository.
        target: String,
    },
}

/// Which files of a folder are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of them.
    All,
    /// Those that can be manifests or say how to make some: `.yaml`, `.yml`, `.json`, `.jsonnet`, `.libsonnet` and
    /// `Kustomization`. Others are neither read nor counted.
    Manifests,
}

/// Upper bounds of what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Entries visited, folders included.
    pub entries: usize,
    /// Nested folders.
    pub depth: usize,
}

impl Default for Limits {
    /// 10 MB, as Argo CD's `--max-combined-directory-manifests-size`; 50,000 entries; 64 folders deep.
    fn default() -> Self {
        Self { bytes: 10_000_000, entries: 50_000, depth: 64 }
    }
}

/// A folder and what of it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Folder relative to the root of the repository; empty or `.` is the root.
    pub path: String,
    /// Which files.
    pub content: Content,
    /// How much at most.
    pub limits: Limits,
}

impl Selection {
    /// Returns a selection of all files of `path` within the default limits.
    pub fn all(path: &str) -> Self {
        Self { path: path.to_owned(), content: Content::All, limits: Limits::default() }
    }

    /// Returns a selection of the manifests of `path` within the default limits.
    pub fn manifests(path: &str) -> Self {
        Self { content: Content::Manifests, ..Self::all(path) }
    }
}

/// Who made a commit, when and why. **Source:** `RevisionMetadata` of Argo CD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMetadata {
    /// `Name <address>`.
    pub author: String,
    /// When it was committed.
    pub date: Time,
    /// The message, trimmed.
    pub message: String,
    /// Tags that point at it, in lexical order.
    pub tags: Vec<String>,
}
