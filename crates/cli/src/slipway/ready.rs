//! Telling others that a server is ready.

use std::path::PathBuf;

use anyhow::Context as _;
use object::Value;
use tokio::signal::unix::{SignalKind, signal};

/// `--ready-file`.
#[derive(Debug, Default, clap::Args)]
pub struct ReadyFile {
    /// Write a JSON file with the addresses once everything serves
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

impl ReadyFile {
    /// Writes the file, whole or not at all.
    pub fn write(&self, ready: &Value) -> anyhow::Result<()> {
        let Some(path) = &self.ready_file else { return Ok(()) };
        let part = path.with_extension("part");
        std::fs::write(&part, ready.to_string())
            .with_context(|| format!("cannot write {}", part.display()))?;
        std::fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Waits for SIGINT or SIGTERM.
pub async fn until_told() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
