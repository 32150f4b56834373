//! The command line: `slipway <verb>`, and the verbs of `kubectl-argo-rollouts` and `argocd` when called by a link of
//! that name.
//!
//! One file a command. A command gets a [`Session`] and returns an [`Exit`]; it never exits the process or prints but
//! through the session, so that tests and scenarios run the same code. Start at [`main`].

pub mod argocd;
mod connect;
mod print;
pub mod rollouts;
mod session;
mod slipway;
mod words;

pub use session::{Colour, Exit, Session};
pub use words::words;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// Which tool's command line this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// `slipway`.
    Slipway,
    /// `kubectl-argo-rollouts`, also `kubectl argo rollouts`.
    Rollouts,
    /// `argocd`.
    Argocd,
}

impl Face {
    /// Returns the face for the name the process was called by.
    pub fn of(program: &str) -> Self {
        match Path::new(program).file_stem().and_then(|stem| stem.to_str()) {
            Some("kubectl-argo-rollouts") => Self::Rollouts,
            Some("argocd") => Self::Argocd,
            _ => Self::Slipway,
        }
    }
}

/// Runs a command line, without its program name, as `face`.
pub async fn run(face: Face, arguments: impl IntoIterator<Item = OsString>, session: &mut Session) -> Exit {
    match face {
        Face::Slipway => slipway::run(arguments, session).await,
        Face::Rollouts => rollouts::run(arguments, session).await,
        Face::Argocd => argocd::run(arguments, session).await,
    }
}

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let face = Face::of(&arguments.next().unwrap_or_default().to_string_lossy());
    log(face);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let exit = runtime.block_on(async { run(face, arguments, &mut Session::of_process()).await });
    runtime.shutdown_background();
    ExitCode::from(exit.0)
}

/// Logs to standard error, as `SLIPWAY_LOG` says: when absent, `info` for servers and nothing for the other faces, whose
/// commands say themselves what went wrong.
fn log(face: Face) {
    let default = match face {
        Face::Slipway => "info,kube=warn,hyper=warn",
        Face::Rollouts | Face::Argocd => "off",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("SLIPWAY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        // a log that cannot be written, as on a full disk, must not end who logs
        .log_internal_errors(false)
        .init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_name_chooses_the_face() {
        assert_eq!(Face::of("/usr/bin/argocd"), Face::Argocd);
        assert_eq!(Face::of("./kubectl-argo-rollouts"), Face::Rollouts);
        assert_eq!(Face::of("slipway"), Face::Slipway);
    }
}
