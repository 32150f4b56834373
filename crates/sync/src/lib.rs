//! GitOps decisions: what the source says + what the cluster has -> status of the Application and the next actions.
//!
//! Pure: it reads no clock (`now` is in the [`Observation`]), asks no server and remembers nothing but the
//! Application's status. It must never guess what an action did: the caller reports [`Outcome`]s.
//!
//! Start at [`refresh()`] (compare, and decide on an automated sync), [`step()`] (one pass of a running operation) and
//! [`deletion()`] (one pass of a cascading deletion).

mod action;
mod adopt;
mod auto;
mod blockers;
mod checks;
mod compare;
mod conditions;
mod deletion;
mod dry_run;
mod finish;
mod group;
mod hook;
mod links;
mod observation;
mod options;
mod order;
mod pairs;
mod progress;
pub mod project;
mod refresh;
mod rehearsal;
mod results;
mod retry;
mod router;
mod settle;
mod step;
mod task;
mod terminate;
mod tracking;
mod unsupported;

pub use action::{
    Action, Adoption, ApplyMode, Event, EventKind, FIELD_MANAGER, Outcome, Propagation, Validation, Waiting,
    Why,
};
pub use auto::{Decision, Skip, autosync};
pub use deletion::{Deletion, deletion};
pub use hook::{DeletePolicy, Role, delete_policies, role, wave};
pub use observation::{
    Cluster, Kinds, Level, Observation, Scope, Settings, Target, Tracking, TrackingMethod,
};
pub use order::{rank, reversed};
pub use pairs::{Pair, Pairs, reconcile};
pub use refresh::{Refresh, level_needed, refresh};
pub use retry::{BadDuration, self_heal_wait, wait as retry_wait};
pub use step::{SERVER_WAIT, Step, step};
pub use tracking::{Owner, TRACKING_ID, instance, owner};
