//! The Rollouts, what is done to them, and what is seen of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::bail;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use object::{Key, Object, Value, json};
use runtime::{Cache, Cluster, Patch, Selection, Subresource, Tasks, Watches, resources};
use tokio::time::Instant;

/// Where the Rollouts are.
pub(super) const NAMESPACE: &str = "fleet";
/// Requests of the load under way at once.
const AT_ONCE: usize = 32;
/// Time until a phase is given up.
const LIMIT: Duration = Duration::from_secs(1200);
/// Time until a single update is given up.
const SHORT: Duration = Duration::from_secs(120);

/// What is done to every Rollout.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    /// It is created, with its Service.
    Create,
    /// It gets this image.
    Image(&'static str),
    /// Its pause is ended, as `kubectl argo rollouts promote` does.
    Promote,
    /// It is promoted in full, as `promote --full` does.
    PromoteFull,
}

/// What every Rollout is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Healthy,
    Paused,
}

/// When something happened, by the name of the Rollout and its image.
type Moments = Arc<Mutex<BTreeMap<(String, String), Instant>>>;

/// All Rollouts of the measurement.
pub(super) struct Fleet {
    cluster: Cluster,
    rollouts: Cache,
    count: usize,
    /// When an update was acknowledged.
    updated: Moments,
    /// When its ReplicaSet was seen.
    created: Moments,
}

impl Fleet {
    /// Returns a fleet of `count` Rollouts, none of which exists yet.
    pub(super) async fn new(cluster: Cluster, watches: &Watches, count: usize, tasks: &Tasks) -> Self {
        let here = Selection::namespace(NAMESPACE);
        let rollouts = watches.cache_with(&resources::ROLLOUTS, &here);
        let sets = watches.cache_with(&resources::REPLICA_SETS, &here);
        let created = Moments::default();
        let (mut changes, seen) = (sets.subscribe(), created.clone());
        tasks.spawn("sets", async move {
            while let Some(change) = changes.next().await {
                if let (None, Some(set)) = (&change.old, &change.new) {
                    take_down(&seen, &owner(set), &image(set));
                }
            }
        });
        rollouts.synced().await;
        Self { cluster, rollouts, count, updated: Moments::default(), created }
    }

    /// Does it to all, several at once.
    ///
    /// **Errors:** the API refuses it.
    pub(super) async fn all(&self, deed: Deed) -> anyhow::Result<()> {
        let writes = stream::iter(0..self.count).map(|number| self.write(number, deed));
        writes.buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn write(&self, number: usize, deed: Deed) -> anyhow::Result<()> {
        let key = Key::new(NAMESPACE, &name(number));
        let on_status = |body: Value| Patch::merge(body).on(Subresource::Status);
        let patch = match deed {
            Deed::Create => {
                self.cluster.create(&resources::SERVICES, &service(&key)).await?;
                self.cluster.create(&resources::ROLLOUTS, &rollout(&key)).await?;
                return Ok(());
            }
            Deed::Image(image) => Patch::merge(json!({"spec": {"template": {"spec": containers(image)}}})),
            Deed::Promote => on_status(json!({"status": {"pauseConditions": null}})),
            Deed::PromoteFull => on_status(json!({"status": {"promoteFull": true}})),
        };
        self.cluster.patch(&resources::ROLLOUTS, &key, &patch).await?;
        if let Deed::Image(image) = deed {
            take_down(&self.updated, &key.name, image);
        }
        Ok(())
    }

    /// Waits until all Rollouts are there; looks seldom, so that looking costs nothing.
    ///
    /// **Errors:** they are not in 20 minutes.
    pub(super) async fn until(&self, goal: Goal) -> anyhow::Result<()> {
        let give_up = Instant::now() + LIMIT;
        loop {
            let rollouts = self.rollouts.list();
            let waiting: Vec<_> = rollouts.iter().filter(|rollout| !is_there(rollout, goal)).collect();
            match waiting.first() {
                None if rollouts.len() == self.count => return Ok(()),
                Some(first) if Instant::now() > give_up => {
                    let status = first.get(&["status"]).cloned().unwrap_or_default();
                    bail!("{} of {} never {goal:?}, one with {status}", waiting.len(), self.count);
                }
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Gives one Rollout this image; returns the time from the answer to the sight of the ReplicaSet.
    ///
    /// **Errors:** the API refuses it, or there is none in two minutes.
    pub(super) async fn one(&self, number: usize, image: &'static str) -> anyhow::Result<Duration> {
        self.write(number, Deed::Image(image)).await?;
        let created = self.seen(number, image).await?;
        self.paused(number).await;
        Ok(created)
    }

    /// Waits until the Rollout has come to its pause: what comes next is not to meet an update that nobody has seen.
    async fn paused(&self, number: usize) {
        let key = Key::new(NAMESPACE, &name(number));
        let is_paused = |rollout: &Arc<Object>| is_there(rollout, Goal::Paused);
        while !self.rollouts.get(&key).as_ref().is_some_and(is_paused) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn seen(&self, number: usize, image: &'static str) -> anyhow::Result<Duration> {
        let (updated, give_up) = (Instant::now(), Instant::now() + SHORT);
        let which = (name(number), image.to_owned());
        while Instant::now() < give_up {
            if let Some(created) = moments(&self.created).get(&which) {
                return Ok(created.saturating_duration_since(updated));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        bail!("{} has no ReplicaSet for {image} after {SHORT:?}", which.0)
    }

    /// Returns the times from an update after `start` to its ReplicaSet.
    pub(super) fn sets_after(&self, start: Instant) -> Vec<Duration> {
        let (updated, created) = (moments(&self.updated), moments(&self.created));
        let updates = updated.iter().filter(|(_, at)| **at >= start);
        updates.filter_map(|(which, at)| Some(created.get(which)?.saturating_duration_since(*at))).collect()
    }
}

fn moments(moments: &Moments) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), Instant>> {
    moments.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the first moment.
fn take_down(to: &Moments, name: &str, image: &str) {
    moments(to).entry((name.to_owned(), image.to_owned())).or_insert_with(Instant::now);
}

fn owner(set: &Object) -> String {
    set.controller().map(|owner| owner.name).unwrap_or_default()
}

fn image(set: &Object) -> String {
    let containers = set.get(&["spec", "template", "spec", "containers"]);
    containers.and_then(|containers| containers[0]["image"].as_str()).unwrap_or_default().to_owned()
}

fn is_there(rollout: &Object, goal: Goal) -> bool {
    let status = |field: &'static str| rollout.str(&["status", field]);
    if status("observedGeneration") != rollout.generation().to_string() {
        return false;
    }
    match goal {
        Goal::Healthy => status("phase") == "Healthy" && status("stableRS") == status("currentPodHash"),
        Goal::Paused => status("phase") == "Paused",
    }
}

fn name(number: usize) -> String {
    format!("shop-{number:05}")
}

fn service(key: &Key) -> Object {
    Object::from_value(json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"namespace": key.namespace, "name": key.name},
        "spec": {"selector": {"app": key.name}, "ports": [{"port": 80}]}
    }))
}

fn containers(image: &str) -> Value {
    json!({"containers": [{"name": "shop", "image": image}]})
}

/// Returns a canary of one pod: a fifth and a pause, then by itself over two more steps.
fn rollout(key: &Key) -> Object {
    let labels = json!({"app": key.name});
    Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"namespace": key.namespace, "name": key.name},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": containers("shop:1")},
            "strategy": {"canary": {"steps": [
                {"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": "2s"}}, {"setWeight": 80}
            ]}}
        }
    }))
}
