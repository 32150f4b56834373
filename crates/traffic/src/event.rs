//! Events to record on the Rollout.

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
    /// Word for programs, e.g. `Updated VirtualService`.
    pub reason: &'static str,
    /// Sentence for people.
    pub message: String,
}

impl Event {
    /// Returns a normal event.
    pub fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind: EventKind::Normal, reason, message: message.into() }
    }

    /// Returns a warning.
    pub fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind: EventKind::Warning, reason, message: message.into() }
    }
}
