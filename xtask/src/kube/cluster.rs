//! One running control plane and the folder it lives in.

mod front;
mod node;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use super::credentials::{self, Credentials};
use super::process::{self, Started};
use super::{build, ports};

/// How long a part may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(100);
/// The folder's list of processes.
const PROCESSES: &str = "processes.json";
/// Makes namespaces.
const UNSHARE: &str = "/usr/bin/unshare";
/// Controllers that need real nodes' networks or a cloud.
const CONTROLLERS: &str = "*,-node-ipam-controller,-service-lb-controller,-node-route-controller";

/// How much of a control plane runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Level {
    /// etcd and the API server; no ServiceAccount admission, as nothing makes service accounts
    #[value(name = "0")]
    Api,
    /// also the controller manager and the scheduler
    #[value(name = "1")]
    Controllers,
    /// also a kubelet with real containers (needs root); addresses of Services are not served
    #[value(name = "2")]
    Node,
    /// also Contour and Envoy with a Gateway
    #[value(name = "3")]
    Front,
}

/// How long the API server keeps old states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    /// Five minutes, its default.
    Kept,
    /// A second.
    Forgotten,
}

/// A running control plane. Dropping it kills it; [`Cluster::detach`] leaves it running.
pub(crate) struct Cluster {
    dir: PathBuf,
    server: String,
    processes: Vec<Started>,
    children: Vec<Child>,
    owned: bool,
}

impl Cluster {
    /// Starts a control plane on free ports and returns once it serves.
    ///
    /// All its files go to `dir`, which must not hold another one. If anything fails, nothing stays running.
    ///
    /// **Errors**: the programs cannot be built, a part ends or does not become ready in time.
    pub(crate) async fn start(level: Level, dir: &Path) -> anyhow::Result<Self> {
        Self::start_with(level, History::Kept, dir).await
    }

    /// As [`Cluster::start`], with a choice of how long old states are kept.
    ///
    /// **Errors**: as [`Cluster::start`].
    pub(crate) async fn start_with(level: Level, history: History, dir: &Path) -> anyhow::Result<Self> {
        let programs = build::programs().await?;
        fs::create_dir_all(dir)?;
        let dir = fs::canonicalize(dir)?;
        if running(&dir).iter().any(Started::is_running) {
            bail!("a control plane runs in {}; stop it with `cargo xtask kube down --dir …`", dir.display());
        }
        let [etcd, peer, secure] = ports::free()?;
        let server = format!("https://127.0.0.1:{secure}");
        let mut cluster = Self { dir, server, processes: vec![], children: vec![], owned: true };
        let credentials = credentials::create(&cluster.dir)?;
        cluster.spawn(&programs.join("etcd"), &etcd_flags(etcd, peer))?;
        cluster.spawn(
            &programs.join("kube-apiserver"),
            &api_flags((level, history), etcd, secure, &credentials),
        )?;
        cluster.wait_for_api(&credentials.token).await?;
        if level >= Level::Controllers {
            cluster.start_controllers(&programs, &credentials).await?;
        }
        if level >= Level::Node {
            cluster.start_node().await?;
        }
        if level >= Level::Front {
            cluster.start_front().await?;
        }
        Ok(cluster)
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    /// Lets the control plane outlive this program; [`stop`] ends it. Returns the kubeconfig.
    pub(crate) fn detach(mut self) -> PathBuf {
        self.owned = false;
        self.kubeconfig()
    }

    fn spawn(&mut self, program: &Path, flags: &[String]) -> anyhow::Result<()> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        self.spawn_as(&name, program, flags)
    }

    /// Starts a program in a process namespace of its own: all that it starts ends with it.
    fn spawn_apart(&mut self, name: &str, command: &[String]) -> anyhow::Result<()> {
        let flags = ["--pid", "--fork", "--kill-child=KILL", "--mount-proc"].map(str::to_owned);
        self.spawn_as(name, Path::new(UNSHARE), &[&flags, command].concat())
    }

