//! Start of `slipway dev`, and its memory at rest.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use object::Value;
use runtime::{Clock, Cluster, Selection, resources};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::figure::{Figure, median};
use crate::process::memory;

/// Starts; the middle one counts.
const STARTS: usize = 7;
/// Time after which the cluster is at rest: nobody has asked anything.
const REST: Duration = Duration::from_secs(10);
/// Time until a start is given up.
const LIMIT: Duration = Duration::from_secs(60);
/// Goal: from the start of a new cluster's process to its first answer, in seconds.
const START_GOAL: f64 = 1.5;
/// Goal: memory at rest, in MiB.
const MEMORY_GOAL: f64 = 60.0;

/// Starts the binary `slipway` several times.
///
/// **Errors:** it does not start, or does not answer within a minute.
pub(crate) async fn measure(slipway: &Path, print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut times = (Vec::new(), Vec::new());
    for number in 0..STARTS {
        let folder = dir.path().join(number.to_string());
        times.0.push(Server::start(slipway, &folder).await?.stop().await?);
        times.1.push(Server::start(slipway, &folder).await?.stop().await?);
    }
    let seconds = |times| median(times).as_secs_f64();
    let (new, again) = (seconds(times.0), seconds(times.1));
    print(Figure::new("slipway dev: a new cluster's first answer", new, "s").at_most(START_GOAL));
    print(Figure::new("slipway dev: first answer after a restart", again, "s"));
    at_rest(slipway, &dir.path().join("rest"), print).await
}

async fn at_rest(slipway: &Path, folder: &Path, print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
    let server = Server::start(slipway, folder).await?;
    let before = memory(server.id, "VmRSS")?;
    tokio::time::sleep(REST).await;
    let (after, private) = (memory(server.id, "VmRSS")?, memory(server.id, "RssAnon")?);
    print(Figure::new("slipway dev: memory after the first answer", before, "MiB"));
    print(Figure::new("slipway dev: memory at rest (RSS)", after, "MiB").at_most(MEMORY_GOAL));
    print(Figure::new("slipway dev: of it not of files (RssAnon)", private, "MiB"));
    server.stop().await.map(drop)
}

/// A `slipway dev` that has answered once. Killed when dropped.
struct Server {
    child: Child,
    id: u32,
    /// From start to answer.
    took: Duration,
}

impl Server {
    /// Starts a cluster in `folder`, or again the one that is there.
    async fn start(slipway: &Path, folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let ready_file = folder.join("ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let log = std::fs::File::create(folder.join("log"))?;
        let mut command = Command::new(slipway);
        command.args(["dev", "--port", "0", "--gateway-port", "0", "--dir"]).arg(folder);
        command.arg("--ready-file").arg(&ready_file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("cannot start {}", slipway.display()))?;
        let id = child.id().context("it ended at once")?;
        let kubeconfig = kubeconfig(&ready_file, &mut child).await?;
        let cluster = Cluster::from_kubeconfig(Some(kubeconfig.as_ref()), Clock::system()).await?;
        cluster.list(&resources::NAMESPACES, None, &Selection::default()).await?;
        Ok(Self { child, id, took: start.elapsed() })
    }

    /// Ends it as Ctrl-C does; returns how long it took to the first answer.
    async fn stop(mut self) -> anyhow::Result<Duration> {
        Command::new("kill").args(["-INT", &self.id.to_string()]).status().await?;
        tokio::time::timeout(LIMIT, self.child.wait()).await.context("it does not end")??;
        Ok(self.took)
    }
}

/// Waits until the cluster says where its kubeconfig is.
async fn kubeconfig(ready_file: &Path, child: &mut Child) -> anyhow::Result<String> {
    let give_up = Instant::now() + LIMIT;
    while Instant::now() < give_up {
        if let Ok(text) = std::fs::read_to_string(ready_file) {
            let ready: Value = object::yaml::document(&text)?;
            return Ok(ready["kubeconfig"].as_str().context("no kubeconfig")?.to_owned());
        }
        if let Some(status) = child.try_wait()? {
            bail!("slipway dev ended: {status}");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bail!("slipway dev is not ready after {LIMIT:?}")
}
