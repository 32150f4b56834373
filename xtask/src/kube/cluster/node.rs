//! Level 2: a real kubelet and real containers, in process and mount namespaces of their own, so that nothing of them is
//! left once their first process is gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::json;

use super::{Cluster, UNSHARE, answers, client};
use crate::kube::image::Image;
use crate::kube::parts::{self, Containers};
use crate::kube::{build, ports};

/// The one node.
const NODE: &str = "node";
/// The image of a pod's sandbox.
const PAUSE: &str = "docker.io/slipway/pause:1";
/// Remembers the bridge of the pods.
const BRIDGE: &str = "bridge";

/// Where pods are.
struct Network {
    bridge: String,
    /// The first three numbers of all addresses; the node is the first.
    prefix: String,
}

impl Cluster {
    /// Starts a node and returns once pods can be scheduled to it.
    pub(super) async fn start_node(&mut self) -> anyhow::Result<()> {
        probe()?;
        let programs = build::node_programs().await?;
        let containers = parts::containers().await?;
        let [port] = ports::free()?;
        let network = self.make_bridge(port)?;
        self.configure(&containers, &network, port)?;
        let script = node_script(&containers, &programs, &network);
        fs::write(self.dir.join("node.sh"), script)?;
        self.spawn_apart("node", &["sh", "node.sh"].map(str::to_owned))?;
        let socket = self.dir.join("containerd.sock");
        self.until("containerd", async || socket.exists()).await?;
        let archive = self.dir.join("pause.tar");
        Image { name: PAUSE, program: &programs.join("pause"), env: &[] }.write(&archive)?;
        let listening = async || self.import_image(&containers, &archive).is_ok();
        self.until("containerd", listening).await?;
        let client = client(&self.kubeconfig()).await?;
        self.until("the node", async || is_ready(&client).await).await
    }

    /// Gives the node an image.
    ///
    /// **Errors**: this is not at least level 2, or the image cannot be made.
    pub(crate) async fn add_image(&self, image: &Image<'_>) -> anyhow::Result<()> {
        let archive = self.dir.join("image.tar");
        image.write(&archive)?;
        self.import_image(&parts::containers().await?, &archive)
    }

    fn import_image(&self, containers: &Containers, archive: &Path) -> anyhow::Result<()> {
        let mut import = Command::new(containers.program("ctr"));
        import.arg("--address").arg(self.dir.join("containerd.sock"));
        import.args(["--namespace", "k8s.io", "images", "import"]).arg(archive);
        parts::run(import)
    }

    /// Makes the bridge that pods are plugged into. Its name and addresses come from a port that is taken by nobody else.
    fn make_bridge(&self, port: u16) -> anyhow::Result<Network> {
        let [high, low] = port.to_be_bytes();
        let network = Network { bridge: format!("slw{port}"), prefix: format!("10.{}.{low}", 64 + high / 2) };
        fs::write(self.dir.join(BRIDGE), &network.bridge)?;
        ip(&["link", "add", &network.bridge, "type", "bridge"])?;
        ip(&["address", "add", &format!("{}.1/24", network.prefix), "dev", &network.bridge])?;
        ip(&["link", "set", &network.bridge, "up"])?;
        Ok(network)
    }

    fn configure(&self, containers: &Containers, network: &Network, port: u16) -> anyhow::Result<()> {
        fs::create_dir_all(self.dir.join("cni"))?;
        fs::write(self.dir.join("containerd.toml"), containerd_config(&self.dir, containers))?;
        let plugin = json!({"type": "bridge", "bridge": network.bridge, "ipam": {
            "type": "host-local", "dataDir": self.dir.join("cni-addresses"),
            "ranges": [[{"subnet": format!("{}.0/24", network.prefix)}]], "routes": [{"dst": "0.0.0.0/0"}]}});
        let list = json!({"cniVersion": "0.4.0", "name": "slipway", "plugins": [plugin]});
        fs::write(self.dir.join("cni/slipway.conflist"), list.to_string())?;
        let config = kubelet_config(&self.dir, network, port);
        Ok(fs::write(self.dir.join("kubelet.json"), config.to_string())?)
    }
}

/// Removes what a folder's node leaves outside it.
pub(super) fn remove_traces(dir: &Path) -> anyhow::Result<()> {
    for container in entries(&dir.join("containerd-state/io.containerd.runtime.v2.task/k8s.io")) {
        let Some(id) = container.file_name() else { continue };
        for controller in entries(Path::new("/sys/fs/cgroup")) {
            // Not there, or a process of it is about to end: nothing but an empty folder stays.
            let _ = fs::remove_dir(controller.join("k8s.io").join(id));
        }
    }
    remove_bridge(dir)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    found.map(|entry| entry.path()).collect()
}

