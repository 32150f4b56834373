//! The log endpoint, as the API server expects it of a kubelet: `/containerLogs/<namespace>/<pod>/<container>`.
//!
//! Served to peers on this machine only: over TLS with a certificate of its own, which a real API server asks for, and
//! in plain on the same port, which is enough within one machine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use object::{Key, Time};
use runtime::{Cache, Clock, Tasks};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::log;
use crate::log::read::{Ask, POLL, Reading};

/// Time for a peer to greet.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// First byte of a TLS connection. Source: RFC 8446 §5.1, ContentType handshake.
const TLS_HANDSHAKE: u8 = 22;

#[derive(Clone)]
struct Logs {
    pods: Cache,
    dir: PathBuf,
    clock: Clock,
}

/// Serves the logs of the pods in `cache` and returns the port.
pub(crate) async fn serve(cache: &Cache, dir: &Path, clock: Clock, tasks: &Tasks) -> io::Result<u16> {
    let acceptor = acceptor()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let router = router(Logs { pods: cache.clone(), dir: dir.to_owned(), clock });
    let (token, connections) = (tasks.token(), tasks.child());
    tasks.spawn("kubelet", async move {
        token.run_until_cancelled(accept(listener, acceptor, router, connections)).await;
    });
    Ok(port)
}

fn router(logs: Logs) -> axum::Router {
    axum::Router::new()
        .route("/healthz", axum::routing::get(|| async { "ok" }))
        .route("/containerLogs/{namespace}/{pod}/{container}", axum::routing::get(answer))
        .with_state(logs)
}

fn acceptor() -> io::Result<TlsAcceptor> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, router: axum::Router, connections: Tasks) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) if peer.ip().is_loopback() => {
                connections.spawn("kubelet-connection", connection(stream, acceptor.clone(), router.clone()));
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "log endpoint");
                tokio::time::sleep(POLL).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, router: axum::Router) {
    let mut first = [0];
    let greeted = tokio::time::timeout(HANDSHAKE, stream.peek(&mut first)).await;
    if !matches!(greeted, Ok(Ok(1))) {
        return;
    }
    if first[0] != TLS_HANDSHAKE {
        return answer_on(stream, router).await;
    }
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    answer_on(stream, router).await;
}

async fn answer_on(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: axum::Router) {
    let service = TowerToHyperService::new(router);
    let served = Builder::new(TokioExecutor::new());
    if let Err(error) = served.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(error = %error, "log connection");
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    follow: bool,
    previous: bool,
    timestamps: bool,
    tail_lines: Option<usize>,
    limit_bytes: Option<usize>,
    since_seconds: Option<u64>,
    since_time: Option<String>,
}

impl Asked {
    fn ask(&self, now: Time) -> Ask {
        let since = self.since_seconds.map(|seconds| now.before(Duration::from_secs(seconds)));
        let since_time = self.since_time.as_deref().and_then(|text| Time::parse(text).ok());
        Ask {
            tail: self.tail_lines,
            since: since.or(since_time),
            limit: self.limit_bytes,
            timestamps: self.timestamps,
            follow: self.follow,
            previous: self.previous,
        }
    }
}

async fn answer(
    State(logs): State<Logs>,
    UrlPath((namespace, pod, container)): UrlPath<(String, String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    match logs.open(&Key::new(&namespace, &pod), &container, asked.ask(logs.clock.now())) {
        Ok((reading, alive)) => stream(reading, alive, asked.follow, logs.clock),
        Err((status, message)) => (status, message).into_response(),
    }
}

impl Logs {
    /// Returns the log of a container's present or previous run, and the file that is there while it runs.
    fn open(&self, pod: &Key, container: &str, ask: Ask) -> Result<(Reading, PathBuf), (StatusCode, String)> {
        let missing = |message: String| (StatusCode::NOT_FOUND, message);
        let found = self.pods.get(pod).ok_or_else(|| missing(format!("pod \"{pod}\" not found")))?;
        let specs =
            found.items(&["spec", "containers"]).iter().chain(found.items(&["spec", "initContainers"]));
        if !specs.into_iter().any(|spec| spec["name"] == container) {
            return Err(missing(format!("container \"{container}\" not found in pod \"{pod}\"")));
        }
        let dir = self.dir.join(found.uid()).join("containers").join(container);
        let newest = newest(&dir).ok_or_else(|| {
            (
                StatusCode::BAD_REQUEST,
                format!("container \"{container}\" in pod \"{}\" is waiting to start", pod.name),
            )
        })?;
        let run = if ask.previous { newest.checked_sub(1) } else { Some(newest) };
        let path = run.map(|run| log::path(&dir, run)).filter(|path| path.exists()).ok_or_else(|| {
            let message =
                format!("previous terminated container \"{container}\" in pod \"{}\" not found", pod.name);
            (StatusCode::BAD_REQUEST, message)
        })?;
        Ok((Reading::new(path, ask), dir.join("process")))
    }
}

fn newest(dir: &Path) -> Option<u32> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".log")?.parse().ok()).max()
}

struct Follow {
    reading: Reading,
    alive: PathBuf,
    state: Stage,
    clock: Clock,
    endless: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    First,
    More,
    Last,
}

fn stream(reading: Reading, alive: PathBuf, follow: bool, clock: Clock) -> Response {
    let start = Follow { reading, alive, state: Stage::First, clock, endless: follow };
    let chunks = futures::stream::unfold(start, |mut follow| async move {
        let chunk = follow.next().await?;
        Some((chunk, follow))
    });
    let body = Body::from_stream(chunks);
    ([("content-type", "text/plain; charset=utf-8")], body).into_response()
}

impl Follow {
    /// Returns what comes next; a followed log ends after its process, when everything has been read.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if self.reading.is_full() {
                return None;
            }
            let running = self.endless && self.alive.exists();
            let read = match self.state {
                Stage::First => self.reading.first(),
                Stage::More => self.reading.more(),
                Stage::Last => return None,
            };
            self.state = if running { Stage::More } else { Stage::Last };
            match read {
                Ok(bytes) if bytes.is_empty() && running => self.clock.sleep(POLL).await,
                Ok(bytes) if bytes.is_empty() => return None,
                Ok(bytes) => return Some(Ok(bytes.into())),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
