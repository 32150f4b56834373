//! Events a plan records on the Rollout.

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

/// Reasons of events that tell of an action, not of a decision about the status.
const OF_ACTIONS: [&str; 10] = [
    "NewReplicaSetCreated",
    "RolloutUpdated",
    "ScalingReplicaSet",
    "SwitchService",
    "Updated VirtualService",
    "UpdatedDestinationRule",
    "CreatingCanaryIngress",
    "PatchingCanaryIngress",
    "PatchingALBIngress",
    "TrafficSplitCreated",
];

impl Event {
    /// Returns true when it tells what an action of the same plan did, whatever becomes of the status.
    pub fn is_of_action(&self) -> bool {
        OF_ACTIONS.contains(&self.reason.as_str())
    }

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
