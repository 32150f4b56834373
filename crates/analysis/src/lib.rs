//! Analysis: when to measure, what a result means, and the verdict of a run.
//!
//! One pass over an AnalysisRun is [`check`] (arguments and limits are sound), [`due`] (what to measure now), the
//! measuring itself, which this crate never does, and [`record`] (the new status, and when to look again). It reads no
//! clock and no network. Start at [`record`].
//!
//! Source of the rules: `argo-rollouts/analysis` and `argo-rollouts/utils/analysis`.

mod argument;
mod check;
pub mod condition;
mod due;
mod record;
mod verdict;

pub use argument::{Secrets, redact, resolve, secrets};
pub use check::{Checked, Unsound, check, check_spec};
pub use due::{Task, TaskKind, due, wake};
pub use record::{Event, Measured, Recorded, expiry, invalid, record};
