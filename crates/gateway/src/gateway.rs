//! [`Gateway`]: takes requests, finds the backend, answers.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use object::Key;
use runtime::http::Names;
use runtime::{Clock, Tasks, Watches};
use tokio::net::{TcpListener, TcpStream};

use crate::balance::{Balance, Pick};
use crate::forward::{Forward, Outcome};
use crate::metrics::Metrics;
use crate::name::{Host, parse_host};
use crate::route::{AnyHost, Asked};
use crate::split::{Choice, Split};

/// Host of the gateway itself.
const OWN_HOST: &str = "gateway.localhost";
/// Path of the metrics on every host.
const METRICS: &str = "/-/metrics";
/// Wait after a failed accept.
const RETRY: Duration = Duration::from_millis(100);

/// Times of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewayConfig {
    /// Longest time to connect to a backend.
    pub connect: Duration,
    /// Longest time until the head of its answer.
    pub answer: Duration,
}

impl Default for GatewayConfig {
    /// Returns 2 s to connect and 60 s to answer.
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), answer: Duration::from_secs(60) }
    }
}

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    balance: Balance,
    split: Split,
    forward: Forward,
    metrics: Metrics,
    clock: Clock,
}

impl Gateway {
    /// Returns a gateway to the Services that `watches` sees; it follows them until `tasks` end.
    pub fn new(watches: &Watches, config: GatewayConfig, tasks: &Tasks) -> Self {
        let (balance, metrics) = (Balance::new(watches, tasks), Metrics::new());
        let (series, mut pods) = (metrics.clone(), balance.pods().subscribe());
        tasks.spawn("gateway-series", async move {
            while let Some(change) = pods.next().await {
                if change.new.is_none() {
                    series.forget(&change.key);
                }
            }
        });
        let forward = Forward::new(config.connect, config.answer);
        let (split, clock) = (Split::new(watches), watches.cluster().clock().clone());
        Self { balance, split, forward, metrics, clock }
    }

    /// Returns the names of the Services, for requests of the controllers themselves; `address` is where this gateway
    /// is served.
    pub fn names(&self, address: SocketAddr) -> ServiceNames {
        ServiceNames { balance: self.balance.clone(), address }
    }

    /// Returns all series as OpenMetrics text.
    pub fn metrics(&self) -> String {
        self.metrics.text()
    }

    /// Serves `listener` until `tasks` end.
    pub fn serve(&self, listener: TcpListener, tasks: &Tasks) {
        let (gateway, token, connections) = (self.clone(), tasks.token(), tasks.child());
        tasks.spawn("gateway", async move {
            token.run_until_cancelled(gateway.accept(listener, connections)).await;
        });
    }

    async fn accept(self, listener: TcpListener, connections: Tasks) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    connections.spawn("gateway-connection", self.clone().connection(stream, peer));
                }
                Err(error) => {
                    tracing::warn!(%error, "gateway cannot accept");
                    self.clock.sleep(RETRY).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request: Request<Incoming>| {
            let gateway = self.clone();
            async move { Ok::<_, std::convert::Infallible>(gateway.answer(request.map(Body::new), peer).await) }
        });
        let served = Builder::new(TokioExecutor::new());
        if let Err(error) = served.serve_connection(TokioIo::new(stream), service).await {
            tracing::debug!(%error, "gateway connection");
        }
    }

    /// Answers one request of `peer`.
    pub async fn answer(&self, request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let host = host(request.headers(), &request);
        let own = host.split(':').next() == Some(OWN_HOST);
        if request.uri().path() == METRICS || own && request.uri().path() == "/metrics" {
            return metrics(self.metrics.text());
        }
        let (service, port) = match self.split(&host, &request) {
            Ok(Some(place)) => place,
            Ok(None) => return plain(StatusCode::NOT_FOUND, &unknown(&host)),
            Err(status) => return plain(status, "no Service of the rule has a weight"),
        };
        match self.balance.pick(&service, port) {
            Pick::NoService => plain(StatusCode::NOT_FOUND, &format!("no Service {service} with a port")),
            Pick::Nobody => {
                plain(StatusCode::SERVICE_UNAVAILABLE, &format!("Service {service} has no ready endpoint"))
            }
            Pick::Backends(backends) => {
                let started = self.clock.now();
                let outcome = self.forward.pass(request, peer, backends).await;
                let (pod, answer) = respond(outcome, &service);
                let duration = self.clock.now().since(started);
                self.metrics.count(&service, &pod, answer.status().as_u16(), duration);
                answer
            }
        }
    }

    /// Returns the Service and port that a request is for: by the HTTPRoutes, else by its host.
    ///
    /// Errors: the status of a rule that sends to nobody. Source: HTTPBackendRef in the Gateway API.
    fn split(&self, host: &str, request: &Request<Body>) -> Result<Option<(Key, Option<u16>)>, StatusCode> {
        let named = parse_host(host);
        let is_service = |named: &Host| named.certain || self.balance.knows(&named.service);
        let any = if named.as_ref().is_some_and(is_service) { AnyHost::Ignored } else { AnyHost::Counts };
        let name = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let asked = Asked {
            host: &name,
            method: request.method().as_str(),
            path: request.uri().path(),
            query: request.uri().query().unwrap_or_default(),
            headers: request.headers(),
        };
        match self.split.choose(asked, any) {
            Choice::Target(target) => Ok(Some((target.service, target.port))),
            Choice::NoWeight => Err(StatusCode::INTERNAL_SERVER_ERROR),
            Choice::NoRule => Ok(named.map(|named| (named.service, named.port))),
        }
    }
}

/// What to say of a host that means nothing.
fn unknown(host: &str) -> String {
    format!("no Service has the name {host:?}; call http://<service>.<namespace>.localhost/")
}

fn respond(outcome: Outcome, service: &Key) -> (String, Response<Body>) {
    match outcome {
        Outcome::Answer(backend, answer) => (backend.pod, answer),
        Outcome::Timeout(backend) => {
            let text = format!("pod {} of Service {service} did not answer in time", backend.pod);
            (backend.pod, plain(StatusCode::GATEWAY_TIMEOUT, &text))
        }
        Outcome::Unreachable(backend, problem) => {
            let text = format!("pod {} of Service {service} cannot be reached: {problem}", backend.pod);
            (backend.pod, plain(StatusCode::BAD_GATEWAY, &text))
        }
    }
}

fn host(headers: &HeaderMap, request: &Request<Body>) -> String {
    let header = headers.get(header::HOST).and_then(|value| value.to_str().ok()).map(str::to_owned);
    header.or_else(|| request.uri().authority().map(ToString::to_string)).unwrap_or_default()
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    let content_type = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn metrics(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let content_type =
        header::HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// Leads the names of Services to the gateway.
#[derive(Clone)]
pub struct ServiceNames {
    balance: Balance,
    address: SocketAddr,
}

impl Names for ServiceNames {
    /// Returns the gateway's address for every name that can only be a Service, and for `<service>.<namespace>` when
    /// that exists.
    fn resolve(&self, host: &str) -> Option<SocketAddr> {
        let named = parse_host(host)?;
        (named.certain || self.balance.knows(&named.service)).then_some(self.address)
    }
}
