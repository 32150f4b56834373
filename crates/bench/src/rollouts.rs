//! A thousand canary Rollouts on a real control plane, beside what the original needed for the same.
//!
//! The controller is the binary in a process of its own, so that its CPU and memory are its own; pods are simulated by
//! `slipway node` and ready after a second. The load comes from here.

mod fleet;
mod original;
mod usage;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use object::{Key, Object, yaml};
use runtime::{Clock, Cluster, Patch, Resource, Tasks, Watches, resources};
use testkit::processes::Server;
use tokio::time::Instant;

use crate::figure::{Figure, as_float, median};
use fleet::{Deed, Fleet, Goal};
use original::Phase;
use usage::Usage;

/// Time that the controller is watched at rest.
const REST: Duration = Duration::from_secs(60);
/// Time for the last answers of a phase to settle before the next is measured.
const SETTLE: Duration = Duration::from_secs(8);
/// Single updates whose time to a ReplicaSet is taken when nothing else goes on.
const QUIET: usize = 40;

/// Where the cluster is, and what is started in it.
pub(crate) struct Place<'a> {
    pub(crate) slipway: &'a Path,
    pub(crate) kubeconfig: &'a Path,
    /// Rollouts, each of one pod with one Service.
    pub(crate) count: usize,
    /// Definitions to install instead of ours.
    pub(crate) crds: Option<&'a Path>,
}

/// Measures all phases.
///
/// **Errors:** a process does not start, the API refuses something, or a phase does not come to its end.
pub(crate) async fn measure(place: &Place<'_>, print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let cluster = Cluster::from_kubeconfig(Some(place.kubeconfig), Clock::system()).await?;
    install(place, &cluster).await?;
    let node = start(place, dir.path(), Role::Node).await?;
    let controller = start(place, dir.path(), Role::Controller).await?;
    let tasks = Tasks::new();
    let watches = Watches::new(cluster.clone(), &tasks);
    let fleet = Fleet::new(cluster, &watches, place.count, &tasks).await;
    let usage = Usage::of(&controller)?;
    let bench = Bench { fleet, usage, count: place.count };
    bench.phases(print).await?;
    bench.quiet(print).await?;
    bench.rest(print).await?;
    let peak = bench.usage.memory("VmHWM")?;
    print(Figure::new("memory: peak", peak, "MiB").at_most(original::memory_goal(place.count)));
    print(Figure::new("memory: now", bench.usage.memory("VmRSS")?, "MiB"));
    print(Figure::new("memory: now, not of files", bench.usage.memory("RssAnon")?, "MiB"));
    controller.stop().await;
    restart(place, dir.path(), &bench, print).await?;
    node.stop().await;
    tasks.stop().await;
    Ok(())
}

struct Bench {
    fleet: Fleet,
    usage: Usage,
    count: usize,
}

impl Bench {
    async fn phases(&self, print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
        self.phase(&original::CREATE, (Deed::Create, Goal::Healthy), print).await?;
        self.phase(&original::UPDATE, (Deed::Image("shop:2"), Goal::Paused), print).await?;
        self.phase(&original::PROMOTE, (Deed::Promote, Goal::Healthy), print).await?;
        self.fleet.all(Deed::Image("shop:3")).await?;
        self.fleet.until(Goal::Paused).await?;
        self.phase(&original::FULL, (Deed::PromoteFull, Goal::Healthy), print).await
    }

    async fn phase(
        &self,
        phase: &Phase,
        (deed, goal): (Deed, Goal),
        print: &mut dyn FnMut(Figure),
    ) -> anyhow::Result<()> {
        tokio::time::sleep(SETTLE).await;
        let (before, start) = (self.usage.now().await?, Instant::now());
        self.fleet.all(deed).await.context(phase.name)?;
        self.fleet.until(goal).await.context(phase.name)?;
        let took = start.elapsed();
        let used = self.usage.now().await?.since(&before);
        let scale = as_float(u64::try_from(self.count)?) / 1000.0;
        let figure = |what: &str, value, unit| Figure::new(format!("{}: {what}", phase.name), value, unit);
        print(figure("converged", took.as_secs_f64(), "s").beside(phase.seconds * scale, 0.5));
        print(figure("CPU of the controller", used.cpu.as_secs_f64(), "s").beside(phase.cpu * scale, 0.2));
        print(figure("requests but Events", used.requests, "").beside(phase.requests * scale, 0.5));
        print(figure("Events", used.events, "").beside(phase.events * scale, 1.0));
        if matches!(deed, Deed::Image(_)) {
            let times = self.fleet.sets_after(start);
            let storm = percentile(times.clone(), 99);
            print(figure("update → ReplicaSet, p50", median(times).as_secs_f64(), "s"));
            print(
                figure("update → ReplicaSet, p99", storm.as_secs_f64(), "s")
                    .beside(57.0 * scale, 15.0 / 57.0),
            );
        }
        Ok(())
    }

