//! The life of one pod: address, volumes, init containers, containers, stop, farewell.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use object::{Object, Time, Value};
use runtime::{Cluster, Recorder, Tasks};
use tokio::sync::{Notify, watch};

use crate::ImageStore;
use crate::address::Address;
use crate::claim::Claim;
use crate::container::Runner;
use crate::environment::{Facts, Sources};
use crate::events::{Happening, Teller};
use crate::log::Writing;
use crate::simulate::read;
use crate::status::{Container, Ended, State, View};
use crate::volumes;

mod report;

/// Grace of pods when the node itself stops.
const NODE_STOP: Duration = Duration::from_secs(2);
/// Wait before failed volumes are tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What all pods of a node share.
pub(crate) struct Setup {
    pub cluster: Cluster,
    pub node: String,
    /// Directory with one directory a pod, by uid.
    pub pods: PathBuf,
    pub images: ImageStore,
    pub recorder: Recorder,
    /// The logs that are being written.
    pub writing: Writing,
    /// No other node uses the directory.
    pub _claim: Claim,
}

/// When and how a pod is to stop.
#[derive(Clone, Copy, Debug)]
struct Stop {
    told: Time,
    grace: Duration,
}

/// Which container of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Init(usize),
    Main(usize),
}

/// What the containers of a pod do, for all to see.
pub(crate) struct Board {
    view: Mutex<View>,
    changed: Notify,
}

impl Board {
    /// Changes a container and tells so.
    pub(crate) fn set(&self, slot: Slot, change: impl FnOnce(&mut Container)) {
        let mut view = self.lock();
        let container = match slot {
            Slot::Init(index) => view.init.get_mut(index),
            Slot::Main(index) => view.containers.get_mut(index),
        };
        if let Some(container) = container {
            change(container);
        }
        drop(view);
        self.changed.notify_one();
    }

    /// Returns how often a container was restarted.
    pub(crate) fn restarts(&self, slot: Slot) -> u32 {
        self.get(slot).map_or(0, |container| container.restarts)
    }

