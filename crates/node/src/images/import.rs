//! Importing images from OCI layouts.

use std::fs::{self, File};
use std::io::{BufReader, Read as _};
use std::path::Path;

use object::Value;
use sha2::{Digest as _, Sha256};

use super::{Image, ImageError, ImageStore, NAME, hex, layer};

impl ImageStore {
    /// Imports every named image of an OCI layout, a directory or a tar (compressed or not). `name` names an image that
    /// has none in the layout. Returns what was imported.
    pub fn import(&self, source: &Path, name: Option<&str>) -> Result<Vec<Image>, ImageError> {
        if source.is_dir() {
            return self.import_dir(source, name);
        }
        let partial = self.dir.join(format!("import.{}", super::unique()));
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir_all(&partial).map_err(ImageError::io(&partial))?;
        let outcome = layer::unpack(source, &partial).and_then(|()| self.import_dir(&partial, name));
        let _ = fs::remove_dir_all(&partial);
        outcome
    }

    fn import_dir(&self, layout: &Path, name: Option<&str>) -> Result<Vec<Image>, ImageError> {
        let path = layout.join("index.json");
        let text = fs::read(&path).map_err(ImageError::io(&path))?;
        let index: Value =
            serde_json::from_slice(&text).map_err(|error| ImageError::invalid(path.display(), error))?;
        let mut images = Vec::new();
        for descriptor in index["manifests"].as_array().into_iter().flatten() {
            let annotations = &descriptor["annotations"];
            let full = annotations["io.containerd.image.name"].as_str();
            let named = full.or_else(|| annotations[NAME].as_str()).or(name);
            let Some(named) = named else { continue };
            let digest = descriptor["digest"].as_str().unwrap_or_default();
            images.push(self.import_image(layout, named, digest)?);
        }
        if images.is_empty() {
            return Err(ImageError::invalid(layout.display(), "no image with a name"));
        }
        Ok(images)
    }

    fn import_image(&self, layout: &Path, name: &str, digest: &str) -> Result<Image, ImageError> {
        self.copy(layout, digest)?;
        let manifest = self.manifest(digest)?;
        self.copy(layout, manifest.config().digest().as_ref())?;
        for layer in manifest.layers() {
            self.copy(layout, layer.digest().as_ref())?;
        }
        let content = self.document(digest)?;
        self.tag(name, &content)
    }

    /// Copies a blob of the layout and checks its digest on the way.
    fn copy(&self, layout: &Path, digest: &str) -> Result<(), ImageError> {
        let target = self.blob(digest)?;
        if target.exists() {
            return Ok(());
        }
        let source = layout.join("blobs/sha256").join(super::hex_part(digest)?);
        let mut reader = BufReader::new(File::open(&source).map_err(ImageError::io(&source))?);
        let (mut hash, mut buffer) = (Sha256::new(), vec![0; 64 << 10]);
        loop {
            let read = reader.read(&mut buffer).map_err(ImageError::io(&source))?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
        }
        if hex(&hash.finalize()) != digest {
            return Err(ImageError::invalid(digest, "the content has another digest"));
        }
        fs::copy(&source, &target).map(drop).map_err(ImageError::io(&target))
    }
}
