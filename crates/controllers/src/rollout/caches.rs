//! What the Rollout controller watches, and which Rollouts a change concerns.

use std::sync::Arc;

use ::rollout::Referenced;
use object::{Key, LabelSelector, Object};
use runtime::{Cache, Change, Resource, resources};

/// Index of the ReplicaSets without a controller, by namespace.
pub(super) const ORPHANS: &str = "orphans";

/// Returns a mapping from an object to the Rollouts that name it in their strategy: those of its namespace, or all for
/// a cluster-scoped one. Its own status does not matter, so only a change of its version is looked at.
pub(super) fn naming(rollouts: &Cache) -> impl Fn(&Change) -> Vec<Key> + Send + Sync + 'static {
    let rollouts = rollouts.clone();
    move |change| {
        let namespace = change.key.namespace.as_str();
        let all = if namespace.is_empty() { rollouts.list() } else { rollouts.in_namespace(namespace) };
        let named = all.iter().filter(|rollout| {
            let strategy = rollout.get(&["spec", "strategy"]);
            strategy.is_some_and(|strategy| mentions(strategy, &change.key.name))
        });
        named.map(|rollout| rollout.key()).collect()
    }
}

pub(super) fn mentions(value: &object::Value, name: &str) -> bool {
    match value {
        object::Value::String(text) => text == name,
        object::Value::Array(list) => list.iter().any(|value| mentions(value, name)),
        object::Value::Object(map) => map.values().any(|value| mentions(value, name)),
        _ => false,
    }
}

/// What the controller watches.
pub(super) struct Caches {
    pub rollouts: Cache,
    pub replica_sets: Cache,
    pub analysis_runs: Cache,
    pub experiments: Cache,
    pub templates: Cache,
    pub cluster_templates: Cache,
    pub services: Cache,
}

impl Caches {
    /// Returns what Rollouts of `namespace` can name.
    pub fn referenced(&self, namespace: &str) -> Referenced {
        let mut templates = self.templates.in_namespace(namespace);
        templates.extend(self.cluster_templates.list());
        Referenced { templates, services: self.services.in_namespace(namespace), ..Referenced::default() }
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
