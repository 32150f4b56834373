//! Rollout -> plan.
//!
//! From a Rollout's spec and status and what was observed around it this crate says what to change in the cluster,
//! what the new status is, when to look again, and why. Start at [`validate`], then [`plan`].
//!
//! One pass of a controller: read the object as [`api::rollout::Rollout`] (else [`unreadable`]), [`validate`] it (else
//! [`invalid`]), [`plan`], carry out the actions in order, write the status patch, record the events, wake. When
//! [`Action::CreateReplicaSet`] meets a taken name: [`collides`] and [`collided`]; when it is refused: [`create_refused`].
//!
//! Inside: `hash` names ReplicaSets as upstream does, `template` tells whether two templates mean the same, `maths` is
//! the sizes, `runs` makes AnalysisRuns of templates, `plan/` is one file a concern of a pass, in upstream's order.
//!
//! Experiments are planned in [`experiment`]. [`mod@explain`] tells what a plan means to somebody who waits, and what comes
//! next; [`lint`] is the check of a file.
//!
//! This crate never does I/O, reads no clock and keeps no state: the object's status is the only memory.

mod action;
mod affinity;
mod checked;
mod collision;
mod config;
mod event;
pub mod experiment;
pub mod explain;
pub mod hash;
mod invalid;
pub mod keys;
mod maths;
mod metadata;
mod observed;
mod plan;
mod reason;
mod runs;
mod sets;
mod template;
mod validate;
mod workload;

pub use action::{Action, ServiceSwitch};
pub use checked::{AbortDelay, BlueGreen, Checked, Delays, Promotion, Routed, Settings, Step, Threshold};
pub use collision::{collided, collides, create_refused};
pub use config::{missing_config, tracks_config};
pub use event::{Event, EventKind};
pub use invalid::{invalid, unreadable};
pub use observed::{Extent, Observed, Referenced};
pub use plan::{Plan, plan, plan_through};
pub use reason::{Reason, Why};
pub use validate::{Problem, lint, validate};
pub use workload::{ScaleDown, Workload, workload_reference};

/// Returns what has to be observed for the routers of a Rollout ([`Referenced::live`]), by name and by labels; nothing
/// when they are configured wrongly or when there are none.
pub fn router_references(
    rollout: &api::rollout::Rollout,
    settings: &traffic::Settings,
) -> (Vec<traffic::Reference>, Vec<traffic::Selection>) {
    plan::router_references_of(rollout, settings)
}
