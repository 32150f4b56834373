//! `slipway controller`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use controllers::analysis::AnalysisConfig;
use controllers::application::{ApplicationConfig, Refresher};
use controllers::experiment::ExperimentConfig;
use controllers::instance::Instance;
use controllers::rollout::RolloutConfig;
use gateway::{Gateway, GatewayConfig};
use object::{Key, Value, json, time};
use runtime::http::{Names, NoNames, System};
use runtime::{Leadership, LeadershipConfig, Order, Selection, Shards, Tasks, Watches};
use server::webhook::Webhook;
use server::{Addresses, Faces, Readiness};
use source::{LocalRepositories, Repositories, Settings};

use self::sharing::SharingFlags;
use self::upstream::{AcceptedFlags, ControllerFlags, RateFlags, RoutingFlags};
use super::ready::{ReadyFile, until_told};
use crate::Session;
use crate::connect::ConnectFlags;

mod sharing;
mod upstream;

/// Arguments of `slipway controller`. Names of flags are those of the Argo controllers where they mean the same.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    connect: ConnectFlags,
    /// Only one namespace: that of --namespace, else of the kubeconfig's context
    #[arg(long)]
    namespaced: bool,
    /// Only objects with this value of the label argo-rollouts.argoproj.io/controller-instance-id
    #[arg(long, default_value = "", value_name = "ID")]
    instance_id: String,
    /// Compete for a lease before working
    #[arg(long, default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    leader_elect: bool,
    #[command(flatten)]
    sharing: SharingFlags,
    /// Namespace of the lease, or of the leases of --shards
    #[arg(long, env = "POD_NAMESPACE", default_value = "argo-rollouts", value_name = "NAMESPACE")]
    leader_election_namespace: String,
    /// How long the lease holds without renewal
    #[arg(long, default_value = "15s", value_parser = duration, value_name = "DURATION")]
    leader_election_lease_duration: Duration,
    /// How long the leader tries to renew it before it gives up
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "DURATION")]
    leader_election_renew_deadline: Duration,
    /// Wait between attempts to take or renew it
    #[arg(long, default_value = "2s", value_parser = duration, value_name = "DURATION")]
    leader_election_retry_period: Duration,
    /// Rollouts worked on side by side
    #[arg(long, default_value_t = 10, value_name = "N")]
    rollout_threads: usize,
    /// Experiments worked on side by side
    #[arg(long, default_value_t = 10, value_name = "N")]
    experiment_threads: usize,
    /// AnalysisRuns worked on side by side
    #[arg(long, default_value_t = 30, value_name = "N")]
    analysis_threads: usize,
    /// Namespace of Applications, AppProjects and repository Secrets
    #[arg(long, env = "ARGOCD_NAMESPACE", default_value = "argocd", value_name = "NAMESPACE")]
    application_namespace: String,
    /// Time between comparisons of an Application with its source
    #[arg(long, default_value = "120s", value_parser = duration, value_name = "DURATION")]
    app_resync: Duration,
    /// Longest random delay of such a comparison
    #[arg(long, default_value = "60s", value_parser = duration, value_name = "DURATION")]
    app_resync_jitter: Duration,
    /// Allow repositories with file:// URLs
    #[arg(long)]
    allow_local_repositories: bool,
    /// Folder of Git caches; a temporary one when absent
    #[arg(long, value_name = "DIR")]
    repository_cache: Option<PathBuf>,
    /// Send requests for `<service>.<namespace>` to this gateway instead of the cluster's own network
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<SocketAddr>,
    /// Address that health, metrics and the webhook listen on
    #[arg(long, default_value = "0.0.0.0", value_name = "IP")]
    bind_address: IpAddr,
    /// Port of /metrics; 0 for any free one
    #[arg(long = "metricsport", aliases = ["metricsPort", "metrics-port"], default_value_t = 8090, value_name = "PORT")]
    metrics_port: u16,
    /// Port of /healthz and /readyz; 0 for any free one
    #[arg(long = "healthzPort", aliases = ["healthzport", "healthz-port"], default_value_t = 8080, value_name = "PORT")]
    healthz_port: u16,
    /// Port of /api/webhook; 0 for any free one
    #[arg(long, default_value_t = 8085, value_name = "PORT")]
    webhook_port: u16,
    #[command(flatten)]
    routing: RoutingFlags,
    #[command(flatten)]
    rate: RateFlags,
    #[command(flatten)]
    only: ControllerFlags,
    #[command(flatten)]
    accepted: AcceptedFlags,
    #[command(flatten)]
    ready: ReadyFile,
}

/// Reads a Go duration, e.g. `120s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    time::parse_duration(text).map_err(|error| error.to_string())
}

/// Runs the controllers until told to stop, or until leadership is lost. Health is served before the replica leads.
pub async fn run(arguments: Arguments, session: &mut Session) -> anyhow::Result<()> {
    arguments.accepted.tell();
    let cluster = session.connect(arguments.connect.connection()).await?.bounded(arguments.rate.bounds());
    let tasks = Tasks::new();
    let (config, readiness) = (ports(&arguments), Readiness::standby());
    let health = server::serve(&config, Faces::standby(&readiness), &tasks).await?.health;
    let namespace = arguments.namespaced.then(|| arguments.connect.namespace_in(&cluster));
    let instance = Instance { id: arguments.instance_id.clone(), namespace };
    let is_shared = arguments.sharing.is_shared();
    let compete = || Leadership::compete(cluster.clone(), lease(&arguments), &tasks);
    let mut leadership = (arguments.leader_elect && !is_shared).then(compete);
    if let Some(leadership) = &mut leadership {
        tokio::select! {
            _ = leadership.acquired() => {}
            outcome = until_told() => return outcome,
        }
    }
    let mut watches = Watches::new(cluster.clone(), &tasks);
    if is_shared {
        let config = sharing::config(&arguments.leader_election_namespace, &instance, cluster.clock().now());
        watches = watches.shared(&Shards::join(&cluster, config, &tasks));
    }
    let addresses = start(&arguments, (&watches, instance), (&config, &readiness), &tasks).await?;
    arguments.ready.write(&told(&Addresses { health, ..addresses }))?;
    tokio::select! {
        outcome = until_told() => outcome?,
        () = lost(leadership.as_mut()) => anyhow::bail!("leadership lost"),
    }
    tasks.stop().await;
    Ok(())
}

