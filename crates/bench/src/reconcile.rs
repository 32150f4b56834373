//! Passes over Rollouts: nothing to do, and canaries through their steps.

use std::time::Duration;

use anyhow::bail;
use object::{Key, Object, json};
use runtime::{Cache, Patch, resources};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::figure::{Figure, as_float};
use crate::passes::Passes;
use crate::place::Place;

/// Rollouts in the cluster.
const ROLLOUTS: u64 = 200;
/// Pods of each.
const REPLICAS: u64 = 5;
/// Times that every Rollout is looked at, at rest.
const ROUNDS: u64 = 10;
/// Time until a figure is given up.
const LIMIT: Duration = Duration::from_secs(60);

/// Measures in a cluster of this process.
///
/// **Errors:** the API refuses something, or the Rollouts do not come to rest within a minute.
pub(crate) async fn measure(passes: &Passes, print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
    let place = Place::new().await?;
    place.run_rollouts().await?;
    let rollouts = place.watches.cache(&resources::ROLLOUTS);
    let bench = Bench { place, rollouts, passes };
    bench.through("created", Change::Create, print).await?;
    bench.at_rest(print).await?;
    bench.through("canary of 2 steps", Change::Image, print).await?;
    bench.place.tasks.stop().await;
    Ok(())
}

#[derive(Clone, Copy)]
enum Change {
    Create,
    Image,
}

struct Bench<'a> {
    place: Place,
    rollouts: Cache,
    passes: &'a Passes,
}

impl Bench<'_> {
    /// Changes all Rollouts and waits until all are through.
    async fn through(&self, name: &str, change: Change, print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
        let (passes, writes, start) = (self.passes.get(), self.place.store.revision(), Instant::now());
        for number in 0..ROLLOUTS {
            let rollout = rollout(number, change);
            match change {
                Change::Create => {
                    self.place.cluster.create(&resources::ROLLOUTS, &rollout).await?;
                }
                Change::Image => {
                    let patch = Patch::merge(json!({"spec": rollout.to_value()["spec"]}));
                    self.place.cluster.patch(&resources::ROLLOUTS, &rollout.key(), &patch).await?;
                }
            }
        }
        self.until(name, change).await?;
        let took = start.elapsed();
        let (passes, writes) = (self.passes.get() - passes, self.place.store.revision() - writes);
        let what = |what: &str| format!("{ROLLOUTS} Rollouts × {REPLICAS} pods, {name}: {what}");
        print(Figure::new(what("all done"), took.as_secs_f64(), "s"));
        print(Figure::rate(what("reconciles"), passes, took, "reconciles/s"));
        print(Figure::rate(what("writes"), writes, took, "writes/s"));
        print(Figure::new(what("writes each"), as_float(writes) / as_float(ROLLOUTS), "writes"));
        Ok(())
    }

    /// Touches all Rollouts, again and again; there is nothing to do.
    async fn at_rest(&self, print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
        let (first, quiet) = (self.quiet().await, self.place.store.revision());
        let start = Instant::now();
        for round in 1..=ROUNDS {
            self.touch(round).await?;
            let (wanted, give_up) = (first + round * ROLLOUTS, Instant::now() + LIMIT);
            while self.passes.get() < wanted {
                if Instant::now() > give_up {
                    bail!("at rest: {} passes are missing", wanted - self.passes.get());
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let (took, passes) = (start.elapsed(), self.passes.get() - first);
        let writes = self.place.store.revision() - quiet - ROUNDS * ROLLOUTS;
        let what = |what: &str| format!("{ROLLOUTS} Rollouts at rest, touched: {what}");
        print(Figure::rate(what("reconciles"), passes, took, "reconciles/s"));
        print(Figure::new(what("writes of the controller"), as_float(writes), "writes"));
        Ok(())
    }

    /// Sets a label on every Rollout, side by side.
    async fn touch(&self, round: u64) -> anyhow::Result<()> {
        let mut writes = JoinSet::new();
        for number in 0..ROLLOUTS {
            let (cluster, key) = (self.place.cluster.clone(), rollout(number, Change::Image).key());
            let patch = Patch::merge(json!({"metadata": {"labels": {"round": round.to_string()}}}));
            writes.spawn(async move { cluster.patch(&resources::ROLLOUTS, &key, &patch).await.map(drop) });
        }
        writes.join_all().await.into_iter().collect::<Result<(), _>>()?;
        Ok(())
    }

    /// Waits until a second passes without a pass or a write; returns the number of passes.
    async fn quiet(&self) -> u64 {
        loop {
            let before = (self.passes.get(), self.place.store.revision());
            tokio::time::sleep(Duration::from_secs(1)).await;
            if before == (self.passes.get(), self.place.store.revision()) {
                return before.0;
            }
        }
    }

    /// Waits until all Rollouts are through; looks seldom, so that looking costs nothing.
    async fn until(&self, name: &str, change: Change) -> anyhow::Result<()> {
        let give_up = Instant::now() + LIMIT;
        loop {
            let rollouts = self.rollouts.list();
            let waiting: Vec<_> = rollouts.iter().filter(|rollout| !is_through(rollout, change)).collect();
            match waiting.first() {
                None if rollouts.len() as u64 == ROLLOUTS => return Ok(()),
                Some(first) if Instant::now() > give_up => {
                    let status = first.get(&["status"]).cloned().unwrap_or_default();
                    bail!("{name}: {} Rollouts wait after {LIMIT:?}, one with {status}", waiting.len());
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

fn is_through(rollout: &Object, change: Change) -> bool {
    let status = |field: &'static str| rollout.str(&["status", field]);
    let spec = rollout.get(&["spec", "template", "spec", "containers"]);
    spec.is_some_and(|containers| containers[0]["image"] == image(change))
        && status("phase") == "Healthy"
        && status("observedGeneration") == rollout.generation().to_string()
        && status("stableRS") == status("currentPodHash")
}

fn image(change: Change) -> &'static str {
    match change {
        Change::Create => "shop:1.0",
        Change::Image => "shop:2.0",
    }
}

fn rollout(number: u64, change: Change) -> Object {
    let name = format!("shop-{number:03}");
    let key = Key::new("default", &name);
    Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": {
            "replicas": REPLICAS,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"canary": {
                "maxSurge": 1, "maxUnavailable": 0,
                "steps": [{"setWeight": 20}, {"setWeight": 60}]
            }},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{
                    "name": "shop", "image": image(change),
                    "env": [{"name": "MODE", "value": "fast"}, {"name": "REGION", "value": "north"}],
                    "ports": [{"name": "web", "containerPort": 8080}],
                    "readinessProbe": {"httpGet": {"path": "/healthz", "port": "web"}}
                }]}
            }
        }
    }))
}
