//! The verbs of `kubectl-argo-rollouts`, straight on the Kubernetes API.
//!
//! Start at [`run`]. Views are in [`view`]; each verb has its file.

mod action;
mod arguments;
mod context;
mod create;
mod get;
mod list;
mod observe;
mod promote;
mod set_image;
mod status;
mod undo;
pub mod view;

use std::ffi::OsString;
use std::io::Write as _;

pub(crate) use observe::One;

use crate::print::arguments::{Refusal, parse};
use crate::{Exit, Session};

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
    if let Verb::Version { short } = arguments.verb {
        return version(short, session);
    }
    let mut context = Context::open(&arguments.global, session).await?;
    let context = &mut context;
    match arguments.verb {
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
        Verb::Version { .. } => Ok(()),
    }
}

fn version(short: bool, session: &mut Session) -> Result<(), Failure> {
    writeln!(session.out, "kubectl-argo-rollouts: v{}+slipway", env!("CARGO_PKG_VERSION"))?;
    if !short {
        writeln!(session.out, "  Platform: {}/{}", std::env::consts::OS, std::env::consts::ARCH)?;
    }
    Ok(())
}
