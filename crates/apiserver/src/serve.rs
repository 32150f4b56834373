//! The server on a port: TLS with certificates of its own making, and a token that every request must carry.

mod certificates;
mod kubeconfig;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use runtime::Tasks;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::ApiServer;
use crate::status::Failure;

/// How long a client may take to say hello.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take from one request to the end of the next one's headers, over HTTP/1. Source: upstream's
/// `IdleTimeout`.
const HEADERS: Duration = Duration::from_secs(90);
/// How many connections may be open at once.
const CONNECTIONS: usize = 2048;

/// Why the server could not be put on a port.
#[derive(Debug, Error)]
pub enum ServeError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A certificate could not be made or read.
    #[error("certificate: {0}")]
    Certificate(String),
    /// The listener does not work.
    #[error("listener: {0}")]
    Listener(io::Error),
    /// There is no token, so that nobody could be let in.
    #[error("the server has no token")]
    NoToken,
}

/// A server on a port.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where it listens.
    pub address: SocketAddr,
    /// The certificate of the authority that clients are to trust, PEM.
    pub authority: String,
    token: String,
}

impl Endpoint {
    /// Returns a kubeconfig with the address, the authority and the token.
    pub fn kubeconfig(&self) -> String {
        kubeconfig::text(self, &self.token)
    }

    /// Writes the kubeconfig to `path`, readable by its owner only.
    ///
    /// **Errors:** [`ServeError::File`].
    pub fn write_kubeconfig(&self, path: &Path) -> Result<(), ServeError> {
        certificates::write_private(path, &self.kubeconfig())
    }
}

/// Serves on `listener` until `tasks` stop. The authority and the server's certificate are kept in `directory`.
///
/// Every path but `/healthz`, `/livez` and `/readyz` needs the token of the server's [`Config`](crate::Config).
///
/// **Errors:** as [`ServeError`] says; nothing listens then.
pub fn tls(
    server: &ApiServer,
    listener: TcpListener,
    directory: &Path,
    tasks: &Tasks,
) -> Result<Endpoint, ServeError> {
    let token = server.config().token.clone();
    if token.is_empty() {
        return Err(ServeError::NoToken);
    }
    let address = listener.local_addr().map_err(ServeError::Listener)?;
    let certificates = certificates::open(directory)?;
    let acceptor = TlsAcceptor::from(Arc::new(certificates.server()?));
    let expected: Arc<str> = token.as_str().into();
    let router = server.router().layer(middleware::from_fn_with_state(expected, authorise));
    let connections = tasks.child();
    tasks.spawn("apiserver", accept(listener, acceptor, router, connections));
    Ok(Endpoint { address, authority: certificates.authority, token })
}

async fn authorise(State(expected): State<Arc<str>>, request: Request, next: Next) -> Response {
    let open = ["/healthz", "/livez", "/readyz"].contains(&request.uri().path());
    let value = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if open || is_equal(token.as_bytes(), expected.as_bytes()) {
        return next.run(request).await;
    }
    Failure::new(401, "Unauthorized", "Unauthorized").into_response()
}

/// Compares in a time that does not depend on where the two differ.
fn is_equal(given: &[u8], expected: &[u8]) -> bool {
    let mut difference = given.len() ^ expected.len();
    for (index, byte) in expected.iter().enumerate() {
        difference |= usize::from(byte ^ given.get(index).copied().unwrap_or_default());
    }
    std::hint::black_box(difference) == 0
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, router: Router, connections: Tasks) {
    let stopped = connections.token();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (acceptor, router) = (acceptor.clone(), router.clone());
                connections.spawn("apiserver-connection", async move {
                    connection(stream, acceptor, router).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, router: Router) {
    let stream = match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => return tracing::debug!("TLS handshake took too long"),
    };
    let service = tower::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(respond(router, request).await) }
    });
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(stream);
    // The protocol is known from the handshake: waiting for a first byte to tell has no time limit.
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    if let Err(error) = builder.serve_connection(io, TowerToHyperService::new(service)).await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn respond(router: Router, request: http::Request<hyper::body::Incoming>) -> Response {
    match tower::ServiceExt::oneshot(router, request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