async fn lost(leadership: Option<&mut Leadership>) {
    match leadership {
        Some(leadership) => leadership.lost().await,
        None => std::future::pending().await,
    }
}

fn lease(arguments: &Arguments) -> LeadershipConfig {
    let name = if arguments.instance_id.is_empty() {
        "argo-rollouts-controller-lock".to_owned()
    } else {
        format!("argo-rollouts-controller-lock-{}", arguments.instance_id)
    };
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "slipway".into());
    let identity = format!("{host}_{}", std::process::id());
    LeadershipConfig {
        lease_duration: arguments.leader_election_lease_duration,
        renew_deadline: arguments.leader_election_renew_deadline,
        retry_period: arguments.leader_election_retry_period,
        ..LeadershipConfig::new(Key::new(&arguments.leader_election_namespace, &name), &identity)
    }
}

fn ports(arguments: &Arguments) -> server::Config {
    server::Config {
        bind: arguments.bind_address,
        healthz_port: arguments.healthz_port,
        metrics_port: arguments.metrics_port,
        webhook_port: arguments.webhook_port,
    }
}

/// Starts the controllers and what is served besides health; returns where that listens.
async fn start(
    arguments: &Arguments,
    (watches, instance): (&Watches, Instance),
    (config, readiness): (&server::Config, &Readiness),
    tasks: &Tasks,
) -> anyhow::Result<Addresses> {
    let names: Arc<dyn Names> = match arguments.gateway {
        Some(address) => Arc::new(Gateway::new(watches, GatewayConfig::default(), tasks).names(address)),
        None => Arc::new(NoNames),
    };
    let (ours, others) = (instance.selection(), instance.others());
    controllers_of_rollouts(arguments, (watches, &instance), names, tasks);
    let namespace = arguments.application_namespace.as_str();
    if arguments.only.only_analysis() {
        let caches = server::Caches::new(watches, &ours, &others, namespace);
        return Ok(server::serve(config, Faces::measuring(caches, readiness), tasks).await?);
    }
    let mut application =
        ApplicationConfig { jitter: arguments.app_resync_jitter, ..ApplicationConfig::default() };
    application.settings.namespace.clone_from(&arguments.application_namespace);
    application.settings.refresh_after = arguments.app_resync;
    let refresher = controllers::application::run(watches, repositories(arguments), application, tasks);
    let (caches, webhook) = served(watches, (&ours, &others), (namespace, refresher));
    Ok(server::serve(config, Faces::leading(caches, webhook, readiness), tasks).await?)
}

/// Starts the controllers of Rollouts, Experiments and AnalysisRuns, or of these alone.
fn controllers_of_rollouts(
    arguments: &Arguments,
    (watches, instance): (&Watches, &Instance),
    names: Arc<dyn Names>,
    tasks: &Tasks,
) {
    let order = Order::Arrival;
    if !arguments.only.only_analysis() {
        let rollout = RolloutConfig { instance: instance.clone(), workers: arguments.rollout_threads, order };
        controllers::rollout::run_with(watches, rollout, arguments.routing.settings(), tasks);
        let experiment =
            ExperimentConfig { instance: instance.clone(), workers: arguments.experiment_threads, order };
        controllers::experiment::run(watches, experiment, tasks);
    }
    let analysis = AnalysisConfig { instance: instance.clone(), workers: arguments.analysis_threads, order };
    controllers::analysis::run(watches, Arc::new(System::new(names)), analysis, tasks);
}

/// Serves health, metrics and the webhook; returns where.
pub async fn faces(
    watches: &Watches,
    selections: (&Selection, &Selection),
    applications: (&str, Refresher),
    (config, tasks): (&server::Config, &Tasks),
) -> anyhow::Result<Value> {
    let (caches, webhook) = served(watches, selections, applications);
    Ok(told(&server::serve(config, Faces::all(caches, webhook), tasks).await?))
}

/// Returns what the faces are made of.
fn served(
    watches: &Watches,
    (ours, others): (&Selection, &Selection),
    (namespace, refresher): (&str, Refresher),
) -> (server::Caches, Webhook) {
    let secrets = server::Caches::webhook_secret(watches, namespace);
    let webhook = Webhook::with_secrets(refresher, secrets, namespace);
    (server::Caches::new(watches, ours, others, namespace), webhook)
}

fn told(addresses: &Addresses) -> Value {
    let text = |address: Option<SocketAddr>| address.map(|address| address.to_string());
    json!({
        "health": text(addresses.health), "metrics": text(addresses.metrics), "webhook": text(addresses.webhook)
    })
}

fn repositories(arguments: &Arguments) -> Arc<Repositories> {
    let cache = arguments.repository_cache.clone();
    let cache =
        cache.unwrap_or_else(|| std::env::temp_dir().join(format!("slipway-git-{}", std::process::id())));
    let mut settings = Settings::new(cache);
    if arguments.allow_local_repositories {
        settings.local = LocalRepositories::Read;
    }
    Arc::new(Repositories::new(settings))
}
