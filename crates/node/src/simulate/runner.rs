//! Shows the steps of simulated pods through the API.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};

use object::{Key, Object, json};
use runtime::{
    ApiError, Cache, Cluster, Controller, Deletion, Failure, Next, Patch, Reconcile, Subresource, Tasks,
    resources,
};

use super::{Rules, address, step};
use crate::status::{is_shown, status};

/// Plays the pods of `cache` by `rules`.
pub(crate) fn run(cluster: &Cluster, cache: &Cache, rules: Rules, tasks: &Tasks) {
    let player =
        Player { cluster: cluster.clone(), cache: cache.clone(), rules, addresses: Mutex::default() };
    Controller::new("simulated-pods", cluster.clock().clone())
        .workers(4)
        .reconcile_each(cache)
        .run(player, tasks);
}

struct Player {
    cluster: Cluster,
    cache: Cache,
    rules: Rules,
    addresses: Mutex<Addresses>,
}

#[derive(Default)]
struct Addresses {
    by_key: BTreeMap<Key, Ipv4Addr>,
    taken: std::collections::BTreeSet<Ipv4Addr>,
    next: u32,
}

impl Addresses {
    /// Returns the pod's address: the one it shows, or the next free one.
    fn of(&mut self, pod: &Object) -> Ipv4Addr {
        if let Some(known) = self.by_key.get(&pod.key()) {
            return *known;
        }
        let shown = pod.str(&["status", "podIP"]).parse().ok().filter(|ip| !self.taken.contains(ip));
        let ip = shown.unwrap_or_else(|| {
            loop {
                let candidate = address(self.next);
                self.next = self.next.wrapping_add(1);
                if !self.taken.contains(&candidate) {
                    break candidate;
                }
            }
        });
        self.taken.insert(ip);
        self.by_key.insert(pod.key(), ip);
        ip
    }

    fn free(&mut self, key: &Key) {
        if let Some(ip) = self.by_key.remove(key) {
            self.taken.remove(&ip);
        }
    }
}

impl Reconcile for Player {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let Some(pod) = self.cache.get(key) else {
            self.addresses.lock().unwrap_or_else(PoisonError::into_inner).free(key);
            return Ok(Next::Done);
        };
        match self.pass(&pod).await {
            Err(error) if error.is_not_found() || error.is_conflict() => Ok(Next::Done),
            other => other.map_err(Failure::from),
        }
    }
}

impl Player {
    async fn pass(&self, pod: &Object) -> Result<Next, ApiError> {
        if pod.is_deleting() {
            // Whoever keeps it for its end is shown one: nothing runs in it any more.
            if !pod.finalizers().is_empty()
                && !matches!(pod.str(&["status", "phase"]), "Succeeded" | "Failed")
            {
                let patch =
                    Patch::merge(json!({"metadata": {"uid": pod.uid()}, "status": {"phase": "Failed"}}));
                let patch = patch.on(Subresource::Status);
                self.cache.note(self.cluster.patch(&resources::PODS, &pod.key(), &patch).await?);
            }
            let deletion =
                Deletion { grace: Some(0), uid: Some(pod.uid().to_owned()), ..Deletion::default() };
            self.cluster.delete(&resources::PODS, &pod.key(), &deletion).await?;
            return Ok(Next::Done);
        }
        if matches!(pod.str(&["status", "phase"]), "Succeeded" | "Failed") {
            return Ok(Next::Done);
        }
        let ip = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).of(pod);
        let now = self.cluster.clock().now();
        let step = step::step(pod, &self.rules.find(pod), ip, now);
        let status = status(pod, &step.view, now);
        if !is_shown(pod, &status) {
            let patch = Patch::merge(json!({"metadata": {"uid": pod.uid()}, "status": status}));
            let stored =
                self.cluster.patch(&resources::PODS, &pod.key(), &patch.on(Subresource::Status)).await?;
            self.cache.note(stored);
        }
        Ok(step.wake.map_or(Next::Done, Next::At))
    }
}
