//! The faces on their ports.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use runtime::{Cache, Selection, Tasks, Watches, resources};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::metrics::{Completions, Sources, Syncs};
use crate::webhook::{SECRET, Webhook};
use crate::{Readiness, health, metrics};

/// Longest that the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(10);
/// Longest that one connection is kept.
const CONNECTION: Duration = Duration::from_secs(600);
/// Connections of one face that may be open at once.
const CONNECTIONS: usize = 256;

/// Where the faces listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Address that all of them bind.
    pub bind: IpAddr,
    /// Port of `/healthz` and `/readyz`; 0 takes a free one.
    pub healthz_port: u16,
    /// Port of `/metrics`; 0 takes a free one.
    pub metrics_port: u16,
    /// Port of `/api/webhook`; 0 takes a free one.
    pub webhook_port: u16,
}

impl Default for Config {
    /// Returns all addresses and the ports of Argo Rollouts' health (8080) and metrics (8090); for the webhook 8085, as
    /// Argo CD's own port is that of the health checks here.
    fn default() -> Self {
        let bind = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self { bind, healthz_port: 8080, metrics_port: 8090, webhook_port: 8085 }
    }
}

/// The caches that the faces read.
#[derive(Clone, Debug, Default)]
pub struct Caches {
    /// What series are made of.
    pub metrics: Sources,
    /// What must be complete for `/readyz`.
    pub needed: Vec<Cache>,
}

impl Caches {
    /// Returns the caches of a process that runs all controllers. `ours` selects Rollouts, AnalysisRuns and Experiments,
    /// `others` their templates; Applications are those of `namespace`. Give what the controllers have, and the watches
    /// are shared with them.
    pub fn new(watches: &Watches, ours: &Selection, others: &Selection, namespace: &str) -> Self {
        let rollouts = watches.cache_with(&resources::ROLLOUTS, ours);
        let runs = watches.cache_with(&resources::ANALYSIS_RUNS, ours);
        let templates = watches.cache_with(&resources::ANALYSIS_TEMPLATES, others);
        let cluster_templates = watches.cache(&resources::CLUSTER_ANALYSIS_TEMPLATES);
        let applications = watches.cache_with(&resources::APPLICATIONS, &Selection::namespace(namespace));
        Self {
            needed: vec![rollouts.clone(), runs.clone(), applications.clone()],
            metrics: Sources {
                rollouts: Some(rollouts),
                analysis_runs: Some(runs),
                templates: vec![templates, cluster_templates],
                experiments: Some(watches.cache_with(&resources::EXPERIMENTS, ours)),
                applications: Some(applications),
                activity: Some(watches.activity().clone()),
                syncs: Syncs::default(),
                completions: Completions::default(),
                watches: Some(watches.clone()),
            },
        }
    }

    /// Returns the cache for [`Webhook::with_secrets`]: it holds one Secret and nothing else.
    pub fn webhook_secret(watches: &Watches, namespace: &str) -> Cache {
        let fields = Some(format!("metadata.name={SECRET}"));
        watches.cache_with(&resources::SECRETS, &Selection { fields, ..Selection::namespace(namespace) })
    }
}

/// What is served; what is absent does not listen.
#[derive(Clone, Default)]
pub struct Faces {
    /// Health, and what it takes to be ready.
    pub health: Option<Readiness>,
    /// Metrics.
    pub metrics: Option<Sources>,
    /// The webhook.
    pub webhook: Option<Webhook>,
}

impl Faces {
    /// Returns all faces.
    pub fn all(caches: Caches, webhook: Webhook) -> Self {
        let readiness = Readiness::default();
        readiness.needs(caches.needed);
        caches.metrics.watches.iter().for_each(|watches| readiness.watches(watches.clone()));
        Self { health: Some(readiness), metrics: Some(caches.metrics), webhook: Some(webhook) }
    }

    /// Returns what a replica serves while it does not lead: health.
    pub fn standby(readiness: &Readiness) -> Self {
        Self { health: Some(readiness.clone()), ..Self::default() }
    }

    /// Returns what such a replica serves besides once it leads where only AnalysisRuns are worked on: no webhook.
    pub fn measuring(caches: Caches, readiness: &Readiness) -> Self {
        Self::leading_with(caches, None, readiness)
    }

    /// Returns what a replica that has [`Faces::standby`] serves besides once it leads, and tells `readiness` what that takes.
    pub fn leading(caches: Caches, webhook: Webhook, readiness: &Readiness) -> Self {
        Self::leading_with(caches, Some(webhook), readiness)
    }

    fn leading_with(caches: Caches, webhook: Option<Webhook>, readiness: &Readiness) -> Self {
        readiness.needs(caches.needed);
        caches.metrics.watches.iter().for_each(|watches| readiness.watches(watches.clone()));
        Self { health: None, metrics: Some(caches.metrics), webhook }
    }
}

/// Where the faces that are served listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// `/healthz` and `/readyz`.
    pub health: Option<SocketAddr>,
    /// `/metrics`.
    pub metrics: Option<SocketAddr>,
    /// `/api/webhook`.
    pub webhook: Option<SocketAddr>,
}

/// Serves `faces` until `tasks` stop. May be called more than once, e.g. for health before the process leads and for the
/// rest once it does.
///
/// **Errors:** an address cannot be bound; nothing is served then.
pub async fn serve(config: &Config, faces: Faces, tasks: &Tasks) -> io::Result<Addresses> {
    let Faces { health, metrics, webhook } = faces;
    let health = face(config, config.healthz_port, health.map(health::router)).await?;
    let followed = metrics.as_ref().map(Sources::follow).unwrap_or_default();
    let metrics = face(config, config.metrics_port, metrics.map(metrics::router)).await?;
    let webhook = face(config, config.webhook_port, webhook.map(|webhook| webhook.router())).await?;
    for follow in followed {
        let stopped = tasks.token();
        tasks.spawn("metrics", async move {
            stopped.run_until_cancelled(follow).await;
        });
    }
    Ok(Addresses {
        health: health.map(|face| face.start("health", tasks)),
        metrics: metrics.map(|face| face.start("metrics", tasks)),
        webhook: webhook.map(|face| face.start("webhook", tasks)),
    })
}

/// A face that has its port and does not answer yet.
struct Face {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

async fn face(config: &Config, port: u16, router: Option<Router>) -> io::Result<Option<Face>> {
    let Some(router) = router else { return Ok(None) };
    let wanted = SocketAddr::new(config.bind, port);
    let listener = TcpListener::bind(wanted)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {wanted}: {error}")))?;
    let address = listener.local_addr()?;
    Ok(Some(Face { listener, address, router }))
}

impl Face {
    fn start(self, name: &'static str, tasks: &Tasks) -> SocketAddr {
        let address = self.address;
        tracing::info!(face = name, %address, "listening");
        let connections = tasks.child();
        tasks.spawn(name, self.accept(connections));
        address
    }

    async fn accept(self, connections: Tasks) {
        let (stopped, room) = (connections.token(), Arc::new(Semaphore::new(CONNECTIONS)));
        loop {
            let next = async {
                let permit = room.clone().acquire_owned().await;
                (permit, self.listener.accept().await)
            };
            let Some((permit, accepted)) = stopped.run_until_cancelled(next).await else { return };
            let Ok((stream, _)) = accepted else {
                tracing::warn!(address = %self.address, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let router = self.router.clone();
            connections.spawn("connection", async move {
                let _ = tokio::time::timeout(CONNECTION, answer(stream, router)).await;
                drop(permit);
            });
        }
    }
}

async fn answer(stream: TcpStream, router: Router) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}
