//! The Directory source: which files of a folder are manifests, and the objects in them. Pure.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use object::Object;
use thiserror::Error;

use crate::{FileKind, Tree};
use parse::Content;

mod check;
mod parse;
mod strict;

/// A file with this anywhere in it holds no manifest.
const SKIP_MARKER: &str = "+argocd:skip-file-rendering";

/// `spec.source.directory` of an Application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryOptions {
    /// Descend into folders.
    pub recurse: bool,
    /// Glob, such as `*.yaml` or `{a,b}/*.yml`, that paths must match; empty is all. `*` matches `/` too.
    pub include: String,
    /// Glob of paths to leave out; wins over `include`.
    pub exclude: String,
}

/// A file to parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// Path relative to the Application's folder.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Why a folder cannot be read as manifests.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DirectoryError {
    /// `include` or `exclude` is no glob.
    #[error("invalid glob {glob:?}: {message}")]
    Glob {
        /// What was given.
        glob: String,
        /// What is wrong.
        message: String,
    },
    /// Jsonnet is not rendered yet.
    #[error("{path}: jsonnet is not supported yet")]
    Jsonnet {
        /// The file.
        path: String,
    },
    /// Neither UTF-8 nor UTF-16.
    #[error("Failed to unmarshal {path:?}: the file is neither UTF-8 nor UTF-16")]
    Encoding {
        /// The file.
        path: String,
    },
}

/// Why a file cannot be parsed. The text is Argo CD's up to the parser's own words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", parse::text(self))]
pub struct ManifestError {
    /// The file, relative to the Application's folder.
    pub file: String,
    /// Which document of the file, from 0; none when the file as a whole cannot be read.
    pub document: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// Returns the manifests of a folder in lexical order of their paths: `.yaml`, `.yml` and `.json`.
///
/// **Source:** `findManifests` of Argo CD. Errors: [`DirectoryError`].
pub fn read(tree: &Tree, options: &DirectoryOptions) -> Result<Vec<ManifestFile>, DirectoryError> {
    let picker = Picker::new(options)?;
    let mut files = Vec::new();
    for (path, entry) in &tree.entries {
        let is_file = matches!(entry.kind, FileKind::File | FileKind::Symlink { .. });
        match extension(path) {
            Some("yaml" | "yml" | "json") if is_file && picker.wants(path) => {
                let text =
                    decode(&entry.bytes).ok_or_else(|| DirectoryError::Encoding { path: path.clone() })?;
                if !text.contains(SKIP_MARKER) {
                    files.push(ManifestFile { path: path.clone(), text });
                }
            }
            Some("jsonnet") if is_file && picker.wants(path) => {
                return Err(DirectoryError::Jsonnet { path: path.clone() });
            }
            _ => {}
        }
    }
    Ok(files)
}

/// Returns what the options pick and what cannot be read: links that lead nowhere, and, where folders are descended into,
/// those that are other repositories.
///
/// Errors: [`DirectoryError::Glob`].
pub fn missing(tree: &Tree, options: &DirectoryOptions) -> Result<Vec<Skipped>, DirectoryError> {
    let picker = Picker::new(options)?;
    let mut missing = Vec::new();
    for (path, entry) in &tree.entries {
        let is_manifest = matches!(extension(path), Some("yaml" | "yml" | "json" | "jsonnet"));
        let reason = match &entry.kind {
            FileKind::DanglingLink { target } if is_manifest && picker.wants(path) => {
                format!("it is a symbolic link to {target:?}, which does not exist")
            }
            FileKind::Submodule if options.recurse && !picker.excludes(path) => {
                "it is a submodule, and those are not fetched yet".to_owned()
            }
            FileKind::DanglingLink { .. }
            | FileKind::Submodule
            | FileKind::File
            | FileKind::Symlink { .. }
            | FileKind::FolderLink { .. } => continue,
        };
        missing.push(Skipped { file: path.clone(), reason });
    }
    Ok(missing)
}

/// Which paths of a folder are picked.
struct Picker {
    recurse: bool,
    include: Option<GlobMatcher>,
    exclude: Option<GlobMatcher>,
}

impl Picker {
    fn new(options: &DirectoryOptions) -> Result<Self, DirectoryError> {
        let (include, exclude) = (glob(&options.include)?, glob(&options.exclude)?);
        Ok(Self { recurse: options.recurse, include, exclude })
    }

    fn excludes(&self, path: &str) -> bool {
        self.exclude.as_ref().is_some_and(|glob| glob.is_match(path))
    }

    fn wants(&self, path: &str) -> bool {
        (self.recurse || !path.contains('/'))
            && !self.excludes(path)
            && self.include.as_ref().is_none_or(|glob| glob.is_match(path))
    }
}

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifests {
    /// The objects of the files in order, lists exploded.
    pub objects: Vec<Object>,
    /// Files that were left out and may have been meant.
    pub skipped: Vec<Skipped>,
}

/// A file or folder that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file, relative to the Application's folder.
    pub file: String,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is left out: {}", self.file, self.reason)
    }
}

/// Returns the objects of the files: see [`load`].
///
/// Errors: [`ManifestError`] of the first file that fails.
pub fn parse(files: &[ManifestFile]) -> Result<Vec<Object>, ManifestError> {
    load(files).map(|manifests| manifests.objects)
}

/// Returns the objects of the files and what was left out. A YAML file without anything of a manifest in it is passed
/// over; one with a part of it is an error, and so is an object without a name, a key that stands twice, and an item of a
/// list that is no object: nothing may be lost in silence. A JSON file must hold exactly one object.
///
/// **Source:** `getObjsFromYAMLOrJson` of Argo CD, which passes over more. Errors: [`ManifestError`] of the first file
/// that fails.
pub fn load(files: &[ManifestFile]) -> Result<Manifests, ManifestError> {
    let mut all = Manifests::default();
    for file in files {
        match parse::file(file)? {
            Content::Objects(objects) => all.objects.extend(objects),
            Content::Broken(skipped) => all.skipped.push(skipped),
        }
    }
    Ok(all)
}

fn extension(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(_, extension)| extension)
}

fn glob(text: &str) -> Result<Option<GlobMatcher>, DirectoryError> {
    if text.is_empty() {
        return Ok(None);
    }
    GlobBuilder::new(text)
        .build()
        .map(|glob| Some(glob.compile_matcher()))
        .map_err(|error| DirectoryError::Glob { glob: text.to_owned(), message: error.kind().to_string() })
}

/// Returns the text of UTF-8, or of UTF-16 that begins with a byte order mark.
fn decode(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}

#[cfg(test)]
mod tests;
