//! The life of one container: prepared, started, probed, stopped, started again.

use std::path::PathBuf;
use std::time::Duration;

use object::{Time, Value};
use tokio::sync::oneshot;

use crate::backoff::Backoff;
use crate::events::Happening;
use crate::log::{self, Log};
use crate::pod::{PodRun, Slot};
use crate::process::{Group, Launch};
use crate::status::{Ended, State};

mod live;
mod prepare;

pub(crate) use prepare::program;

/// Wait before a missing image or a missing ConfigMap is looked for again.
const RETRY: Duration = Duration::from_secs(1);
/// Time for the last output of an ended process: a stranger to its group may hold the other end.
const DRAIN: Duration = Duration::from_secs(2);

/// One container of a pod on this node.
pub(crate) struct Runner<'a> {
    pub pod: &'a PodRun,
    pub slot: Slot,
    pub spec: &'a Value,
    /// Restart policy of this container: the pod's, or `Always` for a sidecar.
    pub policy: &'a str,
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

    /// Path of the container in the pod, as Events name it. Source: kubelet `GenerateContainerRef`.
    fn field_path(&self) -> String {
        let list = match self.slot {
            Slot::Init(_) => "initContainers",
            Slot::Main(_) => "containers",
        };
        format!("spec.{list}{{{}}}", self.name())
    }

    fn tell(&self, happening: &Happening) {
        self.pod.teller.of_part(&self.field_path()).tell(happening);
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
        let pod = format!("{}_{}({})", pod.name(), pod.namespace(), pod.uid());
        let wait_text = object::time::format_duration(wait);
        let name = self.name();
        let message = format!("back-off {wait_text} restarting failed container={name} pod={pod}");
        self.tell(&Happening::RestartBackOff(name.to_owned(), pod));
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

    /// Runs the process once, with its output kept as the log of this run.
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
        let path = log::path(&dir, restart);
        let _writing = self.pod.setup.writing.begin(&path);
        self.tell(&Happening::Created);
        let mut group = match Group::start(launch, Some(&dir)) {
            Ok(group) => group,
            Err(error) => {
                let message = format!("{}: {error}", launch.program.display());
                self.tell(&Happening::Failed(message.clone()));
                return end(128, "StartError", message);
            }
        };
        let kept = self.keep_output(&mut group, path);
        self.pod.board.set(self.slot, |container| {
            container.state = State::Running(started);
            container.container_id.clone_from(&container_id);
        });
        self.tell(&Happening::Started);
        let code = self.live(&mut group, launch).await;
        let ended = end(code, if code == 0 { "Completed" } else { "Error" }, String::new());
        drop(group);
        let _ = tokio::time::timeout(DRAIN, kept).await;
        ended
    }

    /// Copies the output of the process to the log at `path`; the answer comes when there is no more.
    fn keep_output(&self, group: &mut Group, path: PathBuf) -> oneshot::Receiver<()> {
        let teller = self.pod.teller.of_part(&self.field_path());
        let told = move |why: &str| teller.tell(&Happening::OutputLost(why.to_owned()));
        let log = Log::open(path, self.pod.setup.cluster.clock().clone(), told);
        let (stdout, stderr) = group.output();
        let (done, kept) = oneshot::channel();
        self.pod.tasks.spawn("container-output", async move {
            tokio::join!(log.clone().copy("stdout", stdout), log.copy("stderr", stderr));
            let _ = done.send(());
        });
        kept
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
