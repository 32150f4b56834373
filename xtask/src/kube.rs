//! `cargo xtask kube`: a real Kubernetes control plane, built once into the cache and started on free ports.
//!
//! Level 0 is etcd and the API server; level 1 adds the controller manager and the scheduler. Nodes are not part
//! of these: whoever needs pods to run joins a node of their own. Level 2 adds a kubelet with real containers, level 3
//! Contour and Envoy in front of them.

pub(crate) mod build;
pub(crate) mod cluster;
mod credentials;
mod go;
mod image;
mod parts;
mod ports;
mod process;
mod real_test;
mod traffic;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

pub(crate) use cluster::{Cluster, Level};
pub(crate) use real_test::run as test;

use crate::record;

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Build (once) and start a control plane; prints where its kubeconfig is
    Up {
        /// 0: etcd and API server; 1: also controller manager and scheduler; 2: also a kubelet and real containers (needs
        /// root); 3: also Contour and Envoy
        #[arg(long, default_value = "1")]
        level: Level,
        /// Where kubeconfig, logs and data go [default: a fresh temporary folder]
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Print `KUBECONFIG=…` and nothing else, for `export $(…)`
        #[arg(long)]
        print_env: bool,
    },
    /// Stop a control plane that `up` started, and remove its data
    Down {
        /// The folder that `up` printed [default: the last one started without --dir]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Run the tests that need a real control plane, on a fresh one of level 1
    Test,
    /// Run the tests of real traffic through Envoy, on a fresh cluster of level 3
    Traffic,
    /// Play the transcripts' scripts against a real API server and keep its answers
    Record {
        /// Only these scripts, by file stem
        scripts: Vec<String>,
        /// Use this cluster instead of a fresh one of level 0
        #[arg(long)]
        kubeconfig: Option<PathBuf>,
    },
}

pub(crate) async fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Up { level, dir, print_env } => up(level, dir, print_env).await,
        Task::Down { dir } => down(dir).await,
        Task::Test => real_test::run().await,
        Task::Traffic => traffic::run().await,
        Task::Record { scripts, kubeconfig } => record::run(&scripts, kubeconfig.as_deref()).await,
    }
}

async fn up(level: Level, dir: Option<PathBuf>, print_env: bool) -> anyhow::Result<()> {
    let dir = match dir {
        Some(dir) => std::path::absolute(dir)?,
        None => remembered_new_dir()?,
    };
    let cluster = Cluster::start(level, &dir).await?;
    let gateway = cluster.gateway();
    let kubeconfig = cluster.detach();
    println!("KUBECONFIG={}", kubeconfig.display());
    if let Some(gateway) = gateway {
        println!("GATEWAY={gateway}");
    }
    if !print_env {
        println!("# stop it with: cargo xtask kube down --dir {}", dir.display());
    }
    Ok(())
}

async fn down(dir: Option<PathBuf>) -> anyhow::Result<()> {
    let dir = match dir {
        Some(dir) => std::path::absolute(dir)?,
        None => last_dir()?,
    };
    cluster::stop(&dir).await?;
    eprintln!("stopped {}", dir.display());
    Ok(())
}

fn remembered_new_dir() -> anyhow::Result<PathBuf> {
    let dir = tempfile::Builder::new().prefix("slipway-kube-").tempdir()?.keep();
    let memo = memo()?;
    std::fs::create_dir_all(memo.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(memo, dir.to_string_lossy().as_bytes())?;
    Ok(dir)
}

fn last_dir() -> anyhow::Result<PathBuf> {
    let memo = memo()?;
    let text =
        std::fs::read_to_string(&memo).context("no control plane was started without --dir: name it")?;
    Ok(PathBuf::from(text))
}

fn memo() -> anyhow::Result<PathBuf> {
    Ok(crate::paths::cache()?.join("kube/last-dir"))
}
