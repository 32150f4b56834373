//! What the Rollout controller watches, and which Rollouts a change concerns.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::rollout::Referenced;
use object::{Key, LabelSelector, Object};
use runtime::{Cache, Change, Resource, resources};

use crate::naming::{self, Templates, strings};

/// Index of the ReplicaSets without a controller, by namespace.
pub(super) const ORPHANS: &str = "orphans";

/// Returns a mapping from an object to the Rollouts that name it in their strategy: those of its namespace, or all for
/// a cluster-scoped one. Its own status does not matter, so only a change of its version is looked at.
pub(super) fn changes_of_named(rollouts: &Cache) -> impl Fn(&Change) -> Vec<Key> + Send + Sync + 'static {
    let rollouts = rollouts.clone();
    move |change| naming::of_namespace(&rollouts, &change.key)
}

/// What the controller watches.
pub(super) struct Caches {
    pub rollouts: Cache,
    pub replica_sets: Cache,
    pub analysis_runs: Cache,
    pub experiments: Cache,
    pub templates: Templates,
    pub services: Cache,
}

impl Caches {
    /// Returns the templates and Services that a Rollout names.
    pub fn referenced(&self, rollout: &Object) -> Referenced {
        let Some(strategy) = rollout.get(&["spec", "strategy"]) else { return Referenced::default() };
        let namespace = rollout.namespace();
        let mut names = BTreeSet::new();
        strings(strategy, &mut names);
        let services = names.iter().filter_map(|name| self.services.get(&Key::new(namespace, name)));
        Referenced {
            templates: self.templates.named(namespace, strategy),
            services: services.collect(),
            ..Referenced::default()
        }
    }

    /// Returns the ReplicaSets that the Rollout controls, and those without a controller that match `selector`.
    pub fn replica_sets(&self, rollout: &Object, selector: &LabelSelector) -> Vec<Arc<Object>> {
        let mut sets = self.replica_sets.owned_by(rollout.uid());
        if !selector.is_empty() {
            let orphans = self.replica_sets.indexed(ORPHANS, rollout.namespace());
            sets.extend(orphans.into_iter().filter(|set| selector.matches(&set.labels())));
        }
        sets
    }

    /// Returns the cache of a resource.
    pub fn of(&self, resource: &Resource) -> Option<&Cache> {
        [
            (&resources::ROLLOUTS, &self.rollouts),
            (&resources::REPLICA_SETS, &self.replica_sets),
            (&resources::ANALYSIS_RUNS, &self.analysis_runs),
            (&resources::EXPERIMENTS, &self.experiments),
            (&resources::SERVICES, &self.services),
        ]
        .into_iter()
        .find(|(known, _)| *known == resource)
        .map(|(_, cache)| cache)
    }
}
