//! Events a plan records on the Rollout.

use object::Value;

use crate::{Action, keys};

/// Whether something went as wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// As wanted.
    Normal,
    /// Not as wanted.
    Warning,
}

/// An Event on the Rollout, with upstream's reason and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whether it went as wanted.
    pub kind: EventKind,
    /// CamelCase word, e.g. `ScalingReplicaSet`.
    pub reason: String,
    /// Sentence for people.
    pub message: String,
}

impl Event {
    /// Returns an event of a router.
    pub(crate) fn of_router(event: traffic::Event) -> Self {
        let kind = match event.kind {
            traffic::EventKind::Normal => EventKind::Normal,
            traffic::EventKind::Warning => EventKind::Warning,
        };
        Self { kind, reason: event.reason.to_owned(), message: event.message }
    }

    /// Returns a normal event.
    pub fn normal(reason: &str, message: impl Into<String>) -> Self {
        Self { kind: EventKind::Normal, reason: reason.to_owned(), message: message.into() }
    }

    /// Returns a warning.
    pub fn warning(reason: &str, message: impl Into<String>) -> Self {
        Self { kind: EventKind::Warning, reason: reason.to_owned(), message: message.into() }
    }
}

/// Reasons of events of routers, which tell of all their writes of a pass together.
const OF_ROUTERS: [&str; 7] = [
    "Updated VirtualService",
    "UpdatedDestinationRule",
    "CreatingCanaryIngress",
    "PatchingCanaryIngress",
    "PatchingALBIngress",
    "TrafficSplitCreated",
    "TrafficSplitModified",
];

/// Returns the reasons of the events that tell of one action; none for routers.
fn reasons(action: &Action) -> &'static [&'static str] {
    let numbers = |patch: &Value| patch["metadata"]["annotations"].get(keys::REVISION).is_some();
    match action {
        Action::CreateReplicaSet(set) if set.int(&["spec", "replicas"]).unwrap_or(0) > 0 => {
            &["NewReplicaSetCreated", "ScalingReplicaSet"]
        }
        Action::CreateReplicaSet(_) => &["NewReplicaSetCreated"],
        Action::ScaleReplicaSet { .. } => &["ScalingReplicaSet"],
        Action::SwitchService(_) => &["SwitchService"],
        Action::CreateExperiment(_) => &["ExperimentCreated"],
        Action::PatchRollout { patch } if numbers(patch) => &["RolloutUpdated"],
        _ => &[],
    }
}

/// Returns those of `events` that tell what `done`, the first actions of the plan, have done, whatever becomes of the
/// others and of the status: the next pass will not find it to do. `all` says whether they are all of the plan's.
pub(crate) fn told<'a>(events: &'a [Event], done: &[Action], all: bool) -> Vec<&'a Event> {
    let mut reasons: Vec<&str> = done.iter().flat_map(reasons).copied().collect();
    let mut tells = |event: &Event| {
        let of_one = reasons.iter().position(|reason| *reason == event.reason);
        of_one.map(|index| reasons.swap_remove(index)).is_some()
            || (all && OF_ROUTERS.contains(&event.reason.as_str()))
    };
    events.iter().filter(|event| tells(event)).collect()
}
