//! While a container's process runs: hooks, probes, and its stop.

use std::time::Duration;

use super::{RETRY, Runner};
use crate::events::Happening;
use crate::probe::{Action, Probe, Tally};
use crate::process::{self, Group, Launch};

/// Least time between the end of a preStop hook and SIGKILL. Source: kubelet `minimumGracePeriodInSeconds`.
const LEAST_GRACE: Duration = Duration::from_secs(2);
/// Time for a killed process to go.
const DYING: Duration = Duration::from_secs(5);
/// Longest postStart hook; the kubelet sets no limit.
const LONGEST_HOOK: Duration = Duration::from_secs(24 * 3600);

/// Why a container must be stopped while its pod goes on.
struct Doom {
    why: String,
    grace: Duration,
}

impl Runner<'_> {
    /// Watches over the process until it has ended; returns its exit code.
    pub(super) async fn live(&self, group: &mut Group, launch: &Launch) -> i32 {
        let grace = tokio::select! {
            status = group.wait() => return status.map_or(255, process::code),
            doom = self.watch(launch) => {
                self.tell(&Happening::Killing(doom.why));
                doom.grace
            }
            grace = self.pod.stopped() => {
                self.tell(&Happening::Killing(format!("Stopping container {}", self.name())));
                grace
            }
        };
        self.terminate(group, launch, grace).await
    }

    /// Stops the process: preStop hook, SIGTERM, SIGKILL after the grace period, which begins with the hook.
    ///
    /// Source: kubelet `killContainer`.
    async fn terminate(&self, group: &mut Group, launch: &Launch, grace: Duration) -> i32 {
        let begun = self.now();
        let hook = Action::read(&self.spec["lifecycle"]["preStop"], self.spec, self.pod.facts.ip);
        if let Some(hook) = hook.filter(|_| !grace.is_zero()) {
            tokio::select! {
                status = group.wait() => return status.map_or(255, process::code),
                outcome = hook.hook(launch, grace) => if let Err(error) = outcome {
                    tracing::debug!(pod = %self.pod.pod.key(), container = self.name(), error, "preStop hook");
                    self.tell(&Happening::PreStopFailed);
                },
                () = self.pod.out_of_time(begun, grace) => {}
            }
        }
        group.terminate();
        let least = if grace.is_zero() { Duration::ZERO } else { LEAST_GRACE };
        let over = async {
            tokio::join!(self.pod.setup.cluster.clock().sleep(least), self.pod.out_of_time(begun, grace));
        };
        tokio::select! {
            status = group.wait() => return status.map_or(255, process::code),
            () = over => {}
        }
        group.kill();
        match tokio::time::timeout(DYING, group.wait()).await {
            Ok(status) => status.map_or(255, process::code),
            Err(_) => 137,
        }
    }

    /// Runs the hook and the probes; returns when the container must be restarted, if ever.
    async fn watch(&self, launch: &Launch) -> Doom {
        let read = |name: &str| Probe::read(&self.spec[name], self.spec, self.pod.facts.ip);
        let hook = Action::read(&self.spec["lifecycle"]["postStart"], self.spec, self.pod.facts.ip);
        if let Some(hook) = hook
            && let Err(error) = hook.hook(launch, LONGEST_HOOK).await
        {
            tracing::debug!(pod = %self.pod.pod.key(), container = self.name(), error, "postStart hook");
            self.tell(&Happening::PostStartFailed);
            return Doom { why: "FailedPostStartHook".into(), grace: self.pod.grace(None) };
        }
        if let Some(startup) = read("startupProbe")
            && !self.startup(&startup, launch).await
        {
            return self.doom("startup", &startup);
        }
        let readiness = read("readinessProbe");
        let ready = readiness.is_none();
        self.pod.board.set(self.slot, |container| (container.started, container.ready) = (true, ready));
        let liveness = read("livenessProbe");
        tokio::join!(self.readiness(readiness, launch), self.liveness(liveness, launch)).1
    }

    /// Returns what follows from a probe that has failed too often. Source: kubelet `computePodActions`.
    fn doom(&self, kind: &str, probe: &Probe) -> Doom {
        let then = if self.policy == "Never" { "" } else { ", will be restarted" };
        let why = format!("Container {} failed {kind} probe{then}", self.name());
        Doom { why, grace: probe.grace.unwrap_or_else(|| self.pod.grace(None)) }
    }

    /// Returns true once the start-up probe succeeds, false when it has failed too often.
    async fn startup(&self, probe: &Probe, launch: &Launch) -> bool {
        let clock = self.pod.setup.cluster.clock();
        clock.sleep(probe.initial_delay).await;
        let (mut well, mut unwell) = (Tally::starting(false), Tally::starting(true));
        loop {
            let answer = self.ask("Startup", probe, launch).await;
            if well.take(probe, answer) == Some(true) {
                return true;
            }
            if unwell.take(probe, answer) == Some(false) {
                return false;
            }
            clock.sleep(probe.period).await;
        }
    }

    /// Shows readiness as it is found; goes on until the container has ended.
    async fn readiness(&self, probe: Option<Probe>, launch: &Launch) {
        let Some(probe) = probe else { return };
        let clock = self.pod.setup.cluster.clock();
        clock.sleep(probe.initial_delay).await;
        let mut tally = Tally::starting(false);
        loop {
            let answer = self.ask("Readiness", &probe, launch).await;
            if let Some(ready) = tally.take(&probe, answer) {
                self.pod.board.set(self.slot, |container| container.ready = ready);
            }
            // Not ready yet: asked more often than the period, as the kubelet does on changes, but never hotly.
            clock
                .sleep(if tally == Tally::starting(true) { probe.period } else { probe.period.min(RETRY) })
                .await;
        }
    }

    /// Returns when the liveness probe has failed too often; never without a probe.
    async fn liveness(&self, probe: Option<Probe>, launch: &Launch) -> Doom {
        let Some(probe) = probe else { return std::future::pending().await };
        let clock = self.pod.setup.cluster.clock();
        clock.sleep(probe.initial_delay).await;
        let mut tally = Tally::starting(true);
        loop {
            let answer = self.ask("Liveness", &probe, launch).await;
            if tally.take(&probe, answer) == Some(false) {
                return self.doom("liveness", &probe);
            }
            clock.sleep(probe.period).await;
        }
    }

    async fn ask(&self, kind: &'static str, probe: &Probe, launch: &Launch) -> bool {
        match probe.action.run(launch, probe.timeout).await {
            Ok(()) => true,
            Err(why) => {
                self.tell(&Happening::Unhealthy(kind, why));
                false
            }
        }
    }
}
