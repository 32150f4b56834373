//! Everything that calls gix: blocking, one repository at a time. [`crate::Repositories`] bounds its time.

use std::path::Path;

use gix::{Repository, open::Options};

use crate::SourceError;

pub(crate) mod local;
pub(crate) mod read;
pub(crate) mod remote;

/// Why reading went wrong: something to tell the user, or damage that a new fetch may repair.
#[derive(Debug)]
pub(crate) enum Problem {
    Source(SourceError),
    Broken(String),
}

impl From<SourceError> for Problem {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<gix::Error> for Problem {
    fn from(error: gix::Error) -> Self {
        Self::Broken(describe(&error))
    }
}

/// No object may claim more memory than 256 MiB, whatever its header says.
const OBJECT_LIMIT: &str = "gitoxide.objects.allocLimit=256m";

/// Opens a repository without any setting of the user, the machine or the environment.
pub(crate) fn open(path: &Path, settings: &[String]) -> gix::Result<Repository> {
    let settings = settings.iter().map(String::as_str).chain([OBJECT_LIMIT]);
    let options = Options::isolated().config_overrides(settings);
    gix::open_opts(path, options)
}

/// Returns the causes of an error, outermost first, in one line of at most 500 characters.
pub(crate) fn describe(error: &gix::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.iter_errors() {
        let text = cause.to_string().replace(['\n', '\r'], " ");
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ").chars().take(500).collect()
}
