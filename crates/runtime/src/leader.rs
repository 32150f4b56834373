//! Leader election over a Lease, as client-go does it.

use std::time::Duration;

use object::{Key, Object, Time, json};
use tokio::sync::watch;

use crate::{ApiError, Cluster, Subresource, Tasks, resources};

/// Which lease, who we are, and the timings of client-go (15 s, 10 s, 2 s).
#[derive(Clone, Debug)]
pub struct LeadershipConfig {
    /// Namespace and name of the Lease.
    pub lease: Key,
    /// Name of this replica, unique among the candidates.
    pub identity: String,
    /// How long a lease holds without renewal.
    pub lease_duration: Duration,
    /// How long the leader tries to renew before it gives up.
    pub renew_deadline: Duration,
    /// Wait between attempts.
    pub retry_period: Duration,
}

impl LeadershipConfig {
    /// Returns the configuration with client-go's timings.
    pub fn new(lease: Key, identity: &str) -> Self {
        Self {
            lease,
            identity: identity.to_owned(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        }
    }
}

/// A candidacy. While it leads, the Lease carries its identity.
///
/// Invariant: at most one candidate leads at a time, provided that clocks run at about the same rate; a leader that
/// cannot renew says so before another can take the lease.
#[derive(Debug)]
pub struct Leadership(watch::Receiver<bool>);

impl Leadership {
    /// Starts to compete for the lease; ends, giving the lease up, with `tasks`.
    pub fn compete(cluster: Cluster, config: LeadershipConfig, tasks: &Tasks) -> Self {
        let (sender, receiver) = watch::channel(false);
        let token = tasks.token();
        tasks.spawn("leader election", async move {
            let mut candidate = Candidate { cluster, config, observed: None, held: None, is_alone: false };
            if token.run_until_cancelled(candidate.run(&sender)).await.is_none() && *sender.borrow() {
                candidate.release().await;
            }
            sender.send_replace(false);
        });
        Self(receiver)
    }

    /// Waits until this candidate leads; false when the candidacy ended instead.
    pub async fn acquired(&mut self) -> bool {
        self.0.wait_for(|leads| *leads).await.is_ok()
    }

    /// Waits until this candidate no longer leads.
    pub async fn lost(&mut self) {
        let _ = self.0.wait_for(|leads| !*leads).await;
    }
}

struct Candidate {
    cluster: Cluster,
    config: LeadershipConfig,
    /// Version of the Lease last seen and when it was first seen, by our clock.
    observed: Option<(String, Time)>,
    /// The Lease as this candidate wrote it last, unless something went wrong since.
    held: Option<Object>,
    /// Whether it was told that there is no namespace for the Lease.
    is_alone: bool,
}

impl Candidate {
    async fn run(&mut self, leads: &watch::Sender<bool>) {
        let clock = self.cluster.clock().clone();
        let mut renewed = clock.now();
        loop {
            let attempt = tokio::time::timeout(self.config.renew_deadline, self.attempt()).await;
            match attempt {
                Ok(Ok(true)) => {
                    renewed = clock.now();
                    if !leads.send_replace(true) {
                        tracing::info!(lease = %self.config.lease, identity = %self.config.identity, "leading");
                    }
                }
                outcome => {
                    let refused = matches!(outcome, Ok(Ok(false)));
                    let late = clock.now().since(renewed) >= self.config.renew_deadline;
                    if (refused || late) && leads.send_replace(false) {
                        tracing::warn!(lease = %self.config.lease, "leadership lost");
                    }
                }
            }
            clock.sleep(self.config.retry_period).await;
        }
    }

    /// Tries to take or renew the lease; false when another candidate holds it.
    ///
    /// A holder writes what it wrote last with another time, and looks only when that is refused.
    async fn attempt(&mut self) -> Result<bool, ApiError> {
        let now = self.cluster.clock().now();
        if let Some(held) = self.held.take() {
            let lease = self.wanted(Some(held), now);
            let outcome = self.cluster.replace(&resources::LEASES, &lease, Subresource::None).await;
            if !outcome.as_ref().is_err_and(|error| error.is_conflict() || error.is_not_found()) {
                return self.won(outcome);
            }
        }
        let Some(lease) = self.cluster.get(&resources::LEASES, &self.config.lease).await? else {
            let lease = self.wanted(None, now);
            let outcome = self.cluster.create(&resources::LEASES, &lease).await;
            if outcome.as_ref().is_err_and(ApiError::is_not_found) {
                return Ok(self.alone());
            }
            return self.won(outcome);
        };
        if self.observed.as_ref().is_none_or(|(version, _)| version != lease.resource_version()) {
            self.observed = Some((lease.resource_version().to_owned(), now));
        }
        let holder = lease.str(&["spec", "holderIdentity"]);
        if !holder.is_empty() && holder != self.config.identity && !self.is_expired(&lease, now) {
            return Ok(false);
        }
        let lease = self.wanted(Some(lease), now);
        let outcome = self.cluster.replace(&resources::LEASES, &lease, Subresource::None).await;
        self.won(outcome)
    }

    /// Leads without a Lease, as its namespace does not exist: nobody can hold it, and waiting for ever would help nobody.
    /// Two that lead at once are slow, not wrong, and as soon as the namespace is there only one of them goes on.
    fn alone(&mut self) -> bool {
        if !std::mem::replace(&mut self.is_alone, true) {
            let namespace = &self.config.lease.namespace;
            tracing::warn!(namespace, "the namespace of the lease does not exist, leading without a lease");
        }
        true
    }

    fn won(&mut self, outcome: Result<Object, ApiError>) -> Result<bool, ApiError> {
        match outcome {
            Ok(stored) => {
                self.held = Some(stored);
                Ok(true)
            }
            Err(error) if error.is_conflict() || error.is_already_exists() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A lease is expired when it did not change for its duration, by our own clock.
    fn is_expired(&self, lease: &Object, now: Time) -> bool {
        let seconds =
            lease.int(&["spec", "leaseDurationSeconds"]).and_then(|seconds| u64::try_from(seconds).ok());
        let duration = seconds.map_or(self.config.lease_duration, Duration::from_secs);
        self.observed.as_ref().is_some_and(|(_, since)| now.since(*since) >= duration)
    }

    fn wanted(&self, current: Option<Object>, now: Time) -> Object {
        let mut lease = current.unwrap_or_else(|| Object::new(&resources::LEASES.gvk(), &self.config.lease));
        let time = now.to_micro();
        if lease.str(&["spec", "holderIdentity"]) != self.config.identity {
            let transitions = lease.int(&["spec", "leaseTransitions"]).map_or(0, |count| count + 1);
            lease.set(&["spec", "leaseTransitions"], transitions);
            lease.set(&["spec", "acquireTime"], time.as_str());
            lease.set(&["spec", "holderIdentity"], self.config.identity.as_str());
        }
        lease.set(&["spec", "leaseDurationSeconds"], self.config.lease_duration.as_secs());
        lease.set(&["spec", "renewTime"], time);
        lease
    }

    async fn release(&self) {
        let patch = crate::Patch::merge(json!({"spec": {"holderIdentity": "", "leaseDurationSeconds": 1}}));
        if let Err(error) = self.cluster.patch(&resources::LEASES, &self.config.lease, &patch).await {
            tracing::warn!(%error, "lease not given up, it will expire");
        }
    }
}

#[cfg(test)]
mod tests;
