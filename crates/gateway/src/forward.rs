//! Passing one request on to a backend.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use http::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, Uri, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::endpoints::Backend;

/// Headers that concern one connection only. Source: RFC 9110 §7.6.1.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Idle connections to a backend are closed after this long.
const IDLE: Duration = Duration::from_secs(20);

/// Passes requests on. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Forward {
    client: Client<HttpConnector, Body>,
    timeout: Duration,
}

/// What came of a request.
pub(crate) enum Outcome {
    /// The backend answered.
    Answer(Backend, Response<Body>),
    /// The backend did not answer in time.
    Timeout(Backend),
    /// No backend could be reached; with the last one's problem.
    Unreachable(Backend, String),
}

impl Forward {
    /// Returns a forwarder that waits `connect` for a connection and `answer` for the head of an answer.
    pub(crate) fn new(connect: Duration, answer: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(connect));
        connector.set_nodelay(true);
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_idle_timeout(IDLE).pool_timer(TokioTimer::new());
        Self { client: builder.build(connector), timeout: answer }
    }

    /// Passes a request to the first of `backends`, and to the next ones while connecting fails and the request may be
    /// sent again: its method is idempotent and it has no body. A connection that is lost before the answer begins is
    /// made good once, because a pod that ends closes its kept connections, and never twice, because the request itself
    /// may be what ends pods. `backends` is not empty.
    ///
    /// Source: RFC 9110 §9.2.2.
    pub(crate) async fn pass(
        &self,
        request: Request<Body>,
        peer: SocketAddr,
        backends: Vec<Backend>,
    ) -> Outcome {
        let (mut parts, body) = request.into_parts();
        clean(&mut parts.headers);
        forwarded(&mut parts.headers, peer);
        let again = is_idempotent(&parts.method) && body.is_end_stream();
        let (mut body, mut failed, mut lost) = (Some(body), None, false);
        for backend in backends {
            let Some(body) = (if again { Some(Body::empty()) } else { body.take() }) else { break };
            let request = aimed(&parts, backend.address, body);
            match tokio::time::timeout(self.timeout, self.client.request(request)).await {
                Err(_) => return Outcome::Timeout(backend),
                Ok(Ok(answer)) => return Outcome::Answer(backend, returned(answer)),
                Ok(Err(error)) => {
                    let connecting = error.is_connect();
                    failed = Some((backend, error.to_string()));
                    if !connecting && std::mem::replace(&mut lost, true) {
                        break;
                    }
                }
            }
        }
        match failed {
            Some((backend, problem)) => Outcome::Unreachable(backend, problem),
            None => unreachable!("there is at least one backend"),
        }
    }
}

fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE
    )
}

fn aimed(parts: &http::request::Parts, address: SocketAddr, body: Body) -> Request<Body> {
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = parts.headers.clone();
    if let Ok(uri) = format!("http://{address}{path}").parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    request
}

fn returned(answer: Response<Incoming>) -> Response<Body> {
    let (mut parts, body) = answer.into_parts();
    clean(&mut parts.headers);
    Response::from_parts(parts, Body::new(body.map_err(axum::Error::new)))
}

/// Removes the headers of the connection, and those that `Connection` names.
fn clean(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn forwarded(headers: &mut HeaderMap, peer: SocketAddr) {
    if let Ok(value) = HeaderValue::from_str(&peer.ip().to_string()) {
        headers.append("x-forwarded-for", value);
    }
    if let Some(host) = headers.get(http::header::HOST).cloned() {
        headers.entry("x-forwarded-host").or_insert(host);
    }
    headers.entry("x-forwarded-proto").or_insert(HeaderValue::from_static("http"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_the_connection_are_dropped() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "close, x-private"), ("x-private", "1"), ("te", "trailers"), ("a", "b")]
        {
            headers.insert(name, HeaderValue::from_static(value));
        }
        clean(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["a"]);
    }
}
