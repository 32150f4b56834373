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

impl Event {
    /// Returns a normal event.
    pub fn normal(reason: &str, message: impl Into<String>) -> Self {
        Self { kind: EventKind::Normal, reason: reason.to_owned(), message: message.into() }
    }

    /// Returns a warning.
    pub fn warning(reason: &str, message: impl Into<String>) -> Self {
        Self { kind: EventKind::Warning, reason: reason.to_owned(), message: message.into() }
    }
}
