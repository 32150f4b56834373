//! The life of one container: prepared, started, probed, stopped, started again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use object::{Time, Value};
use rustix::process::Signal;

use crate::backoff::Backoff;
use crate::environment;
use crate::images::Unpacked;
use crate::log::{self, Log};
use crate::pod::{PodRun, Slot};
use crate::probe::{Action, Probe, Tally};
use crate::process::{self, Group, Launch};
use crate::status::{Ended, State};
use crate::volumes;

/// Wait before a missing image or a missing ConfigMap is looked for again.
const RETRY: Duration = Duration::from_secs(1);
/// Least time between the end of a preStop hook and SIGKILL. Source: kubelet `minimumGracePeriodInSeconds`.
const LEAST_GRACE: Duration = Duration::from_secs(2);
/// Time for a killed process to go.
const DYING: Duration = Duration::from_secs(5);

/// One container of a pod on this node.
pub(crate) struct Runner<'a> {
    pub pod: &'a PodRun,
    pub slot: Slot,
    pub spec: &'a Value,
    /// Restart policy of this container: the pod's, or `Always` for a sidecar.
    pub policy: &'a str,
}

/// Why a container cannot be started now.
struct Unready {
    reason: &'static str,
    message: String,
}

impl Runner<'_> {
    fn name(&self) -> &str {
        self.spec["name"].as_str().unwrap_or_default()
    }

    fn dir(&self) -> PathBuf {
        self.pod.dir.join("containers").join(self.name())
    }

    fn now(&self) -> Time {
        self.pod.setup.cluster.clock().now()
    }

    /// Runs the container until it ends for good or the pod is stopped. Returns its last exit code.
    pub(crate) async fn run(&self) -> i32 {
        let mut backoff = Backoff::after(self.pod.board.restarts(self.slot));
        loop {
            let Some(launch) = self.prepared().await else { return 0 };
            let ended = self.once(&launch).await;
            let code = ended.code;
            let wait = backoff.next(ended.started, ended.finished);
            self.pod.board.set(self.slot, |container| {
                container.ready = code == 0 && matches!(self.slot, Slot::Init(_));
                container.started = false;
                container.state = State::Ended(ended.clone());
            });
            if self.pod.is_stopping() || !restarts(self.policy, code) {
                return code;
            }
            self.back_off(wait).await;
            if self.pod.is_stopping() {
                return code;
            }
            self.pod.board.set(self.slot, |container| {
                container.restarts += 1;
                container.last = Some(ended);
            });
            log::prune(&self.dir(), self.pod.board.restarts(self.slot));
        }
    }

    /// Waits before a restart, in `CrashLoopBackOff` when there is something to wait for.
    async fn back_off(&self, wait: Duration) {
        if wait.is_zero() {
            return;
        }
        let pod = &self.pod.pod;
        let wait_text = object::time::format_duration(wait);
        let name = self.name();
        let message = format!(
            "back-off {wait_text} restarting failed container={name} pod={}_{}({})",
            pod.name(),
            pod.namespace(),
            pod.uid()
        );
        self.pod
            .warn("BackOff", &format!("Back-off restarting failed container {name} in pod {}", pod.name()));
        self.pod.board.set(self.slot, |container| {
            if let State::Ended(ended) = &container.state {
                container.last = Some(ended.clone());
            }
            container.state = State::Waiting("CrashLoopBackOff".into(), message);
        });
        tokio::select! {
            () = self.pod.setup.cluster.clock().sleep(wait) => {}
            _ = self.pod.stopped() => {}
        }
    }

    /// Tries to prepare until it works; `None` when the pod is stopped before.
    async fn prepared(&self) -> Option<Launch> {
        let mut tries = 0_u32;
        loop {
            if self.pod.is_stopping() {
                return None;
            }
            let Unready { reason, message } = match self.prepare().await {
                Ok(launch) => return Some(launch),
                Err(unready) => unready,
            };
            if tries == 0 {
                self.pod.warn("Failed", &format!("Error: {reason}: {message}"));
            }
            let reason = if reason == "ErrImagePull" && tries > 0 { "ImagePullBackOff" } else { reason };
            self.pod
                .board
                .set(self.slot, |container| container.state = State::Waiting(reason.into(), message));
            tries += 1;
            tokio::select! {
                () = self.pod.setup.cluster.clock().sleep(RETRY) => {}
                _ = self.pod.stopped() => {}
            }
        }
    }

    async fn prepare(&self) -> Result<Launch, Unready> {
        let image = self.image().await?;
        let config_error = |message| Unready { reason: "CreateContainerConfigError", message };
        let pod = &self.pod.pod;
        let cluster = &self.pod.setup.cluster;
        let sources = environment::Sources::fetch(cluster, pod).await;
        let sources = sources.map_err(|error| config_error(error.to_string()))?;
        let facts = &self.pod.facts;
        let mut env =
            environment::variables(pod, self.spec, &image.env, (&sources, facts)).map_err(config_error)?;
        let dir = self.dir();
        std::fs::create_dir_all(&dir).map_err(|error| config_error(error.to_string()))?;
        let volumes = self.pod.dir.join("volumes");
        env.extend(volumes::mount(&dir.join("rootfs"), &volumes, self.spec).map_err(config_error)?);
        self.pod.board.set(self.slot, |container| container.image_id.clone_from(&image.digest));
        let command = command(self.spec, &image, &env);
        let Some((first, args)) = command.split_first() else {
            return Err(config_error(format!("image {} has no command", self.spec["image"])));
        };
        let workdir = self.spec["workingDir"].as_str().or(image.workdir.as_deref());
        let cwd = workdir.and_then(|dir| volumes::inside(&image.rootfs, dir.trim_start_matches('/')));
        let cwd = cwd.filter(|cwd| cwd.is_dir()).unwrap_or(dir);
        env.push(("SLIPWAY_IMAGE".into(), image.rootfs.display().to_string()));
        let launch =
            Launch { program: PathBuf::new(), args: args.iter().map(Into::into).collect(), env, cwd };
        Ok(Launch { program: program(first, &launch), ..launch })
    }

    /// Finds and unpacks the image.
    async fn image(&self) -> Result<Unpacked, Unready> {
        let reference = self.spec["image"].as_str().unwrap_or_default().to_owned();
        let store = self.pod.setup.images.clone();
        let name = reference.clone();
        let found = tokio::task::spawn_blocking(move || match store.find(&name)? {
            Some(digest) => store.unpack(&digest).map(Some),
            None => Ok(None),
        });
        let never = self.spec["imagePullPolicy"] == "Never";
        match found.await {
            Ok(Ok(Some(image))) => Ok(image),
            Ok(Ok(None)) => Err(Unready {
                reason: if never { "ErrImageNeverPull" } else { "ErrImagePull" },
                message: format!("image \"{reference}\" is not in the store of this node"),
            }),
            Ok(Err(error)) => Err(Unready { reason: "ErrImagePull", message: error.to_string() }),
            Err(error) => Err(Unready { reason: "ErrImagePull", message: error.to_string() }),
        }
    }

    /// Runs the process once.
    async fn once(&self, launch: &Launch) -> Ended {
        let (dir, restart) = (self.dir(), self.pod.board.restarts(self.slot));
        let started = self.now().whole_seconds();
        let container_id = format!("slipway://{}-{}-{restart}", self.pod.pod.uid(), self.name());
        let end = |code: i32, reason: &str, message: String| Ended {
            code,
            reason: reason.to_owned(),
            message,
            started,
            finished: self.now().whole_seconds(),
            container_id: container_id.clone(),
        };
        let opened = Log::open(log::path(&dir, restart), self.pod.setup.cluster.clock().clone());
        let group = opened.and_then(|log| Ok((log, Group::start(launch, Some(&dir))?)));
        let (log, mut group) = match group {
            Ok(both) => both,
            Err(error) => return end(128, "StartError", format!("{}: {error}", launch.program.display())),
        };
        let (stdout, stderr) = group.output();
        self.pod.tasks.spawn("container-output", log.clone().copy("stdout", stdout));
        self.pod.tasks.spawn("container-output", log.copy("stderr", stderr));
        self.pod.board.set(self.slot, |container| {
            container.state = State::Running(started);
            container.container_id.clone_from(&container_id);
        });
        let code = self.live(&mut group, launch).await;
        end(code, if code == 0 { "Completed" } else { "Error" }, String::new())
    }

    /// Watches over the process until it has ended; returns its exit code.
    async fn live(&self, group: &mut Group, launch: &Launch) -> i32 {
        let grace = tokio::select! {
            status = group.wait() => return status.map_or(255, process::code),
            why = self.watch(launch) => {
                self.pod.warn("Killing", &format!("Container {} {why}", self.name()));
                let grace = self.pod.pod.int(&["spec", "terminationGracePeriodSeconds"]).unwrap_or(30);
                Duration::from_secs(u64::try_from(grace).unwrap_or_default())
            }
            grace = self.pod.stopped() => grace,
        };
        self.terminate(group, launch, grace).await
    }

    /// Stops the process: preStop hook, SIGTERM, SIGKILL after the grace period.
    async fn terminate(&self, group: &mut Group, launch: &Launch, grace: Duration) -> i32 {
        let begun = self.now();
        let hook = Action::read(&self.spec["lifecycle"]["preStop"], self.spec, self.pod.facts.ip);
        if let Some(hook) = hook.filter(|_| !grace.is_zero()) {
            let hook = tokio::time::timeout(grace, hook.run(launch, grace));
            tokio::select! {
                status = group.wait() => return status.map_or(255, process::code),
                outcome = hook => if let Ok(Err(error)) = outcome {
                    self.pod.warn("FailedPreStopHook", &error);
                },
            }
        }
        group.signal(Signal::TERM);
        let left = grace.saturating_sub(self.now().since(begun));
        let left = if grace.is_zero() { left } else { left.max(LEAST_GRACE) };
        if let Ok(status) = tokio::time::timeout(left, group.wait()).await {
            return status.map_or(255, process::code);
        }
        group.signal(Signal::KILL);
        match tokio::time::timeout(DYING, group.wait()).await {
            Ok(status) => status.map_or(255, process::code),
            Err(_) => 137,
        }
    }

    /// Runs the hook and the probes; returns why the container must be restarted, if ever.
    async fn watch(&self, launch: &Launch) -> String {
        let read = |name: &str| Probe::read(&self.spec[name], self.spec, self.pod.facts.ip);
        let hook = Action::read(&self.spec["lifecycle"]["postStart"], self.spec, self.pod.facts.ip);
        if let Some(hook) = hook
            && let Err(error) = hook.run(launch, Duration::from_secs(60)).await
        {
            self.pod.warn("FailedPostStartHook", &error);
            return "failed its postStart hook, will be restarted".into();
        }
        if let Some(startup) = read("startupProbe")
            && !self.startup(&startup, launch).await
        {
            return "failed startup probe, will be restarted".into();
        }
        let readiness = read("readinessProbe");
        let ready = readiness.is_none();
        self.pod.board.set(self.slot, |container| (container.started, container.ready) = (true, ready));
        let liveness = read("livenessProbe");
        tokio::join!(self.readiness(readiness, launch), self.liveness(liveness, launch)).1
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
    async fn liveness(&self, probe: Option<Probe>, launch: &Launch) -> String {
        let Some(probe) = probe else { return std::future::pending().await };
        let clock = self.pod.setup.cluster.clock();
        clock.sleep(probe.initial_delay).await;
        let mut tally = Tally::starting(true);
        loop {
            let answer = self.ask("Liveness", &probe, launch).await;
            if tally.take(&probe, answer) == Some(false) {
                return "failed liveness probe, will be restarted".into();
            }
            clock.sleep(probe.period).await;
        }
    }

    async fn ask(&self, kind: &str, probe: &Probe, launch: &Launch) -> bool {
        match probe.action.run(launch, probe.timeout).await {
            Ok(()) => true,
            Err(why) => {
                self.pod.warn("Unhealthy", &format!("{kind} probe failed: {why}"));
                false
            }
        }
    }
}

