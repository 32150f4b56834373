//! Passes over Rollouts: nothing to do, and canaries through their steps.

use std::time::Duration;

use anyhow::bail;
use object::{Key, Object, json};
use runtime::{Cache, Patch, resources};
use tokio::time::Instant;

use crate::figure::Figure;
use crate::passes::Passes;
use crate::place::Place;

/// Rollouts in the cluster.
const ROLLOUTS: u64 = 200;
/// Pods of each.
const REPLICAS: u64 = 5;
/// Times that every Rollout is looked at, at rest.
const ROUNDS: u64 = 10;
/// Time until a figure is given up.
const LIMIT: Duration = Duration::from_secs(300);

/// Measures in a cluster of this process.
///
/// **Errors:** the API refuses something, or the Rollouts do not come to rest within five minutes.
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
        self.until(name, || {
            self.rollouts.list().iter().filter(|rollout| is_through(rollout, change)).count()
        })
        .await?;
        let took = start.elapsed();
        let (passes, writes) = (self.passes.get() - passes, self.place.store.revision() - writes);
        let what = |what: &str| format!("{ROLLOUTS} Rollouts × {REPLICAS} pods, {name}: {what}");
        print(Figure::new(what("all done"), took.as_secs_f64(), "s"));
        print(Figure::rate(what("reconciles"), passes, took, "reconciles/s"));
        print(Figure::rate(what("writes"), writes, took, "writes/s"));
        print(Figure::rate(what("writes each"), writes / ROLLOUTS, Duration::from_secs(1), "writes"));
        Ok(())
    }

    /// Wakes all Rollouts, again and again; there is nothing to do.
    async fn at_rest(&self, print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
        let cluster = &self.place.cluster;
        cluster.create(&resources::SERVICES, &wake()).await?;
        let (mut wanted, quiet) = (self.quiet().await, self.place.store.revision());
        let (first, start) = (wanted, Instant::now());
        for round in 0..ROUNDS {
            let patch = Patch::merge(json!({"metadata": {"annotations": {"round": round.to_string()}}}));
            cluster.patch(&resources::SERVICES, &wake().key(), &patch).await?;
            wanted += ROLLOUTS;
            let give_up = Instant::now() + LIMIT;
            while self.passes.get() < wanted {
                if Instant::now() > give_up {
                    bail!("at rest: {} passes are missing", wanted - self.passes.get());
                }
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        }
        let (took, passes) = (start.elapsed(), self.passes.get() - first);
        let writes = self.place.store.revision() - quiet - ROUNDS;
        print(Figure::rate(format!("{ROLLOUTS} Rollouts at rest: reconciles"), passes, took, "reconciles/s"));
        print(Figure::new(
            format!("{ROLLOUTS} Rollouts at rest: writes"),
            crate::figure::as_float(writes),
            "writes",
        ));
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

    async fn until(&self, name: &str, count: impl Fn() -> usize) -> anyhow::Result<()> {
        let give_up = Instant::now() + LIMIT;
        loop {
            let done = count() as u64;
            if done == ROLLOUTS {
                return Ok(());
            }
            if Instant::now() > give_up {
                bail!("{name}: {done} of {ROLLOUTS} Rollouts are through after {LIMIT:?}");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
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

/// A Service that selects nothing. Every Rollout mentions its name, so a change of it wakes them all.
fn wake() -> Object {
    Object::from_value(json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "wake", "namespace": "default"},
        "spec": {"selector": {"nobody": "at-all"}, "ports": [{"port": 80}]}
    }))
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
                "canaryMetadata": {"labels": {"role": "wake"}},
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
