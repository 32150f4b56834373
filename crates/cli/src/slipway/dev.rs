//! `slipway dev`: a whole cluster in this process.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use apiserver::{ApiServer, Config, Loopback};
use controllers::analysis::AnalysisConfig;
use controllers::application::ApplicationConfig;
use controllers::experiment::ExperimentConfig;
use controllers::instance::Instance;
use controllers::rollout::RolloutConfig;
use gateway::{Gateway, GatewayConfig, ServiceNames};
use node::{Claim, Node, NodeConfig};
use object::{Value, json};
use runtime::http::System;
use runtime::{Cluster, Order, Tasks, Watches, resources};
use source::{LocalRepositories, Repositories, Settings};
use store::Store;
use tokio::net::TcpListener;

use super::controller::{duration, faces};
use super::pods::PodFlags;
use super::ready::{ReadyFile, until_told};
use crate::Session;

/// Arguments of `slipway dev`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the cluster: its state, images, logs and kubeconfig; a temporary one when absent
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Keep the cluster's state in memory only
    #[arg(long)]
    memory: bool,
    /// Port of the API server on the loopback address; 0 for any free one
    #[arg(long, default_value_t = 6443)]
    port: u16,
    /// Port of the HTTP gateway on the loopback address; 0 for any free one
    #[arg(long, default_value_t = 8000)]
    gateway_port: u16,
    /// Port of the webhook on the loopback address; 0 for any free one
    #[arg(long, default_value_t = 0)]
    webhook_port: u16,
    #[command(flatten)]
    pods: PodFlags,
    /// Time between comparisons of an Application with its source
    #[arg(long, default_value = "120s", value_parser = duration, value_name = "DURATION")]
    app_resync: Duration,
    /// Longest random delay of such a comparison
    #[arg(long, default_value = "60s", value_parser = duration, value_name = "DURATION")]
    app_resync_jitter: Duration,
    #[command(flatten)]
    ready: ReadyFile,
}

/// Namespace of Applications.
const NAMESPACE: &str = "argocd";

/// Runs the cluster until told to stop.
pub async fn run(arguments: Arguments, session: &mut Session) -> anyhow::Result<()> {
    let temporary = std::env::temp_dir().join(format!("slipway-dev-{}", std::process::id()));
    let dir = arguments.dir.clone().unwrap_or(temporary);
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let dir = std::path::absolute(&dir)?;
    // Before anything is written there: the kubeconfig in it belongs to who holds the folder.
    let _claim = Claim::take(&dir, "dev", &session.clock).await?;
    let tasks = Tasks::new();
    let (cluster, server) = serve(&arguments, &dir, session, &tasks).await?;
    let (gateway, mut ready) = start(&arguments, &dir, &cluster, &tasks).await?;
    let kubeconfig = server.kubeconfig.display().to_string();
    ready["kubeconfig"] = json!(kubeconfig);
    ready["server"] = json!(server.address.to_string());
    ready["gateway"] = json!(gateway.to_string());
    arguments.ready.write(&ready)?;
    writeln!(session.err, "cluster  https://{}", server.address)?;
    writeln!(session.err, "gateway  http://<service>.<namespace>.localhost:{}/", gateway.port())?;
    writeln!(session.err, "webhook  http://{}/api/webhook", ready["webhook"].as_str().unwrap_or_default())?;
    writeln!(session.err, "metrics  http://{}/metrics", ready["metrics"].as_str().unwrap_or_default())?;
    writeln!(session.err, "\nexport KUBECONFIG={kubeconfig}")?;
    until_told().await?;
    tasks.stop().await;
    Ok(())
}

struct Server {
    address: SocketAddr,
    kubeconfig: PathBuf,
}

/// Opens the store and serves it over TLS; returns the cluster as seen in process.
async fn serve(
    arguments: &Arguments,
    dir: &Path,
    session: &Session,
    tasks: &Tasks,
) -> anyhow::Result<(Cluster, Server)> {
    let store = if arguments.memory { Store::memory() } else { Store::open(&dir.join("store"))? };
    let config = Config { token: token(dir)?, loopback_endpoints: Loopback::Allowed, ..Config::default() };
    let api = ApiServer::new(store, session.clock.clone(), config);
    api.bootstrap().await?;
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))
        .await
        .with_context(|| format!("cannot listen on port {}", arguments.port))?;
    let endpoint = apiserver::serve::tls(&api, listener, dir, tasks)?;
    let kubeconfig = dir.join("kubeconfig");
    endpoint.write_kubeconfig(&kubeconfig)?;
    let cluster = Cluster::new(kube::Client::new(api.router(), "default"), session.clock.clone());
    Ok((cluster, Server { address: endpoint.address, kubeconfig }))
}

