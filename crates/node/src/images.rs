//! Images: an OCI layout in the node's directory, filled by hand. Nothing is pulled.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use object::{Value, json};
use oci_spec::image::{ImageConfiguration, ImageIndex, ImageManifest};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

mod build;
mod import;
mod layer;

pub use build::Recipe;

/// Annotation that holds `name:tag`.
const NAME: &str = "org.opencontainers.image.ref.name";
/// Largest document (index, manifest, configuration) that is read.
const MAX_DOCUMENT: u64 = 4 << 20;

/// Why an image cannot be made, read or unpacked.
#[derive(Debug, Error)]
pub enum ImageError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A document, a digest or a layer is not as it must be.
    #[error("{subject}: {problem}")]
    Invalid {
        /// What is wrong.
        subject: String,
        /// In which way.
        problem: String,
    },
}

impl ImageError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { path, source }
    }

    fn invalid(subject: impl std::fmt::Display, problem: impl std::fmt::Display) -> Self {
        Self::Invalid { subject: subject.to_string(), problem: problem.to_string() }
    }
}

/// An image in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `name:tag`.
    pub name: String,
    /// Digest of its manifest, `sha256:…`.
    pub digest: String,
    /// Bytes of its layers as stored.
    pub size: u64,
}

/// An image made ready to run.
#[derive(Clone, Debug)]
pub(crate) struct Unpacked {
    pub digest: String,
    pub rootfs: PathBuf,
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    pub env: Vec<String>,
    pub workdir: Option<String>,
}

/// The images of a node: an OCI layout.
#[derive(Clone, Debug)]
pub struct ImageStore {
    dir: PathBuf,
}

impl ImageStore {
    /// Opens the store in `dir`, making an empty one if there is none.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, ImageError> {
        let store = Self { dir: dir.into() };
        let blobs = store.dir.join("blobs/sha256");
        fs::create_dir_all(&blobs).map_err(ImageError::io(&blobs))?;
        let layout = store.dir.join("oci-layout");
        if !layout.exists() {
            write_atomic(&layout, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        }
        Ok(store)
    }

    /// Returns the images, by name.
    pub fn list(&self) -> Result<Vec<Image>, ImageError> {
        let mut images = Vec::new();
        for descriptor in self.index()?.manifests() {
            let name = descriptor.annotations().as_ref().and_then(|all| all.get(NAME));
            let Some(name) = name else { continue };
            let digest = descriptor.digest().to_string();
            let size = self.manifest(&digest)?.layers().iter().map(oci_spec::image::Descriptor::size).sum();
            images.push(Image { name: name.clone(), digest, size });
        }
        images.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(images)
    }

    /// Returns the digest of the image that `reference` means: a name with a tag (`latest` when there is none), with or
    /// without `docker.io/library/`.
    pub fn find(&self, reference: &str) -> Result<Option<String>, ImageError> {
        let wanted = canonical(reference);
        let images = self.list()?.into_iter();
        Ok(images.filter(|image| canonical(&image.name) == wanted).map(|image| image.digest).next())
    }

    /// Unpacks the image with this digest unless that is done, and returns how to run it.
    pub(crate) fn unpack(&self, digest: &str) -> Result<Unpacked, ImageError> {
        let manifest = self.manifest(digest)?;
        let config = self.document(manifest.config().digest().as_ref())?;
        let config: ImageConfiguration =
            serde_json::from_slice(&config).map_err(|error| ImageError::invalid(digest, error))?;
        let rootfs = self.dir.join("unpacked").join(hex_part(digest)?);
        if !rootfs.exists() {
            self.unpack_layers(&manifest, &rootfs)?;
        }
        let run = config.config().clone().unwrap_or_default();
        Ok(Unpacked {
            digest: digest.to_owned(),
            rootfs,
            entrypoint: run.entrypoint().clone().unwrap_or_default(),
            cmd: run.cmd().clone().unwrap_or_default(),
            env: run.env().clone().unwrap_or_default(),
            workdir: run.working_dir().clone().filter(|dir| !dir.is_empty()),
        })
    }

