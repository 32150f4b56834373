//! What is wrong with a configuration or with what it names.

use std::fmt;

use object::Value;

use crate::{Event, Reference};

/// Something wrong, with where it is and in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A field of the Rollout (`spec.strategy.canary.trafficRouting.istio`), or an object and its field
    /// (`VirtualService demo/shop spec.http`).
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// Warnings to record when a plan fails for it; empty for problems of validation.
    pub events: Vec<Event>,
}

impl Problem {
    /// Returns the problem of a value, as `field.Invalid`.
    pub(crate) fn invalid(path: &str, value: &Value, message: &str) -> Self {
        let value = match value {
            Value::String(text) => format!("{text:?}"),
            other => other.to_string(),
        };
        Self::plain(path, format!("Invalid value: {value}: {message}"))
    }

    /// Returns the problem of an absent field, as `field.Required`.
    pub(crate) fn required(path: &str, message: &str) -> Self {
        Self::plain(path, format!("Required value: {message}"))
    }

    /// Returns the problem of fields that do not go together, as `field.InternalError`.
    pub(crate) fn internal(path: &str, message: &str) -> Self {
        Self::plain(path, format!("Internal error: {message}"))
    }

    /// Returns a problem without events.
    pub(crate) fn plain(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), message: message.into(), events: Vec::new() }
    }

    /// Returns the problem of `field` of an object while a plan was made, with the warning upstream records for it.
    pub(crate) fn at(reference: &Reference, field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let place = format!("{} {}/{}", reference.gvk.kind, reference.namespace, reference.name);
        let path = if field.is_empty() { place } else { format!("{place} {field}") };
        let event = Event::warning("TrafficRoutingError", message.clone());
        Self { path, message, events: vec![event] }
    }

    /// Returns the problem of an object that a plan needs and that is not there.
    pub(crate) fn missing(reference: &Reference) -> Self {
        Self::at(reference, "", not_found(reference))
    }

    /// Returns the problem of one key of a map.
    pub(crate) fn invalid_key(path: &str, key: &str, message: &str) -> Self {
        Self::plain(&format!("{path}[{key:?}]"), message)
    }

    /// Returns the problem with the warning that upstream records when a plan fails for it.
    pub(crate) fn recorded(mut self) -> Self {
        self.events.push(Event::warning("TrafficRoutingError", self.message.clone()));
        self
    }

    /// Returns the problem with `event` recorded before its own.
    pub(crate) fn after(mut self, event: Event) -> Self {
        self.events.insert(0, event);
        self
    }
}

/// Returns the words of the API server for an object that is not there.
pub(crate) fn not_found(reference: &Reference) -> String {
    let plural = format!("{}s", reference.gvk.kind.to_lowercase());
    let resource = match reference.gvk.kind.as_str() {
        // A cache of upstream's answers for Ingresses, and it says the singular.
        "Ingress" => "ingress".to_owned(),
        _ => plural,
    };
    format!("{resource}.{} {:?} not found", reference.gvk.group, reference.name)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}
