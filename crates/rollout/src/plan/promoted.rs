//! Why the current template becomes the stable one.

use std::fmt;

use api::rollout::CompletionStatus;

use super::pass::Pass;

/// Why the current template becomes the stable one, or stays it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Because {
    /// There is nothing stable yet.
    Initial,
    /// The user skipped the rest.
    Full,
    /// It is younger than the window says.
    Window,
    /// Its pods still wait to be scaled down, or it is the stable one.
    Back,
    /// It went through this many steps.
    Steps(usize),
    /// The users are with it.
    Switched,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Initial => f.write_str("Initial deploy"),
            Self::Full => f.write_str("Full promotion requested"),
            Self::Window => f.write_str("Rollback within window"),
            Self::Back => f.write_str("Fast rollback"),
            Self::Steps(steps) => write!(f, "Completed all {steps} canary steps"),
            Self::Switched => f.write_str("Completed blue-green update"),
        }
    }
}

impl Because {
    /// Returns how an update that is promoted for this reason ends. Whether it is a rollback shows only before the
    /// promotion is stored.
    pub(super) fn completion(self, pass: &Pass) -> CompletionStatus {
        match self {
            Self::Full => CompletionStatus::FastPromoted,
            Self::Window | Self::Back => CompletionStatus::FastRolledBack,
            Self::Steps(_) | Self::Switched if pass.fully_promoted() && has_newer(pass) => {
                CompletionStatus::FastRolledBack
            }
            Self::Steps(_) | Self::Switched if is_older_than_stable(pass) => CompletionStatus::RolledBack,
            Self::Initial | Self::Steps(_) | Self::Switched => CompletionStatus::Promoted,
        }
    }
}

/// Returns true when there was another version after the current one.
fn has_newer(pass: &Pass) -> bool {
    let created = pass.sets.new_set().and_then(|new| new.created);
    pass.sets.all.iter().any(|set| set.created > created)
}

/// Source: `isRollback`.
fn is_older_than_stable(pass: &Pass) -> bool {
    let (new, stable) = (pass.sets.new_set(), pass.sets.stable_apart());
    new.zip(stable).is_some_and(|(new, stable)| new.created < stable.created)
}
