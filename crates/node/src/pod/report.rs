//! What the API is told about a pod.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use object::{Object, json};
use runtime::{ApiError, Deletion, Patch, Subresource, resources};

use super::{Latest, PodRun};
use crate::status::{is_shown, status};

/// Wait before a failed write is tried again.
const RETRY: Duration = Duration::from_millis(500);

impl PodRun {
    /// Writes the status whenever it has changed, for ever.
    pub(super) async fn report(&self, latest: Latest) {
        loop {
            let changed = self.board.changed.notified();
            self.show(&latest).await;
            changed.await;
        }
    }

    /// Writes the status until the API shows it or the pod is gone.
    async fn show(&self, latest: &Latest) {
        while let Some(pod) = self.freshest(latest) {
            let now = self.setup.cluster.clock().now();
            let status = status(&pod, &self.board.lock().clone(), now);
            if is_shown(&pod, &status) {
                return;
            }
            let patch = Patch::merge(json!({"metadata": {"uid": pod.uid()}, "status": status}));
            let outcome =
                self.setup.cluster.patch(&resources::PODS, &pod.key(), &patch.on(Subresource::Status)).await;
            match outcome {
                Ok(stored) => {
                    *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(stored));
                    return;
                }
                Err(error) if error.is_not_found() || error.is_conflict() => return,
                Err(error) => {
                    tracing::warn!(pod = %pod.key(), %error, "status not written, trying again");
                    self.setup.cluster.clock().sleep(RETRY).await;
                }
            }
        }
    }

    /// Returns the pod as last seen or written, whichever is newer; `None` when it is gone.
    fn freshest(&self, latest: &Latest) -> Option<Arc<Object>> {
        let seen = latest.borrow().clone()?;
        let version = |pod: &Object| pod.resource_version().parse::<u64>().unwrap_or_default();
        let written = self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(written.filter(|written| version(written) > version(&seen)).unwrap_or(seen))
    }

    /// Shows the end, waits until the pod is deleted, and lets it go.
    pub(super) async fn farewell(&self, mut latest: Latest) {
        self.show(&latest).await;
        let pod = latest.wait_for(|pod| pod.as_ref().is_none_or(|pod| pod.is_deleting())).await;
        let pod = pod.ok().and_then(|pod| pod.clone());
        if let Some(pod) = pod {
            while let Err(error) = self.remove(&pod).await {
                tracing::warn!(pod = %pod.key(), %error, "pod not removed, trying again");
                self.setup.cluster.clock().sleep(RETRY).await;
            }
        }
    }

    async fn remove(&self, pod: &Arc<Object>) -> Result<(), ApiError> {
        let deletion = Deletion { grace: Some(0), uid: Some(pod.uid().to_owned()), ..Deletion::default() };
        match self.setup.cluster.delete(&resources::PODS, &pod.key(), &deletion).await {
            Err(error) if error.is_conflict() => Ok(()),
            other => other,
        }
    }
}
