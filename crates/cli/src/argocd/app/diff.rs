//! `app diff`.

use std::io::Write as _;
use std::path::Path;

use super::differences;
use super::local::local_targets;
use super::refresh::{self, Refresh};
use super::target::targets;
use crate::Exit;
use crate::argocd::arguments::Diff;
use crate::argocd::context::{Context, Failure};

/// Prints the differences; they make the exit code unless told otherwise.
pub(super) async fn run(options: &Diff, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut app = context.app(&options.name).await?;
    if options.refresh || options.hard_refresh {
        let how = if options.hard_refresh { Refresh::Hard } else { Refresh::Normal };
        app = refresh::run(&app, how, context).await?;
    }
    let targets = match options.local.as_deref().filter(|path| !path.is_empty()) {
        Some(path) => {
            if !options.server_side_generate {
                write!(context.session.err, "{LOCAL_WARNING}")?;
            }
            local_targets(&app, Path::new(path), context).await?
        }
        None => targets(&app, options.revision.as_deref(), context).await?,
    };
    let found = differences::print(&app, targets, context).await?;
    if found && options.exit_code { Err(Failure::Quiet(Exit(options.code_for_differences))) } else { Ok(()) }
}

/// What the existing tool says to who compares with a folder; without a line feed, as it does.
const LOCAL_WARNING: &str = "Warning: local diff without --server-side-generate is deprecated and does not work with plugins. \
     Server-side generation will be the default in v2.7.";
