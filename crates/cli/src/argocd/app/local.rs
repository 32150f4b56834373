//! Manifests of a folder of this machine.

use std::path::Path;

use object::Object;
use source::{FileEntry, FileKind, Tree};

use super::target::{folder, objects, place, ranked};
use crate::argocd::context::{Context, Failure};

/// Most files that are read.
const MAX_FILES: usize = 10_000;
/// Most bytes that are read, over all files.
const MAX_BYTES: u64 = 64 << 20;
/// Folders this deep are read.
const MAX_DEPTH: usize = 32;

/// Returns the manifests of a plain folder on this machine as they would be applied.
///
/// Errors: any other sort of source; a folder that cannot be read, or is larger than is read.
pub(super) async fn local_targets(
    app: &Object,
    path: &Path,
    context: &Context<'_>,
) -> Result<Vec<Object>, Failure> {
    let source = folder(app)?;
    let mut tree = Tree::default();
    let mut left = MAX_BYTES;
    let text =
        |message: &str| format!("error getting app source type: error getting app source type: {message}");
    std::fs::symlink_metadata(path).map_err(|error| {
        let cause = if error.kind() == std::io::ErrorKind::NotFound {
            "no such file or directory".to_owned()
        } else {
            error.to_string()
        };
        Failure::fatal(text(&format!("lstat {}: {cause}", path.display())))
    })?;
    collect(path, "", MAX_DEPTH, &mut tree, &mut left)?;
    let placed = place(objects(&tree, source)?, app, context).await?;
    Ok(ranked(placed, app))
}

/// Reads the manifests of `folder` into `tree`, named with `prefix` before them; links are not followed.
fn collect(
    folder: &Path,
    prefix: &str,
    depth: usize,
    tree: &mut Tree,
    left: &mut u64,
) -> Result<(), Failure> {
    let fail = |error: std::io::Error| Failure::fatal(format!("open {}: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else { continue };
        let kind = entry.file_type().map_err(fail)?;
        if kind.is_dir() && depth > 0 {
            collect(&entry.path(), &format!("{name}/"), depth - 1, tree, left)?;
        } else if kind.is_file() && is_manifest(&name) {
            let size = entry.metadata().map_err(fail)?.len();
            if tree.entries.len() >= MAX_FILES || size > *left {
                let text = format!(
                    "{}: more than is read: {MAX_FILES} files or {MAX_BYTES} bytes",
                    folder.display()
                );
                return Err(Failure::fatal(text));
            }
            *left -= size;
            let bytes = std::fs::read(entry.path()).map_err(fail)?.into();
            tree.entries.insert(name, FileEntry { bytes, kind: FileKind::File });
        }
    }
    Ok(())
}

fn is_manifest(name: &str) -> bool {
    [".yaml", ".yml", ".json", ".jsonnet"].iter().any(|extension| name.ends_with(extension))
}
