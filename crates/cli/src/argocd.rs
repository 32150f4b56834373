//! The verbs of `argocd`, straight on the Kubernetes API (as `argocd --core`): no server is asked.
//!
//! Start at [`run`]. [`view`] holds what is shown, as pure functions of Application objects; `app` holds the verbs.

mod app;
mod arguments;
mod context;
mod live;
pub mod view;

use std::ffi::OsString;
use std::io::Write as _;

use object::Value;

use crate::print::arguments::{Refusal, parse};
use crate::words;
use crate::{Exit, Session};

use arguments::{Arguments, LogFormat, Verb};
use context::{Context, Failure};

/// Runs one command, arguments without the program's name behind those of `ARGOCD_OPTS`, and returns its exit code: 0; 1 for wrong arguments and
/// operations that failed; 20 for what the existing tool calls fatal.
pub async fn run(args: impl IntoIterator<Item = OsString>, session: &mut Session) -> Exit {
    let usual = std::env::var("ARGOCD_OPTS").map(|text| words(&text)).unwrap_or_default();
    let arguments = match parse::<Arguments>(usual.into_iter().chain(args)) {
        Ok(arguments) => arguments,
        Err(refusal) => return refuse(refusal, session),
    };
    let format = arguments.global.logformat;
    match execute(arguments, session).await {
        Ok(()) => Exit::OK,
        Err(Failure::Usage { text, problem }) => {
            if let Some(problem) = problem {
                log(session, format, "error", &problem);
            }
            refuse(Refusal::Usage(text), session)
        }
        Err(Failure::Fatal { message, exit }) => {
            log(session, format, "fatal", &message);
            exit
        }
        Err(Failure::Quiet(exit)) => exit,
    }
}

/// Writes help and what is wrong with the arguments to standard output, as the existing tool does.
fn refuse(refusal: Refusal, session: &mut Session) -> Exit {
    let (text, exit) = match refusal {
        Refusal::Help(text) => (text, Exit::OK),
        Refusal::Usage(text) => (text, Exit::FAILED),
        Refusal::Wrong(text) => (format!("Error: {text}\n"), Exit::FAILED),
    };
    if session.out.write_all(text.as_bytes()).is_ok() { exit } else { Exit::FAILED }
}

fn log(session: &mut Session, format: LogFormat, level: &str, message: &str) {
    let time = session.clock.now();
    let message = Value::from(message).to_string();
    let line = match format {
        LogFormat::Json => {
            let message = message.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
            format!("{{\"level\":\"{level}\",\"msg\":{message},\"time\":\"{time}\"}}")
        }
        LogFormat::Text => format!("time=\"{time}\" level={level} msg={message}"),
    };
    // Nobody is left to tell when this fails.
    let _ = writeln!(session.err, "{line}");
}

async fn execute(arguments: Arguments, session: &mut Session) -> Result<(), Failure> {
    match arguments.verb {
        Verb::Version { short, client: _ } => version(short, session),
        Verb::App { verb } => {
            let mut context = Context::open(&arguments.global, session).await?;
            app::run(*verb, &mut context).await
        }
    }
}

fn version(short: bool, session: &mut Session) -> Result<(), Failure> {
    writeln!(session.out, "argocd: v{}+slipway", env!("CARGO_PKG_VERSION"))?;
    if !short {
        writeln!(session.out, "  Platform: {}/{}", std::env::consts::OS, std::env::consts::ARCH)?;
    }
    Ok(())
}
