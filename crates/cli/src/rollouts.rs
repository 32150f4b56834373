//! The verbs of `kubectl-argo-rollouts`, straight on the Kubernetes API.
//!
//! Start at [`run`]. Views are in [`view`]; each verb has its file.

mod action;
mod arguments;
mod context;
mod create;
mod get;
mod lint;
mod list;
mod observe;
mod promote;
mod set_image;
mod status;
mod undo;
pub mod view;

use std::ffi::OsString;
use std::io::Write as _;

pub(crate) use get::CLEAR;
pub(crate) use observe::{One, Watched};

use crate::print::arguments::{Refusal, parse};
use crate::{Exit, Session};

pub(crate) use arguments::Shell;
use arguments::{Arguments, Verb};
use context::{Context, Failure};

/// Runs one command, arguments without the program's name, and returns its exit code: 0, or 1 with an `Error:` line or
/// the command's help on `session.err`.
pub async fn run(args: impl IntoIterator<Item = OsString>, session: &mut Session) -> Exit {
    let arguments = match parse::<Arguments>(args) {
        Ok(arguments) => arguments,
        Err(refusal) => return refuse(refusal, session),
    };
    match execute(arguments, session).await {
        Ok(()) => Exit::OK,
        Err(Failure::Usage(text)) => refuse(Refusal::Usage(text), session),
        Err(Failure::Error(text)) => refuse(Refusal::Wrong(text), session),
    }
}

fn refuse(refusal: Refusal, session: &mut Session) -> Exit {
    let (written, exit) = match refusal {
        Refusal::Help(text) => (session.out.write_all(text.as_bytes()), Exit::OK),
        Refusal::Usage(text) => (session.err.write_all(text.as_bytes()), Exit::FAILED),
        Refusal::Wrong(text) => (writeln!(session.err, "Error: {text}"), Exit::FAILED),
    };
    if written.is_ok() { exit } else { Exit::FAILED }
}

async fn execute(arguments: Arguments, session: &mut Session) -> Result<(), Failure> {
    let (global, verb) = (arguments.global, arguments.verb);
    let Some(verb) = alone(verb, session)? else { return Ok(()) };
    let mut context = Context::open(&global, session).await?;
    let context = &mut context;
    match verb {
        Verb::Get { what } => get::run(what, context).await,
        Verb::List { what } => list::run(what, context).await,
        Verb::Status(status) => status::run(status, context).await,
        Verb::Promote(promote) => promote::run(promote, context).await,
        Verb::Abort { names } => action::abort(&names, context).await,
        Verb::Retry { what } => action::retry(what, context).await,
        Verb::Pause { names } => action::pause(&names, context).await,
        Verb::Restart { names, after } => action::restart(&names, after, context).await,
        Verb::Create(options) => create::run(options, context).await,
        Verb::Terminate { what } => action::terminate(what, context).await,
        Verb::Undo(undo) => undo::run(&undo, context).await,
        Verb::Set { what } => set_image::run(what, context).await,
        Verb::Lint(_)
        | Verb::Completion { .. }
        | Verb::Dashboard { .. }
        | Verb::Notifications { .. }
        | Verb::Version { .. } => Ok(()),
    }
}

/// Runs a verb that needs no cluster, and returns any other.
fn alone(verb: Verb, session: &mut Session) -> Result<Option<Verb>, Failure> {
    match verb {
        Verb::Lint(options) => lint::run(&options, session)?,
        Verb::Completion { shell } => session.out.write_all(&completion::<Arguments>(shell))?,
        Verb::Dashboard { .. } => return Err(later("dashboard")),
        Verb::Notifications { what, .. } => {
            return Err(match what {
                Some(_) => later("notifications"),
                None => Failure::usage(&["notifications"]),
            });
        }
        Verb::Version { short } => version(short, session)?,
        verb => return Ok(Some(verb)),
    }
    Ok(None)
}

fn later(verb: &str) -> Failure {
    Failure::Error(format!("{verb:?} is not offered yet: it comes with a later version of slipway"))
}

/// Returns the text by which a shell completes the commands of `T`.
pub(crate) fn completion<T: clap::CommandFactory>(shell: Shell) -> Vec<u8> {
    use clap_complete::aot;
    let mut command = T::command();
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    let shell = match shell {
        Shell::Bash => aot::Shell::Bash,
        Shell::Zsh => aot::Shell::Zsh,
        Shell::Fish => aot::Shell::Fish,
        Shell::Powershell => aot::Shell::PowerShell,
    };
    aot::generate(shell, &mut command, name, &mut text);
    text
}

fn version(short: bool, session: &mut Session) -> Result<(), Failure> {
    writeln!(session.out, "kubectl-argo-rollouts: v{}+slipway", env!("CARGO_PKG_VERSION"))?;
    if !short {
        writeln!(session.out, "  Platform: {}/{}", std::env::consts::OS, std::env::consts::ARCH)?;
    }
    Ok(())
}
