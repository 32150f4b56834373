//! Writes the Events that wait, one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::{Key, Object, json};

use super::queue::{Queue, Record, Series, forget_others};
use crate::{ApiError, Cluster, Patch, resources};

/// Names that are tried for an Event before the last attempt.
const NAMES: usize = 16;
/// Series that are remembered for counting repetitions.
const SERIES: usize = 4_096;

/// Writes until the queue is closed and empty.
pub(super) async fn run(cluster: Cluster, component: &'static str, queue: Arc<Queue>) {
    let mut writer = Writer { cluster: cluster.unread(), component, series: BTreeMap::new(), count: 0 };
    while let Some(record) = queue.next().await {
        if let Err(error) = writer.write(&record).await {
            tracing::debug!(%error, "event not written");
        }
    }
}

struct Writer {
    cluster: Cluster,
    component: &'static str,
    series: BTreeMap<Series, (Key, u64)>,
    count: u64,
}

impl Writer {
    async fn write(&mut self, record: &Record) -> Result<(), ApiError> {
        let series = record.series();
        if record.in_order {
            forget_others(&mut self.series, &series);
        }
        if let Some((key, count)) = self.series.get_mut(&series) {
            *count += record.times;
            let patch = Patch::merge(json!({"count": *count, "lastTimestamp": record.last.to_string()}));
            match self.cluster.patch(&resources::EVENTS, key, &patch).await {
                Err(error) if error.is_not_found() => {}
                other => return other.map(drop),
            }
        }
        let key = self.create(record).await?;
        if self.series.len() >= SERIES {
            self.series.clear();
        }
        self.series.insert(series, (key, record.times));
        Ok(())
    }

    /// Creates the Event. Its name may be taken by an Event of another writer about the same object at the same time.
    /// Returns that name.
    async fn create(&mut self, record: &Record) -> Result<Key, ApiError> {
        for _ in 0..NAMES {
            let event = self.event(record);
            match self.cluster.create(&resources::EVENTS, &event).await {
                Err(error) if error.is_already_exists() => {}
                outcome => return outcome.map(|_| event.key()),
            }
        }
        let event = self.event(record);
        self.cluster.create(&resources::EVENTS, &event).await.map(|_| event.key())
    }

    fn event(&mut self, record: &Record) -> Object {
        self.count += 1;
        let namespace = match record.about["namespace"].as_str() {
            Some("") | None => "default",
            Some(namespace) => namespace,
        };
        let nanoseconds = record.first.timestamp().as_nanosecond();
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
            "firstTimestamp": record.first.to_string(), "lastTimestamp": record.last.to_string(), "count": record.times,
            "reportingComponent": self.component, "reportingInstance": record.host
        }))
    }
}