/// Returns the bearer token of the cluster in `dir`: the one of its first start, 256 random bits in a private file.
fn token(dir: &Path) -> anyhow::Result<String> {
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = dir.join("token");
    match std::fs::read_to_string(&path) {
        Ok(token) if token.len() == 64 => return Ok(token),
        Ok(_) => anyhow::bail!("{} does not hold a token; remove it to get a new one", path.display()),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
        Err(_) => {}
    }
    let mut random = [0_u8; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let token = random.iter().fold(String::with_capacity(64), |token, byte| token + &format!("{byte:02x}"));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(token.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(token)
}

/// Installs the definitions, then starts the built-in controllers, the node, the gateway and our controllers.
async fn start(
    arguments: &Arguments,
    dir: &Path,
    cluster: &Cluster,
    tasks: &Tasks,
) -> anyhow::Result<(SocketAddr, Value)> {
    controllers::install(cluster, NAMESPACE).await.context("cannot install the definitions")?;
    // The gateway splits by HTTPRoutes; the definition of who brings their own stays.
    let routes = gateway::definition();
    if cluster.get(&resources::CRDS, &routes.key()).await?.is_none() {
        cluster
            .create(&resources::CRDS, &routes)
            .await
            .context("cannot install the definition of HTTPRoutes")?;
    }
    let watches = Watches::new(cluster.clone(), tasks);
    workload::run(cluster, &watches, tasks, &workload::Set::all());
    workload::expire_events(cluster, tasks);
    let pods = arguments.pods.pods()?;
    Node::new(cluster.clone(), NodeConfig::new("slipway", dir, pods).silent()).run(tasks).await?;
    let listener = TcpListener::bind(("127.0.0.1", arguments.gateway_port))
        .await
        .with_context(|| format!("cannot listen on port {}", arguments.gateway_port))?;
    let address = listener.local_addr()?;
    let gateway = Gateway::new(&watches, GatewayConfig::default(), tasks);
    gateway.serve(listener, tasks);
    let faces = control(arguments, dir, (&watches, gateway.names(address)), tasks).await?;
    Ok((address, faces))
}

/// Starts our controllers and their HTTP faces on the loopback address; returns where those listen.
async fn control(
    arguments: &Arguments,
    dir: &Path,
    (watches, names): (&Watches, ServiceNames),
    tasks: &Tasks,
) -> anyhow::Result<Value> {
    let rollout = RolloutConfig { instance: Instance::default(), workers: 4, order: Order::Arrival };
    controllers::rollout::run(watches, rollout, tasks);
    let experiment = ExperimentConfig { instance: Instance::default(), workers: 4, order: Order::Arrival };
    controllers::experiment::run(watches, experiment, tasks);
    let analysis = AnalysisConfig { instance: Instance::default(), workers: 4, order: Order::Arrival };
    controllers::analysis::run(watches, Arc::new(System::new(Arc::new(names))), analysis, tasks);
    let mut settings = Settings::new(dir.join("repositories"));
    settings.local = LocalRepositories::Read;
    let mut application =
        ApplicationConfig { jitter: arguments.app_resync_jitter, workers: 4, ..ApplicationConfig::default() };
    application.settings.namespace = NAMESPACE.into();
    application.settings.refresh_after = arguments.app_resync;
    let refresher =
        controllers::application::run(watches, Arc::new(Repositories::new(settings)), application, tasks);
    let ports = server::Config {
        bind: Ipv4Addr::LOCALHOST.into(),
        healthz_port: 0,
        metrics_port: 0,
        webhook_port: arguments.webhook_port,
    };
    let instance = Instance::default();
    let selections = (&instance.selection(), &instance.others());
    faces(watches, selections, (NAMESPACE, refresher), (&ports, tasks)).await
}

#[cfg(test)]
mod tests;
