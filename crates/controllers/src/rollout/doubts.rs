//! Writes whose outcome is unknown: what they may have changed is read again before anything is planned on it.
//!
//! A write that was stored while its answer was lost is in no cache until the watch tells of it, and a watch may lag. The
//! version in a write keeps the same object from being written on such knowledge, but not another one: a stable
//! ReplicaSet that was made smaller without our knowing still counts all its pods when the new one is to go. Not in
//! upstream; found by simulation (seed 24 of the canary).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::rollout::Action;
use object::{Key, Object};
use runtime::{ApiError, Resource, resources};
use traffic::Reference;

use super::Shell;

/// An object that a write may or may not have changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// One that the controller always watches.
    Watched(Resource, Key),
    /// One of a router, or a workload.
    Referenced(Reference),
}

impl Doubt {
    /// Returns what an action changes, where plans depend on it; what it creates is looked up when its name is taken.
    fn of(rollout: &Object, action: &Action) -> Option<Self> {
        match action {
            Action::AdoptReplicaSet { key, .. }
            | Action::AnnotateReplicaSet { key, .. }
            | Action::ScaleReplicaSet { key, .. } => {
                Some(Self::Watched(resources::REPLICA_SETS, key.clone()))
            }
            Action::PatchRollout { .. } => Some(Self::of_status(rollout)),
            Action::SwitchService(switch) => Some(Self::Watched(resources::SERVICES, switch.key.clone())),
            Action::ScaleWorkload { reference, .. } => Some(Self::Referenced(reference.clone())),
            Action::Route(change) => Some(Self::Referenced(change.reference())),
            _ => None,
        }
    }

    /// Returns what a write of the status changes.
    fn of_status(rollout: &Object) -> Self {
        Self::Watched(resources::ROLLOUTS, rollout.key())
    }
}

/// What is in doubt, by Rollout.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<BTreeMap<Key, BTreeSet<Doubt>>>);

impl Doubts {
    /// Takes down that `action` failed with `error`, when nobody knows whether it was done.
    pub fn of_action(&self, rollout: &Object, action: &Action, error: &ApiError) {
        self.add(rollout, Doubt::of(rollout, action), error);
    }

    /// Takes down the same of a write of the status.
    pub fn of_status(&self, rollout: &Object, error: &ApiError) {
        self.add(rollout, Some(Doubt::of_status(rollout)), error);
    }

    fn add(&self, rollout: &Object, doubt: Option<Doubt>, error: &ApiError) {
        if let Some(doubt) = doubt.filter(|_| is_unclear(error)) {
            self.lock().entry(rollout.key()).or_default().insert(doubt);
        }
    }

    fn first(&self, rollout: &Key) -> Option<Doubt> {
        self.lock().get(rollout)?.first().cloned()
    }

    fn clear(&self, rollout: &Key, doubt: &Doubt) {
        let mut all = self.lock();
        if let Some(doubts) = all.get_mut(rollout) {
            doubts.remove(doubt);
            if doubts.is_empty() {
                all.remove(rollout);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, BTreeSet<Doubt>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns true when a write may have been done although it failed.
fn is_unclear(error: &ApiError) -> bool {
    error.is_unavailable() && error.code != 429
}

impl Shell {
    /// Reads again what is in doubt around a Rollout.
    ///
    /// Errors: the cluster does not answer; it is still in doubt then.
    pub(super) async fn settle_doubts(&self, rollout: &Key) -> Result<(), ApiError> {
        while let Some(doubt) = self.doubts.first(rollout) {
            match &doubt {
                Doubt::Watched(resource, key) => {
                    if let Some(object) = self.cluster.get(resource, key).await? {
                        self.note(resource, object);
                    }
                }
                Doubt::Referenced(reference) => self.routers.read_again(reference).await?,
            }
            self.doubts.clear(rollout, &doubt);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use object::json;

    use super::*;

    fn rollout() -> Object {
        Object::from_value(json!({"metadata": {"namespace": "ns", "name": "r"}}))
    }

    fn scale() -> Action {
        Action::ScaleReplicaSet { key: Key::new("ns", "set"), from: 2, to: 1, patch: json!({}) }
    }

    #[test]
    fn only_what_may_have_been_done_is_in_doubt() {
        for (code, doubtful) in
            [(0, true), (500, true), (504, true), (409, false), (429, false), (403, false)]
        {
            let doubts = Doubts::default();
            doubts.of_action(&rollout(), &scale(), &ApiError { code, ..ApiError::no_answer("lost") });
            assert_eq!(doubts.first(&rollout().key()).is_some(), doubtful, "{code}");
        }
    }

    #[test]
    fn a_doubt_is_settled_once() {
        let (doubts, lost) = (Doubts::default(), ApiError::no_answer("lost"));
        doubts.of_action(&rollout(), &scale(), &lost);
        doubts.of_action(&rollout(), &scale(), &lost);
        doubts.of_status(&rollout(), &lost);
        let mut settled = Vec::new();
        while let Some(doubt) = doubts.first(&rollout().key()) {
            doubts.clear(&rollout().key(), &doubt);
            settled.push(doubt);
        }
        let set = Doubt::Watched(resources::REPLICA_SETS, Key::new("ns", "set"));
        assert_eq!(settled.len(), 2, "{settled:?}");
        assert!(settled.contains(&set) && settled.contains(&Doubt::of_status(&rollout())));
        assert!(doubts.lock().is_empty());
    }
}