    fn spawn_as(&mut self, name: &str, program: &Path, flags: &[String]) -> anyhow::Result<()> {
        let (started, child) = process::start(name, program, flags, &self.dir)?;
        self.processes.push(started);
        self.children.push(child);
        let list = serde_json::to_string_pretty(&self.processes)?;
        Ok(fs::write(self.dir.join(PROCESSES), list)?)
    }

    async fn wait_for_api(&mut self, token: &str) -> anyhow::Result<()> {
        let certificate = self.dir.join("certs/apiserver.crt");
        self.until("the API server's certificate", async || certificate.exists()).await?;
        credentials::write_kubeconfig(&self.kubeconfig(), &self.server, &certificate, token)?;
        let client = client(&self.kubeconfig()).await?;
        self.until("the API server", async || answers(&client, "/readyz").await).await
    }

    async fn start_controllers(&mut self, programs: &Path, keys: &Credentials) -> anyhow::Result<()> {
        let [controllers, scheduler] = ports::free()?;
        self.spawn(&programs.join("kube-controller-manager"), &controller_flags(controllers, keys))?;
        self.spawn(&programs.join("kube-scheduler"), &scheduler_flags(scheduler))?;
        let client = client(&self.kubeconfig()).await?;
        let account = "/api/v1/namespaces/default/serviceaccounts/default";
        self.until("the controller manager", async || answers(&client, account).await).await?;
        let scheduler = insecure_client(scheduler)?;
        self.until("the scheduler", async || answers(&scheduler, "/healthz").await).await
    }