    /// Unpacks next to the target and renames, so that a half unpacked image is never run. What cannot be finished is
    /// removed: on a full disk each try would leave more behind.
    fn unpack_layers(&self, manifest: &ImageManifest, rootfs: &Path) -> Result<(), ImageError> {
        let partial = rootfs.with_extension(unique());
        let outcome = self.unpack_to(manifest, &partial);
        if outcome.is_err() {
            let _ = fs::remove_dir_all(&partial);
            return outcome;
        }
        match fs::rename(&partial, rootfs) {
            Err(_) if rootfs.exists() => fs::remove_dir_all(&partial).map_err(ImageError::io(&partial)),
            other => other.map_err(ImageError::io(rootfs)),
        }
    }

    fn unpack_to(&self, manifest: &ImageManifest, partial: &Path) -> Result<(), ImageError> {
        let _ = fs::remove_dir_all(partial);
        fs::create_dir_all(partial).map_err(ImageError::io(partial))?;
        for descriptor in manifest.layers() {
            layer::unpack(&self.blob(descriptor.digest().as_ref())?, partial)?;
        }
        Ok(())
    }

    /// Adds an image by its manifest, whose blobs are in the store, under `name`.
    fn tag(&self, name: &str, manifest: &[u8]) -> Result<Image, ImageError> {
        let digest = self.put(manifest)?;
        let mut index =
            serde_json::to_value(self.index()?).map_err(|error| ImageError::invalid("index", error))?;
        let entry = json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": manifest.len(),
            "annotations": {NAME: name}
        });
        if let Value::Array(manifests) = &mut index["manifests"] {
            manifests.retain(|other| other["annotations"][NAME] != name);
            manifests.push(entry);
        }
        write_atomic(&self.dir.join("index.json"), index.to_string().as_bytes())?;
        let size = self.manifest(&digest)?.layers().iter().map(oci_spec::image::Descriptor::size).sum();
        Ok(Image { name: name.to_owned(), digest, size })
    }

    /// Stores a blob and returns its digest.
    fn put(&self, content: &[u8]) -> Result<String, ImageError> {
        let digest = digest(content);
        let path = self.blob(&digest)?;
        if !path.exists() {
            write_atomic(&path, content)?;
        }
        Ok(digest)
    }

    fn index(&self) -> Result<ImageIndex, ImageError> {
        let path = self.dir.join("index.json");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
                    .to_vec()
            }
            other => other.map_err(ImageError::io(&path))?,
        };
        serde_json::from_slice(&text).map_err(|error| ImageError::invalid(path.display(), error))
    }

    fn manifest(&self, digest: &str) -> Result<ImageManifest, ImageError> {
        serde_json::from_slice(&self.document(digest)?).map_err(|error| ImageError::invalid(digest, error))
    }

    /// Reads a small blob and checks its digest.
    fn document(&self, digest: &str) -> Result<Vec<u8>, ImageError> {
        let path = self.blob(digest)?;
        let size = fs::metadata(&path).map_err(ImageError::io(&path))?.len();
        if size > MAX_DOCUMENT {
            return Err(ImageError::invalid(digest, format!("{size} bytes are too many for a document")));
        }
        let content = fs::read(&path).map_err(ImageError::io(&path))?;
        if self::digest(&content) != digest {
            return Err(ImageError::invalid(digest, "the content has another digest"));
        }
        Ok(content)
    }

    fn blob(&self, digest: &str) -> Result<PathBuf, ImageError> {
        Ok(self.dir.join("blobs/sha256").join(hex_part(digest)?))
    }
}

/// Returns the digest of `content` as `sha256:…`.
fn digest(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Returns the hexadecimal part of a digest, which is safe as a file name.
fn hex_part(digest: &str) -> Result<&str, ImageError> {
    let part = digest.strip_prefix("sha256:").filter(|hex| hex.len() == 64);
    part.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .ok_or_else(|| ImageError::invalid(digest, "not a sha256 digest"))
}

/// Returns a reference with its tag and without the default registry.
fn canonical(reference: &str) -> String {
    let name = reference.strip_prefix("docker.io/").unwrap_or(reference);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') || last.contains('@') { name.to_owned() } else { format!("{name}:latest") }
}

/// Returns a file extension that nobody else uses: containers of one image are prepared side by side.
fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}.partial", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn write_atomic(path: &Path, content: &[u8]) -> Result<(), ImageError> {
    let partial = path.with_extension(unique());
    let write = || {
        let mut file = fs::File::create(&partial)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&partial);
        ImageError::io(path)(error)
    })
}

#[cfg(test)]
mod tests;
