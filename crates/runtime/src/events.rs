//! [`Recorder`]: Kubernetes Events about what a controller did.

use std::sync::Arc;

use object::{Object, json};

use crate::{Cluster, Tasks};
use queue::{Queue, Record};

mod queue;
mod writer;

/// Kind of an Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// Something went as it should.
    Normal,
    /// Something did not.
    Warning,
}

impl EventType {
    /// Returns the type as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// Events are written by so many at once; those of one object always by the same, in the order they were recorded.
const WRITERS: usize = 4;

/// Writes the Events of an object in the order they were recorded, behind everything else: they have a lane of their own,
/// which is the last. What is told twice while it waits is written once, with the count; when too much waits, the oldest is dropped and
/// counted. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    queues: Arc<Open>,
    cluster: Cluster,
    host: String,
    part: String,
    in_order: bool,
}

/// Closes the queues with the last recorder.
struct Open(Vec<Arc<Queue>>);

impl Open {
    /// Returns the queue of an object.
    fn of(&self, object: &Object) -> &Queue {
        let bytes = object.namespace().bytes().chain(object.name().bytes());
        let sum = bytes.fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        &self.0[sum % self.0.len()]
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.iter().for_each(|queue| queue.close());
    }
}

impl Recorder {
    /// Returns a recorder whose Events carry `component` as their source; it ends with `tasks`.
    pub fn new(cluster: Cluster, component: &'static str, tasks: &Tasks) -> Self {
        let open = || {
            let queue = Arc::new(Queue::new(cluster.tally().clone()));
            tasks.spawn("events", writer::run(cluster.clone(), component, queue.clone()));
            queue
        };
        let queues = Arc::new(Open(std::iter::repeat_with(open).take(WRITERS).collect()));
        Self { queues, cluster, host: String::new(), part: String::new(), in_order: false }
    }

    /// Returns a recorder whose Events of an object tell a story: an Event is counted with an equal one only when nothing
    /// else was told of the object between them.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// Returns the same recorder for a component that runs on this host: its Events name the host, as a kubelet's do.
    #[must_use]
    pub fn on_host(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    /// Returns a recorder for Events about a part of an object, such as `spec.containers{web}` of a pod.
    #[must_use]
    pub fn about_part(&self, field_path: &str) -> Self {
        Self { part: field_path.to_owned(), ..self.clone() }
    }

    /// Records an Event about `object` and returns at once.
    pub fn record(&self, object: &Object, event_type: EventType, reason: &str, message: &str) {
        let mut about = json!({
            "apiVersion": object.api_version(), "kind": object.kind(), "name": object.name(),
            "namespace": object.namespace(), "uid": object.uid(), "resourceVersion": object.resource_version()
        });
        if !self.part.is_empty() {
            about["fieldPath"] = self.part.as_str().into();
        }
        if object.kind() == "Rollout" {
            self.cluster.tally().event(object.key(), event_type, reason);
        }
        let time = self.cluster.clock().now();
        self.queues.of(object).push(Record {
            about,
            host: self.host.clone(),
            event_type,
            reason: reason.to_owned(),
            message: message.chars().take(1024).collect(),
            first: time,
            last: time,
            times: 1,
            in_order: self.in_order,
        });
    }
}

#[cfg(test)]
mod tests;