    async fn until(&self, what: &str, ready: impl AsyncFn() -> bool) -> anyhow::Result<()> {
        let mut left = PATIENCE;
        while !ready().await {
            if let Some(dead) = self.processes.iter().find(|process| !process.is_running()) {
                let name = &dead.name;
                bail!("{name} ended while {what} was awaited:\n{}", process::log_tail(&self.dir, name));
            }
            if left.is_zero() {
                bail!(
                    "{what} was not ready within {} s; logs are in {}",
                    PATIENCE.as_secs(),
                    self.dir.display()
                );
            }
            tokio::time::sleep(GLANCE).await;
            left = left.saturating_sub(GLANCE);
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.owned {
            for process in &self.processes {
                process.kill();
            }
            for child in &mut self.children {
                // Killed above; only the zombie is left to collect.
                let _ = child.wait();
            }
            if let Err(error) = remove_state(&self.dir) {
                eprintln!("kube: {} was not cleaned up: {error:#}", self.dir.display());
            }
        }
    }
}

/// Stops the control plane of a folder and removes what it left there except its logs.
///
/// **Errors**: the folder holds none.
pub(crate) async fn stop(dir: &Path) -> anyhow::Result<()> {
    let list = dir.join(PROCESSES);
    let text = fs::read(&list).with_context(|| format!("{} holds no control plane", dir.display()))?;
    process::stop_all(&serde_json::from_slice::<Vec<Started>>(&text)?).await;
    remove_state(dir)
}

/// Removes data and credentials; the logs stay.
fn remove_state(dir: &Path) -> anyhow::Result<()> {
    node::remove_traces(dir)?;
    let folders = [
        "default.etcd",
        "certs",
        "containerd",
        "containerd-state",
        "kubelet",
        "pods",
        "cni",
        "cni-addresses",
    ]
    .map(|name| dir.join(name));
    for folder in folders.iter().filter(|folder| folder.exists()) {
        fs::remove_dir_all(folder)?;
    }
    let files = ["kubeconfig", "tokens.csv", "service-account.key", "service-account.pub", PROCESSES];
    let node = ["containerd.toml", "containerd.sock", "containerd.sock.ttrpc", "kubelet.json", "node.sh"];
    let made = ["pause.tar", "image.tar"]
        .into_iter()
        .chain(node)
        .chain(files)
        .map(PathBuf::from)
        .chain(front::files());
    for file in made.map(|name| dir.join(name)).filter(|file| file.exists()) {
        fs::remove_file(file)?;
    }
    Ok(())
}

/// A client for a kubeconfig file.
///
/// **Errors**: the file is no kubeconfig.
pub(crate) async fn client(kubeconfig: &Path) -> anyhow::Result<kube::Client> {
    let config = kube::config::Kubeconfig::read_from(kubeconfig)?;
    let options = kube::config::KubeConfigOptions::default();
    let mut config = kube::Config::from_custom_kubeconfig(config, &options).await?;
    // A transcript shows what the server answered first.
    config.default_retry = false;
    Ok(kube::Client::try_from(config)?)
}

/// The scheduler signs its own certificate and keeps it in memory.
fn insecure_client(port: u16) -> anyhow::Result<kube::Client> {
    let mut config = kube::Config::new(format!("https://127.0.0.1:{port}").parse()?);
    config.accept_invalid_certs = true;
    Ok(kube::Client::try_from(config)?)
}

async fn answers(client: &kube::Client, path: &str) -> bool {
    let Ok(request) = http::Request::get(path).body(kube::client::Body::empty()) else { return false };
    client.send(request).await.is_ok_and(|response| response.status().is_success())
}

fn running(dir: &Path) -> Vec<Started> {
    let list = fs::read(dir.join(PROCESSES)).unwrap_or_default();
    serde_json::from_slice(&list).unwrap_or_default()
}

fn flags(flags: &[(&str, &str)]) -> Vec<String> {
    flags.iter().map(|(name, value)| format!("--{name}={value}")).collect()
}

fn etcd_flags(client: u16, peer: u16) -> Vec<String> {
    let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
    flags(&[
        ("listen-client-urls", &client),
        ("advertise-client-urls", &client),
        ("listen-peer-urls", &peer),
        ("initial-advertise-peer-urls", &peer),
        ("initial-cluster", &format!("default={peer}")),
        ("unsafe-no-fsync", "true"),
        ("log-level", "warn"),
    ])
}

fn api_flags((level, history): (Level, History), etcd: u16, port: u16, keys: &Credentials) -> Vec<String> {
    let mut all = flags(&[
        ("etcd-servers", &format!("http://127.0.0.1:{etcd}")),
        ("secure-port", &port.to_string()),
        ("bind-address", "127.0.0.1"),
        ("advertise-address", "127.0.0.1"),
        ("endpoint-reconciler-type", "none"),
        ("cert-dir", "certs"),
        ("service-cluster-ip-range", "10.96.0.0/16"),
        ("service-account-issuer", "https://kubernetes.default.svc"),
        ("service-account-key-file", &keys.verifying_key.to_string_lossy()),
        ("service-account-signing-key-file", &keys.signing_key.to_string_lossy()),
        ("token-auth-file", &keys.tokens.to_string_lossy()),
        ("authorization-mode", "RBAC"),
        ("allow-privileged", "true"),
        ("kubelet-preferred-address-types", "InternalIP"),
    ]);
    if history == History::Forgotten {
        // The watch cache would remember longer than etcd.
        all.extend(flags(&[("etcd-compaction-interval", "1s"), ("watch-cache", "false")]));
    }
    if level == Level::Api {
        all.extend(flags(&[("disable-admission-plugins", "ServiceAccount")]));
    }
    all
}

fn controller_flags(port: u16, keys: &Credentials) -> Vec<String> {
    let mut all = flags(&[
        ("service-account-private-key-file", &keys.signing_key.to_string_lossy()),
        ("root-ca-file", "certs/apiserver.crt"),
        ("kube-api-qps", "300"),
        ("kube-api-burst", "600"),
        ("controllers", CONTROLLERS),
    ]);
    all.extend(client_flags(port));
    all
}

fn scheduler_flags(port: u16) -> Vec<String> {
    client_flags(port)
}

/// What every client of the API server that serves its own health needs.
fn client_flags(port: u16) -> Vec<String> {
    flags(&[
        ("kubeconfig", "kubeconfig"),
        ("authentication-kubeconfig", "kubeconfig"),
        ("authorization-kubeconfig", "kubeconfig"),
        ("bind-address", "127.0.0.1"),
        ("secure-port", &port.to_string()),
        ("leader-elect", "false"),
    ])
}
