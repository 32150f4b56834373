//! Keeps our Lease, looks at those of the others, and tells the membership.

use std::sync::Arc;
use std::time::Duration;

use object::{Key, Object};

use super::{GROUP_LABEL, Inner, Seen, ShardConfig, VIEW_ANNOTATION, View};
use crate::{ApiError, Cluster, Deletion, Selection, Subresource, Tasks, resources};

/// Starts to keep the Lease; it ends with `tasks`, and the Lease with it.
pub(super) fn run(cluster: Cluster, config: ShardConfig, inner: Arc<Inner>, tasks: &Tasks) {
    let token = tasks.token();
    let mut keeper = Keeper { cluster, config, inner, lease: None, renewed: None, ambiguous: false };
    tasks.spawn("shards", async move {
        let _ = token.run_until_cancelled(keeper.keep()).await;
        keeper.leave().await;
    });
}

struct Keeper {
    cluster: Cluster,
    config: ShardConfig,
    inner: Arc<Inner>,
    /// Our Lease as last read or written.
    lease: Option<Object>,
    /// When it was written last.
    renewed: Option<Duration>,
    /// Whether a write of the newest claim was tried: it may be in the Lease without our knowing.
    ambiguous: bool,
}

impl Keeper {
    async fn keep(&mut self) {
        let mut failing = false;
        loop {
            match self.round().await {
                Ok(()) => failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(member = %self.config.member, %error, "lease not kept, trying again");
                    }
                }
            }
            let timings = &self.config.timings;
            let wait = if self.inner.lock().membership.is_moving() { timings.haste } else { timings.look };
            self.cluster.clock().sleep(wait).await;
        }
    }

    /// Looks, and writes our Lease when the view has changed or it is time.
    async fn round(&mut self) -> Result<(), ApiError> {
        self.look().await?;
        let live = self.inner.lock().membership.live();
        if self.inner.change(|membership| membership.announce(live.clone())) {
            self.ambiguous = false;
            tracing::info!(member = %self.config.member, members = ?live, "work is shared anew");
        }
        let newest = self.inner.lock().membership.newest().map(|(view, public)| (view.clone(), public));
        let Some((newest, public)) = newest else { return Ok(()) };
        let is_due =
            self.renewed.is_none_or(|at| self.inner.now().saturating_sub(at) >= self.config.timings.renew);
        if !public && (self.ambiguous || self.drained().await) {
            self.ambiguous = true;
            self.write(&newest).await?;
            self.ambiguous = false;
            return self.look().await;
        }
        if is_due {
            let published = self.inner.lock().membership.published_view().cloned();
            if let Some(view) = published {
                let lapsed = !self.inner.lock().membership.is_valid(self.inner.now());
                self.write(&view).await?;
                if lapsed {
                    return self.look().await;
                }
            }
        }
        self.clear_away().await;
        Ok(())
    }

    /// Waits a moment for writes for what is given up; false when some are still under way.
    async fn drained(&self) -> bool {
        let mut ended = self.inner.ended.subscribe();
        let wait = async {
            while !self.inner.is_drained() {
                if ended.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(self.config.timings.haste, wait).await;
        self.inner.is_drained()
    }

    /// Takes in all Leases of the group.
    async fn look(&mut self) -> Result<(), ApiError> {
        let began = self.inner.now();
        let selection = Selection::labels(&format!("{GROUP_LABEL}={}", self.config.group));
        let space = Some(self.config.namespace.as_str());
        let leases = self.in_time(self.cluster.list(&resources::LEASES, space, &selection)).await?;
        let done = self.inner.now();
        if self.lease.is_some() && !leases.iter().any(|lease| lease.name() == self.config.member) {
            self.gone();
        }
        let seen = leases.iter().map(|lease| self.read(lease)).collect();
        self.inner.change(|membership| membership.look(seen, began, done));
        Ok(())
    }

    /// Our Lease was deleted: the others cannot see that we are there, so nothing is ours.
    fn gone(&mut self) {
        tracing::warn!(member = %self.config.member, "our lease was cleared away, starting anew");
        (self.lease, self.renewed) = (None, None);
        self.inner.change(super::Membership::lost);
    }

    fn read(&self, lease: &Object) -> Seen {
        let seconds = lease.int(&["spec", "leaseDurationSeconds"]).and_then(|it| u64::try_from(it).ok());
        let view = lease.annotation(VIEW_ANNOTATION).unwrap_or_default();
        Seen {
            member: lease.name().to_owned(),
            version: lease.resource_version().to_owned(),
            view: view.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            lease: seconds.map_or(self.config.timings.lease, Duration::from_secs),
        }
    }

    /// Writes our Lease with this view; only over what we know to be there.
    async fn write(&mut self, view: &View) -> Result<(), ApiError> {
        let began = self.inner.now();
        let wanted = self.wanted(view);
        let outcome = match &self.lease {
            Some(_) => {
                self.in_time(self.cluster.replace(&resources::LEASES, &wanted, Subresource::None)).await
            }
            None => self.in_time(self.cluster.create(&resources::LEASES, &wanted)).await,
        };
        match outcome {
            Ok(stored) => {
                let done = self.inner.now();
                self.lease = Some(stored);
                self.renewed = Some(began);
                self.inner.change(|membership| membership.published(view, began, done));
                Ok(())
            }
            Err(error) => {
                self.read_again(&error).await?;
                Err(error)
            }
        }
    }

    /// Finds out what is there after a write that did not work.
    async fn read_again(&mut self, error: &ApiError) -> Result<(), ApiError> {
        if error.is_not_found() {
            self.gone();
        } else if error.is_conflict() || error.is_already_exists() {
            let key = self.key();
            self.lease = self.in_time(self.cluster.get(&resources::LEASES, &key)).await?;
            if self.lease.is_none() {
                self.gone();
            }
        }
        Ok(())
    }

    fn key(&self) -> Key {
        Key::new(&self.config.namespace, &self.config.member)
    }

    fn wanted(&self, view: &View) -> Object {
        let fresh = || Object::new(&resources::LEASES.gvk(), &self.key());
        let mut lease = self.lease.clone().unwrap_or_else(fresh);
        let time = self.cluster.clock().now().to_micro();
        if lease.str(&["spec", "holderIdentity"]).is_empty() {
            lease.set(&["spec", "acquireTime"], time.as_str());
            lease.set(&["spec", "holderIdentity"], self.config.member.as_str());
        }
        lease.set(&["spec", "leaseDurationSeconds"], self.config.timings.lease.as_secs());
        lease.set(&["spec", "renewTime"], time);
        lease.set_label(GROUP_LABEL, &self.config.group);
        let names: Vec<&str> = view.iter().map(String::as_str).collect();
        lease.set_annotation(VIEW_ANNOTATION, &names.join(","));
        lease
    }

    /// Deletes the Leases of replicas that have been gone for long, unless they have come back.
    async fn clear_away(&self) {
        let now = self.inner.now();
        let dead: Vec<Seen> = self.inner.lock().membership.dead(now).into_iter().cloned().collect();
        for seen in dead {
            let deletion = Deletion { resource_version: Some(seen.version), ..Deletion::default() };
            let key = Key::new(&self.config.namespace, &seen.member);
            match self.in_time(self.cluster.delete(&resources::LEASES, &key, &deletion)).await {
                Ok(()) => {
                    tracing::info!(member = seen.member, "lease of a replica that is gone cleared away")
                }
                Err(error) => tracing::debug!(member = seen.member, %error, "lease not cleared away"),
            }
        }
    }

    /// Gives everything up, and the Lease once no write is under way any more.
    async fn leave(&mut self) {
        self.inner.change(|membership| membership.announce(View::new()));
        let patience = self.config.timings.haste * 8;
        let drained = async { while !self.drained().await {} };
        let is_drained = tokio::time::timeout(patience, drained).await.is_ok();
        let Some(lease) = self.lease.take().filter(|_| is_drained) else { return };
        let deletion = Deletion { uid: Some(lease.uid().to_owned()), ..Deletion::default() };
        let key = self.key();
        if let Err(error) = self.in_time(self.cluster.delete(&resources::LEASES, &key, &deletion)).await {
            tracing::warn!(%error, "lease not given up, it will expire");
        }
    }

    /// Waits for an answer, but not so long that there is no time for another attempt before the deadline.
    async fn in_time<T>(&self, request: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        let limit = self.config.timings.deadline / 4;
        let late = |_| ApiError::no_answer("no answer in time");
        tokio::time::timeout(limit, request).await.map_err(late)?
    }
}