/// Returns true when a container that ended with `code` runs again.
fn restarts(policy: &str, code: i32) -> bool {
    match policy {
        "Never" => false,
        "OnFailure" => code != 0,
        _ => true,
    }
}

/// Returns the command line: the pod's, or the image's where the pod says nothing; `$(NAME)` is replaced.
fn command(spec: &Value, image: &Unpacked, env: &[(String, String)]) -> Vec<String> {
    let env = env.iter().cloned().collect();
    let words = |field: &str| {
        let words = spec[field].as_array()?;
        let words = words.iter().filter_map(|word| Some(environment::expand(word.as_str()?, &env)));
        Some(words.collect::<Vec<String>>()).filter(|words| !words.is_empty())
    };
    let (command, args) = (words("command"), words("args"));
    let own_command = command.is_some();
    let mut line = command.unwrap_or_else(|| image.entrypoint.clone());
    line.extend(args.unwrap_or_else(|| if own_command { Vec::new() } else { image.cmd.clone() }));
    line
}

/// Returns the file that `name` means: in the image if it is there, on the machine otherwise.
pub(crate) fn program(name: &str, launch: &Launch) -> PathBuf {
    let variable =
        |wanted: &str| launch.env.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let image = variable("SLIPWAY_IMAGE").map(PathBuf::from).unwrap_or_default();
    let in_image = |path: &Path| {
        let relative = path.to_str()?.trim_start_matches('/');
        volumes::inside(&image, relative).filter(|path| !image.as_os_str().is_empty() && path.is_file())
    };
    if name.contains('/') {
        return in_image(Path::new(name)).unwrap_or_else(|| name.into());
    }
    let directories = variable("PATH").map(String::as_str).unwrap_or_default();
    let candidates: Vec<PathBuf> = directories.split(':').map(|dir| Path::new(dir).join(name)).collect();
    let found = candidates.iter().find_map(|path| in_image(path));
    found.or_else(|| candidates.into_iter().find(|path| path.is_file())).unwrap_or_else(|| name.into())
}
