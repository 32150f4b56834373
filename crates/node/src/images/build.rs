//! Building an image from a directory.

use std::fs;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use object::{Value, json};

use super::{Image, ImageError, ImageStore, digest};

/// What an image is made of.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// `name:tag`.
    pub name: String,
    /// Directory whose content becomes the image's root.
    pub root: PathBuf,
    /// Program and first arguments, e.g. `/colorapi`.
    pub entrypoint: Vec<String>,
    /// Arguments that a pod may replace.
    pub cmd: Vec<String>,
    /// Variables, `NAME=value`.
    pub env: Vec<String>,
    /// Working directory in the image.
    pub workdir: Option<String>,
}

impl Recipe {
    /// Returns the recipe in a configuration document, with the keys `name`, `entrypoint`, `cmd`, `env`, `workdir`.
    ///
    /// Errors: [`ImageError::Invalid`] naming the first wrong key.
    pub fn read(config: &Value, root: &Path) -> Result<Self, ImageError> {
        let known = ["name", "entrypoint", "cmd", "env", "workdir"];
        let keys =
            config.as_object().ok_or_else(|| ImageError::invalid("image configuration", "not a map"))?;
        if let Some(key) = keys.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(ImageError::invalid(format!("image configuration: {key}"), "unknown key"));
        }
        let list = |key: &str| match &config[key] {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                Ok(items.iter().filter_map(|item| Some(item.as_str()?.to_owned())).collect())
            }
            _ => Err(ImageError::invalid(format!("image configuration: {key}"), "not a list of strings")),
        };
        let name = config["name"].as_str().filter(|name| !name.is_empty());
        Ok(Self {
            name: name.ok_or_else(|| ImageError::invalid("image configuration: name", "missing"))?.to_owned(),
            root: root.to_owned(),
            entrypoint: list("entrypoint")?,
            cmd: list("cmd")?,
            env: list("env")?,
            workdir: config["workdir"].as_str().map(str::to_owned),
        })
    }
}

impl ImageStore {
    /// Builds an image of one layer and stores it under its name; the same input gives the same digest.
    pub fn build(&self, recipe: &Recipe) -> Result<Image, ImageError> {
        let fail = ImageError::io(&recipe.root);
        let tar = pack(&recipe.root).map_err(fail)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let layer = std::io::Write::write_all(&mut encoder, &tar).and_then(|()| encoder.finish());
        let layer = layer.map_err(ImageError::io(&recipe.root))?;
        let config = json!({
            "architecture": "amd64", "os": "linux",
            "config": {
                "Entrypoint": recipe.entrypoint, "Cmd": recipe.cmd, "Env": recipe.env,
                "WorkingDir": recipe.workdir.as_deref().unwrap_or("")
            },
            "rootfs": {"type": "layers", "diff_ids": [digest(&tar)]}
        })
        .to_string();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": self.put(config.as_bytes())?, "size": config.len()},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": self.put(&layer)?, "size": layer.len()}]
        });
        self.tag(&recipe.name, manifest.to_string().as_bytes())
    }
}

/// Returns a tar of the directory's content, in name order and without times, so that it is the same every time.
fn pack(root: &Path) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    builder.mode(tar::HeaderMode::Deterministic);
    builder.follow_symlinks(false);
    append(&mut builder, root, Path::new(""))?;
    builder.into_inner()
}

fn append(builder: &mut tar::Builder<Vec<u8>>, root: &Path, relative: &Path) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(root.join(relative))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        let name = relative.join(path.file_name().unwrap_or_default());
        builder.append_path_with_name(&path, &name)?;
        if path.symlink_metadata()?.is_dir() {
            append(builder, root, &name)?;
        }
    }
    Ok(())
}
