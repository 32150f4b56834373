//! Programs that run on our behalf and must not outlive us.

use std::process::{Command, ExitStatus};

/// Runs a program with our terminal until it ends. If the caller is dropped meanwhile, the program is killed.
///
/// **Errors**: it cannot be started.
pub(crate) async fn run(command: Command) -> std::io::Result<ExitStatus> {
    tokio::process::Command::from(command).kill_on_drop(true).status().await
}
