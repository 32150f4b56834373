//! The Service controller of Rollouts: takes the hash out of the selector of a Service that no Rollout names any more.
//!
//! Without it a Service would go on selecting the pods of a Rollout's last ReplicaSet, and lose them with it. Source: Argo
//! Rollouts `service/service.go`.

use std::collections::BTreeSet;

use ::rollout::keys;
use object::{Key, Object, Value, json};
use runtime::{
    Cache, Change, Cluster, Controller, Failure, Next, Patch, Reconcile, Tasks, Watches, resources,
};

use crate::naming;
use crate::rollout::RolloutConfig;
use crate::share;

/// Starts the controller; it ends with `tasks`.
pub(crate) fn run(watches: &Watches, config: &RolloutConfig, tasks: &Tasks) {
    let cluster = watches.cluster().clone().lean();
    let rollouts = watches.cache_with(&resources::ROLLOUTS, &config.instance.selection());
    let services = watches.cache_with(&resources::SERVICES, &config.instance.others());
    naming::index(&rollouts);
    let controller = Controller::new("service", cluster.clock().clone())
        .order(config.order)
        .report_to(watches.activity())
        .shared(watches.shards(), share::by_annotation(&services, keys::MANAGED_BY))
        .reconcile_each(&services)
        .watch(&rollouts, dropped);
    controller.run(Shell { cluster, rollouts, services }, tasks);
}

/// Returns the Services that a change of a Rollout no longer names.
fn dropped(change: &Change) -> Vec<Key> {
    let names = |object: &Object| named(object).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let before = change.old.as_deref().map(names).unwrap_or_default();
    let after = change.new.as_deref().map(names).unwrap_or_default();
    before.difference(&after).map(|name| Key::new(&change.key.namespace, name)).collect()
}

/// Fields of a Rollout that name a Service, below `spec.strategy`.
const FIELDS: [&[&str]; 6] = [
    &["canary", "canaryService"],
    &["canary", "stableService"],
    &["canary", "pingPong", "pingService"],
    &["canary", "pingPong", "pongService"],
    &["blueGreen", "activeService"],
    &["blueGreen", "previewService"],
];

/// Returns the Services that a Rollout names.
fn named(rollout: &Object) -> Vec<&str> {
    let at = |field: &&[&str]| {
        let path = [&["spec", "strategy"], *field].concat();
        rollout.get(&path).and_then(Value::as_str).filter(|name| !name.is_empty())
    };
    FIELDS.iter().filter_map(at).collect()
}

struct Shell {
    cluster: Cluster,
    rollouts: Cache,
    services: Cache,
}

impl Reconcile for Shell {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let Some(service) = self.services.get(key) else { return Ok(Next::Done) };
        // Only what a Rollout has taken: somebody else may select by the same label.
        let Some(owner) = service.annotation(keys::MANAGED_BY) else { return Ok(Next::Done) };
        if service.is_deleting() || self.is_named(key, owner).await? {
            return Ok(Next::Done);
        }
        let patch = json!({
            "metadata": {
                "resourceVersion": service.resource_version(),
                "annotations": {keys::MANAGED_BY: null},
            },
            "spec": {"selector": {keys::HASH: null}},
        });
        let stored = self.cluster.patch(&resources::SERVICES, key, &Patch::merge(patch)).await?;
        self.services.note(stored);
        tracing::info!(service = %key, "no Rollout names it any more, selects by its own labels again");
        Ok(Next::Done)
    }
}

impl Shell {
    /// Returns true when a Rollout names the Service, be it one of another instance of the controller.
    async fn is_named(&self, service: &Key, owner: &str) -> Result<bool, Failure> {
        let names = |rollout: &Object| named(rollout).contains(&service.name.as_str());
        let users = naming::of_namespace(&self.rollouts, service);
        if users.iter().filter_map(|key| self.rollouts.get(key)).any(|rollout| names(&rollout)) {
            return Ok(true);
        }
        let key = Key::new(&service.namespace, owner);
        Ok(self.cluster.get(&resources::ROLLOUTS, &key).await?.as_ref().is_some_and(names))
    }
}
