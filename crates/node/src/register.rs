//! The Node object and its lease.

use std::time::Duration;

use object::{ConditionStatus, Key, Object, Time, Value, json};
use runtime::{ApiError, Cluster, Patch, Subresource, Tasks, resources};

use crate::status::HOST;

/// Namespace of the leases of nodes.
const LEASES: &str = "kube-node-lease";
/// Node status is written again after this long even when nothing changed. Source: kubelet
/// `nodeStatusReportFrequency`.
const REPORT: Duration = Duration::from_secs(300);
/// Wait before a failed registration is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// A lease that is this old says that the node is gone. Source: kubelet `nodeLeaseDurationSeconds`.
const LEASE_SECONDS: i64 = 40;

/// The node's own object in the cluster.
#[derive(Clone)]
pub(crate) struct Registration {
    pub cluster: Cluster,
    pub name: String,
    /// Port of the log endpoint, when there is one.
    pub port: Option<u16>,
    /// Most pods the node takes.
    pub pods: u32,
    /// Time between renewals of the lease.
    pub heartbeat: Option<Duration>,
}

impl Registration {
    /// Registers the node and keeps it registered until `tasks` end.
    pub(crate) fn keep(self, tasks: &Tasks) {
        let token = tasks.token();
        tasks.spawn("node-registration", async move {
            token.run_until_cancelled(self.run()).await;
        });
    }

    async fn run(self) {
        let clock = self.cluster.clock().clone();
        let mut reported: Option<Time> = None;
        loop {
            let due = reported.is_none_or(|last| clock.now().since(last) >= REPORT);
            let outcome = async {
                if due {
                    self.report().await?;
                }
                if self.heartbeat.is_some() { self.renew().await } else { Ok(()) }
            };
            match (outcome.await, self.heartbeat) {
                (Err(error), _) => {
                    tracing::warn!(node = self.name, %error, "node not registered, trying again");
                    clock.sleep(RETRY).await;
                }
                (Ok(()), None) => return,
                (Ok(()), Some(heartbeat)) => {
                    if due {
                        reported = Some(clock.now());
                    }
                    clock.sleep(heartbeat).await;
                }
            }
        }
    }

    /// Creates the Node unless it exists and brings its status up to date.
    async fn report(&self) -> Result<(), ApiError> {
        let key = Key::new("", &self.name);
        let node = match self.cluster.get(&resources::NODES, &key).await? {
            Some(node) => node,
            None => self.cluster.create(&resources::NODES, &self.object()).await?,
        };
        let status = self.status(&node);
        let patch = Patch::merge(json!({"status": status})).on(Subresource::Status);
        self.cluster.patch(&resources::NODES, &key, &patch).await.map(drop)
    }

    fn object(&self) -> Object {
        let mut node = Object::new(&resources::NODES.gvk(), &Key::new("", &self.name));
        node.set_label("kubernetes.io/hostname", &self.name);
        node.set_label("kubernetes.io/os", "linux");
        node.set_label("kubernetes.io/arch", arch());
        node.set(&["spec"], json!({}));
        node
    }

    fn status(&self, node: &Object) -> Value {
        let capacity = self.capacity();
        let mut status = json!({
            "capacity": capacity, "allocatable": capacity,
            "addresses": [
                {"type": "InternalIP", "address": HOST},
                {"type": "Hostname", "address": self.name}
            ],
            "conditions": self.conditions(node),
            "nodeInfo": node_info(&self.name)
        });
        if let Some(port) = self.port {
            status["daemonEndpoints"] = json!({"kubeletEndpoint": {"Port": port}});
        }
        status
    }

    fn capacity(&self) -> Value {
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        json!({
            "cpu": cpus.to_string(), "memory": format!("{}Ki", memory_kibibytes()), "pods": self.pods.to_string(),
            "ephemeral-storage": "100Gi"
        })
    }

    fn conditions(&self, node: &Object) -> Vec<Value> {
        let now = self.cluster.clock().now();
        let entry = |kind: &str, status: ConditionStatus, reason: &str, message: &str| {
            let mut entry = crate::status::transition(&untouched(node), kind, status, (reason, message), now);
            if let Some(map) = entry.as_object_mut() {
                map.remove("lastProbeTime");
            }
            entry["lastHeartbeatTime"] = json!(now);
            entry
        };
        vec![
            entry(
                "MemoryPressure",
                ConditionStatus::False,
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available",
            ),
            entry(
                "DiskPressure",
                ConditionStatus::False,
                "KubeletHasNoDiskPressure",
                "kubelet has no disk pressure",
            ),
            entry(
                "PIDPressure",
                ConditionStatus::False,
                "KubeletHasSufficientPID",
                "kubelet has sufficient PID available",
            ),
            entry("Ready", ConditionStatus::True, "KubeletReady", "kubelet is posting ready status"),
        ]
    }

    async fn renew(&self) -> Result<(), ApiError> {
        let key = Key::new(LEASES, &self.name);
        let spec = json!({
            "holderIdentity": self.name, "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": self.cluster.clock().now().to_micro()
        });
        let patch = Patch::merge(json!({"spec": spec}));
        match self.cluster.patch(&resources::LEASES, &key, &patch).await {
            Err(error) if error.is_not_found() => {
                let mut lease = Object::new(&resources::LEASES.gvk(), &key);
                lease.set(&["spec"], spec);
                self.cluster.create(&resources::LEASES, &lease).await.map(drop)
            }
            other => other.map(drop),
        }
    }
}

/// The node without a generation: conditions of nodes carry none.
fn untouched(node: &Object) -> Object {
    let mut node = node.clone();
    node.remove(&["metadata", "generation"]);
    node
}

fn node_info(name: &str) -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    json!({
        "machineID": name, "systemUUID": name, "bootID": read("/proc/sys/kernel/random/boot_id"),
        "kernelVersion": read("/proc/sys/kernel/osrelease"), "osImage": "Slipway",
        "containerRuntimeVersion": concat!("slipway://", env!("CARGO_PKG_VERSION")),
        "kubeletVersion": "v1.36.3", "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": arch()
    })
}

fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn memory_kibibytes() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    total.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(1 << 20)
}
