//! [`Recorder`]: Kubernetes Events about what a controller did.

use std::collections::BTreeMap;

use object::{Key, Object, Time, Value, json};
use tokio::sync::mpsc;

use crate::{Cluster, Patch, Tasks, resources};

/// Events that may wait; more are dropped, oldest kept, because an Event never holds up a decision.
const BACKLOG: usize = 10_000;
/// Names that are tried for an Event before the last attempt.
const NAMES: usize = 16;
/// Series that are remembered for counting repetitions.
const SERIES: usize = 4_096;

/// Kind of an Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// Something went as it should.
    Normal,
    /// Something did not.
    Warning,
}

impl EventType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// Writes Events in the order they were recorded, behind everything else. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    sender: mpsc::Sender<Record>,
    cluster: Cluster,
    host: String,
    part: String,
}

struct Record {
    about: Value,
    host: String,
    event_type: EventType,
    reason: String,
    message: String,
    time: Time,
}

impl Recorder {
    /// Returns a recorder whose Events carry `component` as their source; it ends with `tasks`.
    pub fn new(cluster: Cluster, component: &'static str, tasks: &Tasks) -> Self {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        let writer = Writer { cluster: cluster.clone(), component, series: BTreeMap::new(), count: 0 };
        tasks.spawn("events", writer.run(receiver));
        Self { sender, cluster, host: String::new(), part: String::new() }
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
        let record = Record {
            about,
            host: self.host.clone(),
            event_type,
            reason: reason.to_owned(),
            message: message.chars().take(1024).collect(),
            time: self.cluster.clock().now(),
        };
        if self.sender.try_send(record).is_err() {
            tracing::warn!(reason, "too many events waiting, one dropped");
        }
    }
}

/// Object, part of it, type, reason and message.
type SeriesKey = (String, String, EventType, String, String);

struct Writer {
    cluster: Cluster,
    component: &'static str,
    series: BTreeMap<SeriesKey, (Key, u64)>,
    count: u64,
}

impl Writer {
    async fn run(mut self, mut receiver: mpsc::Receiver<Record>) {
        while let Some(record) = receiver.recv().await {
            if let Err(error) = self.write(record).await {
                tracing::debug!(%error, "event not written");
            }
        }
    }

    async fn write(&mut self, record: Record) -> Result<(), crate::ApiError> {
        let text = |field: &str| record.about[field].as_str().unwrap_or_default().to_owned();
        let series = (
            text("uid"),
            text("fieldPath"),
            record.event_type,
            record.reason.clone(),
            record.message.clone(),
        );
        if let Some((key, count)) = self.series.get_mut(&series) {
            *count += 1;
            let patch = Patch::merge(json!({"count": *count, "lastTimestamp": record.time.to_string()}));
            match self.cluster.patch(&resources::EVENTS, key, &patch).await {
                Err(error) if error.is_not_found() => {}
                other => return other.map(drop),
            }
        }
        let created = self.create(&record).await?;
        if self.series.len() >= SERIES {
            self.series.clear();
        }
        self.series.insert(series, (created.key(), 1));
        Ok(())
    }

    /// Creates the Event. Its name may be taken by an Event of another writer about the same object at the same time.
    async fn create(&mut self, record: &Record) -> Result<Object, crate::ApiError> {
        for _ in 0..NAMES {
            let event = self.event(record);
            match self.cluster.create(&resources::EVENTS, &event).await {
                Err(error) if error.is_already_exists() => {}
                outcome => return outcome,
            }
        }
        let event = self.event(record);
        self.cluster.create(&resources::EVENTS, &event).await
    }

    fn event(&mut self, record: &Record) -> Object {
        self.count += 1;
        let namespace = match record.about["namespace"].as_str() {
            Some("") | None => "default",
            Some(namespace) => namespace,
        };
        let nanoseconds = record.time.timestamp().as_nanosecond();
        let name = format!(
            "{}.{:x}{:02x}",
            record.about["name"].as_str().unwrap_or_default(),
            nanoseconds,
            self.count % 256
        );
        let mut source = json!({"component": self.component});
        if !record.host.is_empty() {
            source["host"] = record.host.as_str().into();
        }
        Object::from_value(json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": record.about,
            "type": record.event_type.as_str(), "reason": record.reason, "message": record.message,
            "source": source,
            "firstTimestamp": record.time.to_string(), "lastTimestamp": record.time.to_string(), "count": 1,
            "reportingComponent": self.component, "reportingInstance": record.host
        }))
    }
}
