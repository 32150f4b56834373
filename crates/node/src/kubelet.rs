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
use object::{Key, Object, Time};
use runtime::{Cache, Clock, Tasks};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::log::read::{Ask, POLL, Reading};
use crate::log::{self, Writing};
use crate::pod::Setup;

/// Time for a peer to greet.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// First byte of a TLS connection. Source: RFC 8446 §5.1, ContentType handshake.
const TLS_HANDSHAKE: u8 = 22;

#[derive(Clone)]
struct Logs {
    pods: Cache,
    setup: Arc<Setup>,
}

/// Serves the logs of the pods in `cache` and returns the port.
pub(crate) async fn serve(cache: &Cache, setup: &Arc<Setup>, tasks: &Tasks) -> io::Result<u16> {
    let acceptor = acceptor()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let router = router(Logs { pods: cache.clone(), setup: setup.clone() });
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
    tail_lines: Option<i64>,
    limit_bytes: Option<i64>,
    since_seconds: Option<i64>,
    since_time: Option<String>,
}

impl Asked {
    /// Returns what is asked for. Source: `ValidatePodLogOptions`.
    ///
    /// Errors: the sentence that says which option is wrong.
    fn ask(&self, now: Time) -> Result<Ask, String> {
        let at_least = |field: &str, value: Option<i64>, (least, told): (i64, &str)| match value {
            Some(value) if value < least => Err(format!("{field}: Invalid value: {value}: must be {told}")),
            value => Ok(value.and_then(|value| u64::try_from(value).ok())),
        };
        let positive = (1, "greater than 0");
        let tail = at_least("tailLines", self.tail_lines, (0, "greater than or equal to 0"))?;
        let limit = at_least("limitBytes", self.limit_bytes, positive)?;
        let seconds = at_least("sinceSeconds", self.since_seconds, positive)?;
        let time = self.since_time.as_deref().filter(|text| !text.is_empty()).map(Time::parse);
        let time = time.transpose().map_err(|error| format!("sinceTime: {error}"))?;
        if seconds.is_some() && time.is_some() {
            return Err("Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified".into());
        }
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Ask {
            tail: tail.map(count),
            since: seconds.map(|seconds| now.before(Duration::from_secs(seconds))).or(time),
            limit: limit.map(count),
            timestamps: self.timestamps,
            follow: self.follow,
            previous: self.previous,
        })
    }
}

async fn answer(
    State(logs): State<Logs>,
    UrlPath((namespace, pod, container)): UrlPath<(String, String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    let ask = asked.ask(logs.setup.cluster.clock().now());
    let ask = ask.map_err(|message| (StatusCode::UNPROCESSABLE_ENTITY, message));
    match ask.and_then(|ask| logs.open(&Key::new(&namespace, &pod), &container, ask)) {
        Ok(follow) => stream(follow),
        Err(problem) => problem.into_response(),
    }
}

impl Logs {
    /// Returns the log of a container's present or previous run. Source: kubelet `validateContainerLogStatus`.
    fn open(&self, pod: &Key, container: &str, ask: Ask) -> Result<Follow, (StatusCode, String)> {
        let missing = |message: String| (StatusCode::NOT_FOUND, message);
        let name = &pod.name;
        let found = self.pods.get(pod).ok_or_else(|| missing(format!("pod \"{name}\" does not exist")))?;
        let specs =
            found.items(&["spec", "containers"]).iter().chain(found.items(&["spec", "initContainers"]));
        if !specs.into_iter().any(|spec| spec["name"] == container) {
            return Err(missing(format!("container \"{container}\" not found in pod \"{name}\"")));
        }
        let refused = |why: String| {
            (StatusCode::BAD_REQUEST, format!("container \"{container}\" in pod \"{name}\" {why}"))
        };
        let waits_for = waiting(&found, container);
        let dir = self.setup.pods.join(found.uid()).join("containers").join(container);
        let newest = newest(&dir);
        let newest = newest
            .ok_or_else(|| refused(format!("is waiting to start{}", not_started(waits_for.as_deref()))))?;
        // Between two runs the one that has ended is the previous one, as it is the last state in the status.
        let is_between = waits_for.is_some() && !self.setup.writing.has(&log::path(&dir, newest));
        let run = if ask.previous && !is_between { newest.checked_sub(1) } else { Some(newest) };
        let path = run.map(|run| log::path(&dir, run)).filter(|path| path.exists()).ok_or_else(|| {
            let message =
                format!("previous terminated container \"{container}\" in pod \"{name}\" not found");
            (StatusCode::BAD_REQUEST, message)
        })?;
        Ok(Follow {
            endless: ask.follow,
            reading: Reading::new(path.clone(), ask),
            path,
            stage: Stage::First,
            writing: self.setup.writing.clone(),
            clock: self.setup.cluster.clock().clone(),
        })
    }
}

/// Returns why the container does not run, by its status; `None` when it runs or has ended.
fn waiting(pod: &Object, container: &str) -> Option<String> {
    let lists = ["containerStatuses", "initContainerStatuses"];
    let mut all = lists.iter().flat_map(|list| pod.items(&["status", list]));
    let status = all.find(|status| status["name"] == container)?;
    Some(status["state"].get("waiting")?["reason"].as_str().unwrap_or_default().to_owned())
}

fn not_started(reason: Option<&str>) -> String {
    match reason {
        Some("ErrImagePull") => ": image can't be pulled".into(),
        Some("ImagePullBackOff") => ": trying and failing to pull image".into(),
        Some(reason) => format!(": {reason}"),
        None => " - no logs yet".into(),
    }
}

fn newest(dir: &Path) -> Option<u32> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".log")?.parse().ok()).max()
}

/// A log on its way to a reader.
struct Follow {
    reading: Reading,
    path: PathBuf,
    stage: Stage,
    writing: Writing,
    clock: Clock,
    endless: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    First,
    More,
    Last,
}

fn stream(follow: Follow) -> Response {
    let chunks = futures::stream::unfold(follow, |mut follow| async move {
        let chunk = follow.next().await?;
        Some((chunk, follow))
    });
    let body = Body::from_stream(chunks);
    ([("content-type", "text/plain; charset=utf-8")], body).into_response()
}

impl Follow {
    /// Returns what comes next; a followed log ends with its run, when everything has been read.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if self.reading.is_full() {
                return None;
            }
            let running = self.endless && self.writing.has(&self.path);
            let read = match self.stage {
                Stage::First => self.reading.first(),
                Stage::More => self.reading.more(),
                Stage::Last => return None,
            };
            self.stage = if running { Stage::More } else { Stage::Last };
            match read {
                Ok(bytes) if bytes.is_empty() && running => self.clock.sleep(POLL).await,
                Ok(bytes) if bytes.is_empty() => return None,
                Ok(bytes) => return Some(Ok(bytes.into())),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