    fn get(&self, slot: Slot) -> Option<Container> {
        let view = self.lock();
        match slot {
            Slot::Init(index) => view.init.get(index).cloned(),
            Slot::Main(index) => view.containers.get(index).cloned(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One pod on this node.
pub(crate) struct PodRun {
    pub setup: Arc<Setup>,
    /// The pod as it was when it came; its spec does not change.
    pub pod: Arc<Object>,
    pub dir: PathBuf,
    pub facts: Facts,
    pub board: Board,
    pub tasks: Tasks,
    pub teller: Teller,
    stop: watch::Sender<Option<Stop>>,
    /// The pod as the last write returned it.
    shown: Mutex<Option<Arc<Object>>>,
    _address: Address,
}

/// The pod as the API shows it; `None` when it is gone.
pub(crate) type Latest = watch::Receiver<Option<Arc<Object>>>;

impl PodRun {
    /// Takes an address for the pod and sees how far an earlier node has brought it.
    pub(crate) fn new(setup: Arc<Setup>, pod: Arc<Object>, tasks: Tasks) -> std::io::Result<Self> {
        let address = Address::take(pod.uid(), pod.str(&["status", "podIP"]).parse().ok())?;
        let facts = Facts { ip: address.ip, node: setup.node.clone() };
        let clock = setup.cluster.clock();
        let view = view(&pod, address.ip, clock.now());
        let teller = Teller::new(&setup.recorder, &pod, clock);
        let board = Board { view: Mutex::new(view), changed: Notify::new() };
        let (dir, stop) = (setup.pods.join(pod.uid()), watch::Sender::new(None));
        let shown = Mutex::default();
        Ok(Self { setup, pod, dir, facts, board, tasks, teller, stop, shown, _address: address })
    }

    /// Waits until the pod is to stop; returns its grace period.
    pub(crate) async fn stopped(&self) -> Duration {
        let mut stop = self.stop.subscribe();
        let told = stop.wait_for(Option::is_some).await.ok().and_then(|stop| *stop);
        told.map_or(NODE_STOP, |stop| stop.grace)
    }

    /// Returns when `grace` is over, counted from `begun`, or earlier when the pod is told to stop sooner than that.
    pub(crate) async fn out_of_time(&self, begun: Time, grace: Duration) {
        let mut stop = self.stop.subscribe();
        let mut until = begun.after(grace);
        loop {
            if let Some(stop) = *stop.borrow_and_update() {
                until = until.min(stop.told.after(stop.grace));
            }
            tokio::select! {
                () = self.setup.cluster.clock().sleep_until(until) => return,
                Ok(()) = stop.changed() => {}
            }
        }
    }

    fn stop(&self, grace: Duration) {
        self.stop.send_replace(Some(Stop { told: self.setup.cluster.clock().now(), grace }));
    }

    /// Returns true when the pod is to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Runs the pod until it is gone from the API or the node stops.
    pub(crate) async fn run(self, latest: Latest) {
        tokio::select! {
            () = self.report(latest.clone()) => {}
            () = self.watch_for_stop(latest.clone()) => {}
            () = self.contain() => {}
        }
        if self.tasks.token().is_cancelled() {
            return;
        }
        self.farewell(latest).await;
        let _ = std::fs::remove_dir_all(&self.dir);
    }

    /// Runs the containers until all have ended for good.
    async fn contain(&self) {
        if matches!(self.pod.str(&["status", "phase"]), "Succeeded" | "Failed") || !self.volumes().await {
            return;
        }
        let mut sidecars = FuturesUnordered::new();
        let policy = self.pod.str(&["spec", "restartPolicy"]);
        for (index, spec) in self.pod.items(&["spec", "initContainers"]).iter().enumerate() {
            let slot = Slot::Init(index);
            if spec["restartPolicy"] == "Always" {
                sidecars.push(run_container(self, slot, spec, "Always"));
                with(&mut sidecars, self.started(slot)).await;
            } else if self.board.get(slot).is_none_or(|init| init.ended().is_none_or(|end| end.code != 0)) {
                let policy = if policy == "Never" { "Never" } else { "OnFailure" };
                let code = with(&mut sidecars, run_container(self, slot, spec, policy)).await;
                if code != 0 || self.is_stopping() {
                    break;
                }
            }
        }
        let failed = self.board.lock().init.iter().any(|init| init.ended().is_some_and(|end| end.code != 0));
        if !failed && !self.is_stopping() {
            let containers = self.pod.items(&["spec", "containers"]).iter().enumerate();
            let runs = containers.map(|(index, spec)| run_container(self, Slot::Main(index), spec, policy));
            with(&mut sidecars, futures::future::join_all(runs)).await;
        }
        // The containers are done; sidecars go with them.
        if !self.is_stopping() {
            self.stop(NODE_STOP);
        }
        while sidecars.next().await.is_some() {}
    }

    /// Waits until a sidecar has started or the pod is to stop.
    async fn started(&self, slot: Slot) {
        let clock = self.setup.cluster.clock();
        while !self.is_stopping() && self.board.get(slot).is_none_or(|container| !container.started) {
            clock.sleep(Duration::from_millis(50)).await;
        }
    }

    /// Writes the volumes, again and again while something is missing; false when the pod is stopped before.
    async fn volumes(&self) -> bool {
        let mut told = String::new();
        while !self.is_stopping() {
            let sources =
                Sources::fetch(&self.setup.cluster, &self.pod).await.map_err(|error| error.to_string());
            let dir = self.dir.join("volumes");
            let outcome =
                sources.and_then(|sources| volumes::materialise(&dir, &self.pod, &sources, &self.facts));
            let Err(problem) = outcome else { return true };
            if problem != told {
                self.teller.tell(&Happening::MountFailed(problem.clone()));
                told = problem;
            }
            tokio::select! {
                () = self.setup.cluster.clock().sleep(RETRY) => {}
                _ = self.stopped() => {}
            }
        }
        false
    }

    /// Tells the containers to stop when the pod is deleted, is gone, is past its deadline, or the node stops; and to
    /// stop sooner when it is deleted again with less grace. Goes on for ever.
    async fn watch_for_stop(&self, mut latest: Latest) {
        let token = self.tasks.token();
        let mut grace = tokio::select! {
            pod = async { latest.wait_for(|pod| pod.as_ref().is_none_or(|pod| pod.is_deleting())).await
                .ok().and_then(|pod| pod.clone()) } => self.grace(pod.as_deref()),
            () = token.cancelled() => NODE_STOP,
            () = self.deadline() => self.grace(None),
        };
        self.stop(grace);
        let mut stopping = token.is_cancelled();
        loop {
            let asked = tokio::select! {
                Ok(()) = latest.changed() => latest.borrow_and_update().as_deref()
                    .filter(|pod| pod.is_deleting()).map(|pod| self.grace(Some(pod))),
                () = token.cancelled(), if !stopping => { stopping = true; Some(NODE_STOP) }
                else => std::future::pending().await,
            };
            if let Some(asked) = asked.filter(|asked| *asked < grace) {
                grace = asked;
                self.stop(grace);
            }
        }
    }

    /// Returns the grace period of `pod` if it is being deleted with one, or else of this pod's spec.
    pub(crate) fn grace(&self, pod: Option<&Object>) -> Duration {
        let asked = pod.and_then(|pod| pod.int(&["metadata", "deletionGracePeriodSeconds"]));
        let own = || self.pod.int(&["spec", "terminationGracePeriodSeconds"]).unwrap_or(30);
        Duration::from_secs(u64::try_from(asked.unwrap_or_else(own)).unwrap_or_default())
    }

    /// Returns when the pod has been active for too long, and shows so.
    async fn deadline(&self) {
        let seconds =
            self.pod.int(&["spec", "activeDeadlineSeconds"]).and_then(|seconds| u64::try_from(seconds).ok());
        let Some(seconds) = seconds else { return std::future::pending().await };
        let start = self.board.lock().start;
        self.setup.cluster.clock().sleep_until(start.after(Duration::from_secs(seconds))).await;
        let message = "Pod was active on the node longer than the specified deadline";
        self.teller.tell(&Happening::DeadlineExceeded(message.into()));
        self.board.lock().failed = Some(("DeadlineExceeded".into(), message.into()));
    }
}

async fn run_container(pod: &PodRun, slot: Slot, spec: &Value, policy: &str) -> i32 {
    Runner { pod, slot, spec, policy }.run().await
}

/// Waits for `work` while the sidecars go on.
async fn with<T>(
    sidecars: &mut FuturesUnordered<impl Future<Output = i32>>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            Some(_) = sidecars.next() => {}
        }
    }
}

/// Returns what the pod's status shows, with what an earlier node left running as ended.
fn view(pod: &Object, ip: Ipv4Addr, now: Time) -> View {
    let read_all = |field: &str, reason: &str| -> Vec<Container> {
        let specs = pod.items(&["spec", field]).iter();
        specs.map(|spec| resumed(read(pod, spec), reason, now.whole_seconds())).collect()
    };
    let reason = if pod.items(&["spec", "initContainers"]).is_empty() {
        "ContainerCreating"
    } else {
        "PodInitializing"
    };
    View {
        ip: Some(ip),
        start: pod.time(&["status", "startTime"]).unwrap_or(now.whole_seconds()),
        init: read_all("initContainers", "PodInitializing"),
        containers: read_all("containers", reason),
        failed: None,
    }
}

fn resumed(mut container: Container, reason: &str, now: Time) -> Container {
    let was = std::mem::replace(&mut container.state, State::waiting(reason));
    match was {
        State::Running(started) => {
            container.last = Some(Ended {
                code: 137,
                reason: "ContainerStatusUnknown".into(),
                message: "The node stopped while the container ran".into(),
                started,
                finished: now,
                container_id: container.container_id.clone(),
            });
            container.restarts += 1;
        }
        State::Ended(_) => container.state = was,
        State::Waiting(..) => {}
    }
    (container.ready, container.started) = (false, false);
    container
}
