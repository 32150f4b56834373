//! Where things are: the checkout, and the cache outside it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// The root of the checkout.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// The cache that checkouts share: `$SLIPWAY_CACHE`, `$XDG_CACHE_HOME/slipway` or `~/.cache/slipway`.
///
/// **Errors**: none of the three variables is set.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("SLIPWAY_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("slipway")))
        .or_else(|| set("HOME").map(|dir| dir.join(".cache/slipway")))
        .context("set SLIPWAY_CACHE, XDG_CACHE_HOME or HOME: there is no place for a cache")
}

/// The cargo that runs this, so that its toolchain is kept.
pub(crate) fn cargo() -> std::ffi::OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The folder of builds, as cargo says it; one folder a profile below it.
///
/// **Errors**: cargo does not say it.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let mut metadata = Command::new(cargo());
    metadata.current_dir(workspace());
    metadata.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.output()?.stdout)?;
    let target =
        metadata["target_directory"].as_str().context("cargo metadata does not tell the target folder")?;
    Ok(PathBuf::from(target))
}
