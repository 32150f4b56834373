//! Container images made here: one layer, no registry.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// What an image is made of.
pub(crate) struct Image<'a> {
    /// Name and tag.
    pub(crate) name: &'a str,
    /// Its one program, which becomes `/<file name>` and is what it runs.
    pub(crate) program: &'a Path,
    /// Its variables, `NAME=value`.
    pub(crate) env: &'a [String],
}

impl Image<'_> {
    /// Writes the archive that `ctr images import` reads (the format of `docker save`), with the libraries that the
    /// program is linked with.
    ///
    /// **Errors**: a file cannot be read or written.
    pub(crate) fn write(&self, archive: &Path) -> anyhow::Result<()> {
        let inside = Path::new("/").join(self.program.file_name().unwrap_or_default());
        let mut layer = builder(Vec::new());
        layer.append_path_with_name(self.program, inside.strip_prefix("/")?)?;
        for library in libraries(self.program)? {
            // A link in an image would point nowhere.
            let real = std::fs::canonicalize(&library)?;
            layer.append_path_with_name(real, library.trim_start_matches('/'))?;
        }
        let layer = layer.into_inner()?;
        let digest =
            Sha256::digest(&layer).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let config = json!({
            "architecture": "amd64", "os": "linux",
            "config": {"Entrypoint": [inside], "Env": self.env},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
        });
        let manifest = json!([{"Config": "config.json", "RepoTags": [self.name], "Layers": ["layer.tar"]}]);
        let mut all = builder(File::create(archive)?);
        append(&mut all, "layer.tar", &layer)?;
        append(&mut all, "config.json", config.to_string().as_bytes())?;
        append(&mut all, "manifest.json", manifest.to_string().as_bytes())?;
        all.into_inner()?.sync_all().context("cannot write an image")
    }
}

fn builder<W: std::io::Write>(into: W) -> tar::Builder<W> {
    let mut builder = tar::Builder::new(into);
    builder.mode(tar::HeaderMode::Deterministic);
    // containerd reads no sparse files.
    builder.sparse(false);
    builder
}

fn append<W: std::io::Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    content: &[u8],
) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content)
}

/// The files that the loader maps for a program; none for a static one.
fn libraries(program: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new("ldd").arg(program).output().context("cannot run ldd")?;
    Ok(mapped(&String::from_utf8_lossy(&output.stdout)))
}

/// The absolute paths in what `ldd` prints.
fn mapped(ldd: &str) -> Vec<String> {
    let words = ldd.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    words.filter(|word| !word.ends_with(':')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_found_and_static_programs_have_none() {
        let text = "\tlinux-vdso.so.1 (0x1)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x2)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x3)\n";
        assert_eq!(mapped(text), ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
        assert!(mapped("\tnot a dynamic executable\n").is_empty());
    }
}
