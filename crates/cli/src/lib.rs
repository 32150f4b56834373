//! The command line: `slipway <verb>`, and the verbs of `kubectl-argo-rollouts` and `argocd` when called by a link of
//! that name.
//!
//! One file a command. A command gets a [`Session`] and returns an [`Exit`]; it never exits the process or prints but
//! through the session, so that tests and scenarios run the same code. Start at [`main`].

mod print;
pub mod rollouts;
mod session;

pub use session::{Colour, Exit, Session};

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

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let face = Face::of(&arguments.first().map(|name| name.to_string_lossy()).unwrap_or_default());
    let _ = face;
    ExitCode::SUCCESS
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