    /// One update after the other: from the acknowledged patch to the ReplicaSet, as a watch sees it.
    async fn quiet(&self, print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
        let mut times = Vec::new();
        for number in 0..QUIET.min(self.count) {
            tokio::time::sleep(Duration::from_millis(250)).await;
            times.push(self.fleet.one(number, "shop:4").await?);
        }
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let middle = milliseconds(median(times.clone()));
        print(Figure::new("quiet: update → ReplicaSet, p50", middle, "ms").beside(8.7, 6.0 / 8.7));
        let high = milliseconds(percentile(times, 99));
        print(Figure::new("quiet: update → ReplicaSet, p99", high, "ms").beside(13.5, 1.0));
        self.fleet.all(Deed::PromoteFull).await?;
        self.fleet.until(Goal::Healthy).await
    }

    async fn rest(&self, print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
        tokio::time::sleep(SETTLE).await;
        let before = self.usage.now().await?;
        tokio::time::sleep(REST).await;
        let used = self.usage.now().await?.since(&before);
        print(Figure::new("60 s at rest: CPU", used.cpu.as_secs_f64(), "s").beside(0.1, 0.5));
        print(Figure::new("60 s at rest: requests", used.requests + used.events, "").beside(32.0, 1.0));
        Ok(())
    }
}

/// Starts the controller anew while an update waits; it is working once that update has its ReplicaSet.
async fn restart(
    place: &Place<'_>,
    dir: &Path,
    bench: &Bench,
    print: &mut dyn FnMut(Figure),
) -> anyhow::Result<()> {
    let start_of = Instant::now();
    let one = bench.fleet.one(0, "shop:5");
    let (controller, took) = tokio::join!(start(place, dir, Role::Controller), one);
    took?;
    let what = format!("working with {} Rollouts present after", bench.count);
    print(Figure::new(what, start_of.elapsed().as_secs_f64(), "s").at_most(5.0));
    controller?.stop().await;
    Ok(())
}

/// Installs the definitions and the namespaces.
async fn install(place: &Place<'_>, cluster: &Cluster) -> anyhow::Result<()> {
    let text = if let Some(file) = place.crds {
        std::fs::read_to_string(file)?
    } else {
        let output = tokio::process::Command::new(place.slipway).arg("crds").output().await?;
        String::from_utf8(output.stdout)?
    };
    for definition in yaml::documents(&text)? {
        let definition = Object::parse(definition).map_err(|error| anyhow!("{error}"))?;
        apply(cluster, &resources::CRDS, &definition).await?;
    }
    for name in ["argocd", "argo-rollouts", fleet::NAMESPACE] {
        let namespace = Object::new(&resources::NAMESPACES.gvk(), &Key::new("", name));
        apply(cluster, &resources::NAMESPACES, &namespace).await?;
    }
    Ok(())
}

async fn apply(cluster: &Cluster, resource: &Resource, object: &Object) -> anyhow::Result<()> {
    let patch = Patch::apply(object.to_value(), "bench").force();
    cluster.patch(resource, &object.key(), &patch).await?;
    Ok(())
}

#[derive(Clone, Copy)]
enum Role {
    Node,
    Controller,
}

async fn start(place: &Place<'_>, dir: &Path, role: Role) -> anyhow::Result<Server> {
    let config = place.kubeconfig.display().to_string();
    let folder = dir.display().to_string();
    let arguments = match role {
        Role::Node => vec!["node", "--dir", &folder, "--simulate-pods"],
        Role::Controller => {
            vec![
                "controller",
                "--metricsport",
                "0",
                "--healthzPort",
                "0",
                "--webhook-port",
                "0",
                "--bind-address",
                "127.0.0.1",
            ]
        }
    };
    let arguments: Vec<&str> = arguments.into_iter().chain(["--kubeconfig", &config]).collect();
    Ok(Server::start(place.slipway, dir, arguments[0], &arguments).await?)
}

/// Returns the time that this share of `times`, in percent, does not exceed; zero when there are none.
fn percentile(mut times: Vec<Duration>, share: usize) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times.get((times.len() * share / 100).min(last)).copied().unwrap_or_default()
}
