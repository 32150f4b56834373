//! Unpacking layers: untrusted archives that must stay where they are put.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};

use super::ImageError;

/// Most bytes that one layer may unpack to.
const MAX_BYTES: u64 = 8 << 30;
/// Most entries of one layer.
const MAX_ENTRIES: usize = 500_000;

/// Unpacks the layer in `blob` over `root`, honouring whiteouts. Device files are left out.
pub(super) fn unpack(blob: &Path, root: &Path) -> Result<(), ImageError> {
    let mut file = BufReader::new(File::open(blob).map_err(ImageError::io(blob))?);
    let start = std::io::BufRead::fill_buf(&mut file).map_err(ImageError::io(blob))?;
    let gzip = start.starts_with(&[0x1f, 0x8b]);
    let reader: Box<dyn Read> =
        if gzip { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut archive = tar::Archive::new(reader.take(MAX_BYTES));
    let entries = archive.entries().map_err(ImageError::io(blob))?;
    for (count, entry) in entries.enumerate() {
        if count >= MAX_ENTRIES {
            return Err(ImageError::invalid(blob.display(), "too many entries"));
        }
        one(entry.map_err(ImageError::io(blob))?, root, blob)?;
    }
    Ok(())
}

fn one(mut entry: tar::Entry<'_, impl Read>, root: &Path, blob: &Path) -> Result<(), ImageError> {
    let path = entry.path().map_err(ImageError::io(blob))?.into_owned();
    let Some(relative) = plain(&path) else {
        return Err(ImageError::invalid(
            blob.display(),
            format!("entry {} leaves the image", path.display()),
        ));
    };
    let name = relative.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    if let Some(hidden) = name.strip_prefix(".wh.") {
        return whiteout(root, &relative, hidden);
    }
    let kind = entry.header().entry_type();
    if kind.is_block_special()
        || kind.is_character_special()
        || kind.is_fifo()
        || relative.as_os_str().is_empty()
    {
        return Ok(());
    }
    entry.set_preserve_permissions(true);
    entry.set_preserve_mtime(false);
    // Refuses to go through symbolic links that lead out of `root`.
    let unpacked = entry.unpack_in(root).map_err(ImageError::io(blob))?;
    if !unpacked {
        return Err(ImageError::invalid(
            blob.display(),
            format!("entry {} leaves the image", path.display()),
        ));
    }
    Ok(())
}

/// Removes what an upper layer hides. Source: OCI image specification, layer.md, "Whiteouts".
fn whiteout(root: &Path, relative: &Path, hidden: &str) -> Result<(), ImageError> {
    let parent = root.join(relative.parent().unwrap_or(Path::new("")));
    let inside = parent
        .canonicalize()
        .is_ok_and(|parent| root.canonicalize().is_ok_and(|root| parent.starts_with(root)));
    if !inside {
        return Ok(());
    }
    let victims: Vec<PathBuf> = if hidden == ".wh..opq" {
        fs::read_dir(&parent).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    } else if plain(Path::new(hidden)).is_some_and(|hidden| hidden.components().count() == 1) {
        vec![parent.join(hidden)]
    } else {
        Vec::new()
    };
    for victim in victims {
        let is_dir = victim.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let removed = if is_dir { fs::remove_dir_all(&victim) } else { fs::remove_file(&victim) };
        if let Err(error) = removed
            .or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
        {
            return Err(ImageError::io(&victim)(error));
        }
    }
    Ok(())
}

/// Returns a path of plain names only; `None` when it would leave its base.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    Some(out)
}
