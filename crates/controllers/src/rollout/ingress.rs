//! The Ingress controller of Rollouts: gives back an Ingress of the AWS load balancer controller that a Rollout no longer
//! names, so that all its traffic leads to the stable Service again.
//!
//! Source: Argo Rollouts `ingress/ingress.go`.

use std::collections::BTreeSet;

use object::{Key, Object, Value};
use runtime::{
    Cache, Change, Cluster, Controller, Failure, Next, Patch, Reconcile, Tasks, Watches, resources,
};

use super::RolloutConfig;
use super::act::on_version;

/// Annotation of Ingresses: which annotations each Rollout has made, in JSON.
const MANAGED: &str = "rollouts.argoproj.io/managed-alb-annotations";

/// Starts the controller; it ends with `tasks`.
pub(super) fn run(watches: &Watches, config: &RolloutConfig, tasks: &Tasks) {
    let cluster = watches.cluster().clone().lean();
    let rollouts = watches.cache_with(&resources::ROLLOUTS, &config.instance.selection());
    let ingresses = watches.cache_with(&resources::INGRESSES, &config.instance.others());
    let controller = Controller::new("ingress", cluster.clock().clone())
        .order(config.order)
        .report_to(watches.activity())
        .shared(watches.shards(), |key| Some(key.clone()))
        .reconcile_each(&ingresses)
        .watch(&rollouts, dropped);
    controller.run(Shell { cluster, rollouts, ingresses }, tasks);
}

/// Returns the Ingresses that a change of a Rollout no longer names.
fn dropped(change: &Change) -> Vec<Key> {
    let before = change.old.as_deref().map(named).unwrap_or_default();
    let after = change.new.as_deref().map(named).unwrap_or_default();
    before.difference(&after).map(|name| Key::new(&change.key.namespace, name)).collect()
}

/// Returns the Ingresses that a Rollout names.
fn named(rollout: &Object) -> BTreeSet<String> {
    let alb = rollout.get(&["spec", "strategy", "canary", "trafficRouting", "alb"]);
    let Some(alb) = alb else { return BTreeSet::new() };
    let several = alb["ingresses"].as_array().into_iter().flatten();
    let all = several.chain([&alb["ingress"]]).filter_map(Value::as_str);
    all.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

struct Shell {
    cluster: Cluster,
    rollouts: Cache,
    ingresses: Cache,
}

impl Reconcile for Shell {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let Some(ingress) = self.ingresses.get(key) else { return Ok(Next::Done) };
        let Some(record) = ingress.annotation(MANAGED).filter(|_| !ingress.is_deleting()) else {
            return Ok(Next::Done);
        };
        let owners: Value = serde_json::from_str(record).unwrap_or_default();
        let mut users = BTreeSet::new();
        for owner in owners.as_object().into_iter().flatten().map(|(owner, _)| owner) {
            if self.names(owner, key).await? {
                users.insert(owner.clone());
            }
        }
        let Some(traffic::Change::Patch { patch, .. }) = traffic::released(&ingress, &users) else {
            return Ok(Next::Done);
        };
        let patch = Patch::merge(on_version(patch, ingress.resource_version()));
        self.ingresses.note(self.cluster.patch(&resources::INGRESSES, key, &patch).await?);
        tracing::info!(ingress = %key, "a Rollout names it no more, leads to the stable Service again");
        Ok(Next::Done)
    }
}

impl Shell {
    /// Returns true when the Rollout names the Ingress, be it one of another instance of the controller.
    async fn names(&self, rollout: &str, ingress: &Key) -> Result<bool, Failure> {
        let key = Key::new(&ingress.namespace, rollout);
        if let Some(rollout) = self.rollouts.get(&key) {
            return Ok(named(&rollout).contains(&ingress.name));
        }
        let rollout = self.cluster.get(&resources::ROLLOUTS, &key).await?;
        Ok(rollout.is_some_and(|rollout| named(&rollout).contains(&ingress.name)))
    }
}
