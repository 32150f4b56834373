//! The seam for HTTP requests that controllers make themselves, such as web metrics.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

mod system;

pub use system::System;

/// A request.
#[derive(Clone)]
pub struct HttpRequest {
    /// Method, e.g. `GET`.
    pub method: String,
    /// Absolute URL, http or https.
    pub url: String,
    /// Header names and values, in order.
    pub headers: Vec<(String, String)>,
    /// Body, empty for none.
    pub body: Bytes,
    /// Longest time for the whole exchange.
    pub timeout: Duration,
    /// Whether the server's certificate is trusted unseen.
    pub tls: TlsTrust,
}

impl fmt::Debug for HttpRequest {
    /// Leaves headers and body out: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Whom an https request trusts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsTrust {
    /// The certificate authorities of the system.
    #[default]
    System,
    /// Anybody: the caller asked for `insecure`.
    Anybody,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case and values.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

/// No answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HttpError {
    /// The URL, a header or the method cannot be sent.
    #[error("invalid request for {url}: {problem}")]
    Invalid {
        /// The URL.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// No complete answer within the time.
    #[error("{method} {url}: no answer within {}", object::time::format_duration(*timeout))]
    Timeout {
        /// The method.
        method: String,
        /// The URL.
        url: String,
        /// The time that was given.
        timeout: Duration,
    },
    /// The answer is larger than is read.
    #[error("{method} {url}: the answer is larger than {limit} bytes")]
    TooLarge {
        /// The method.
        method: String,
        /// The URL.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// The connection failed.
    #[error("{method} {url}: {cause}")]
    Failed {
        /// The method.
        method: String,
        /// The URL.
        url: String,
        /// The cause.
        cause: String,
    },
}

/// The answer to come.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

/// Sends requests.
pub trait HttpClient: Send + Sync + 'static {
    /// Sends one request and returns the answer, whatever its status.
    fn send(&self, request: HttpRequest) -> Answer<'_>;
}

/// Addresses for names that the system's resolver does not know, such as Services of the cluster.
pub trait Names: Send + Sync + 'static {
    /// Returns where to connect for `host`; `None` leaves it to the system. The request keeps its `Host`.
    fn resolve(&self, host: &str) -> Option<SocketAddr>;
}

/// Knows no names: everything is left to the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Names for NoNames {
    fn resolve(&self, _host: &str) -> Option<SocketAddr> {
        None
    }
}