/// Removes the bridge of the pods, and their plugs with it.
fn remove_bridge(dir: &Path) -> anyhow::Result<()> {
    let Ok(bridge) = fs::read_to_string(dir.join(BRIDGE)) else { return Ok(()) };
    if Path::new("/sys/class/net").join(&bridge).exists() {
        ip(&["link", "delete", &bridge])?;
    }
    Ok(fs::remove_file(dir.join(BRIDGE))?)
}

/// Says what this machine lacks before anything is built for it.
fn probe() -> anyhow::Result<()> {
    ensure!(rustix::process::geteuid().is_root(), "levels 2 and 3 run real containers, which needs root");
    if !Path::new(UNSHARE).exists() {
        bail!("levels 2 and 3 need {UNSHARE} (util-linux)");
    }
    let filesystems = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    ensure!(filesystems.contains("\toverlay"), "levels 2 and 3 need overlayfs, which this kernel has not");
    ensure!(Path::new("/sys/fs/cgroup").is_dir(), "levels 2 and 3 need control groups at /sys/fs/cgroup");
    let mut unshare = Command::new(UNSHARE);
    unshare.args(["--pid", "--fork", "--mount-proc", "true"]);
    parts::run(unshare).context("levels 2 and 3 need process and mount namespaces")?;
    let name = format!("slwp{}", std::process::id());
    ip(&["link", "add", &name, "type", "bridge"])
        .context("levels 2 and 3 need network bridges (and iproute2)")?;
    ip(&["link", "delete", &name])
}

fn ip(arguments: &[&str]) -> anyhow::Result<()> {
    let mut ip = Command::new("ip");
    ip.args(arguments);
    parts::run(ip).with_context(|| format!("ip {}", arguments.join(" ")))
}

async fn is_ready(client: &kube::Client) -> bool {
    // Its taint goes only after it has been seen ready.
    let Ok(request) = http::Request::get(format!("/api/v1/nodes/{NODE}")).body(Vec::new()) else {
        return false;
    };
    let Ok(node) = client.request::<serde_json::Value>(request).await else { return false };
    let ready = |condition: &serde_json::Value| condition["type"] == "Ready" && condition["status"] == "True";
    let conditions = node["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(ready))
        && node["spec"]["taints"].as_array().is_none_or(Vec::is_empty)
        && answers(client, "/api/v1/namespaces/default/serviceaccounts/default").await
}

/// The first process of the namespaces: folders that are private to them, then both programs.
fn node_script(containers: &Containers, programs: &Path, network: &Network) -> String {
    let (containerd, kubelet) = (containers.program("containerd"), programs.join("kubelet"));
    let (containerd, kubelet) = (containerd.display(), kubelet.display());
    let prefix = &network.prefix;
    format!(
        "set -eu\n\
         for folder in /run/containerd /run/netns /var/lib/kubelet; do\n\
         \x20 mkdir -p $folder\n\
         \x20 mount -t tmpfs none $folder\n\
         done\n\
         {containerd} --config containerd.toml >containerd.log 2>&1 &\n\
         until test -S containerd.sock; do sleep 0.1; done\n\
         {kubelet} --config kubelet.json --kubeconfig kubeconfig --root-dir \"$PWD/kubelet\" \
         --cert-dir \"$PWD/kubelet/pki\" --hostname-override {NODE} --node-ip {prefix}.1 >kubelet.log 2>&1 &\n\
         wait $!\n"
    )
}

fn containerd_config(dir: &Path, containers: &Containers) -> String {
    let (dir, runc) = (dir.display(), containers.runc());
    let (runc, plugins) = (runc.display(), containers.network_plugins());
    let plugins = plugins.display();
    format!(
        r#"version = 2
root = "{dir}/containerd"
state = "{dir}/containerd-state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
address = "{dir}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
disable_apparmor = true
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{dir}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "{runc}"
"#
    )
}

fn kubelet_config(dir: &Path, network: &Network, port: u16) -> serde_json::Value {
    let socket: PathBuf = dir.join("containerd.sock");
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": format!("unix://{}", socket.display()),
        "address": format!("{}.1", network.prefix), "port": port,
        "healthzPort": 0, "readOnlyPort": 0,
        "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
        "authorization": {"mode": "AlwaysAllow"},
        "failCgroupV1": false, "cgroupDriver": "cgroupfs", "cgroupsPerQOS": false, "enforceNodeAllocatable": [],
        "failSwapOn": false, "localStorageCapacityIsolation": false, "evictionHard": {},
        "makeIPTablesUtilChains": false, "podLogsDir": dir.join("pods"), "maxPods": 200,
    })
}
