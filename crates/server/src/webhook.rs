//! `POST /api/webhook`: a Git host tells of a push, and the Applications that follow what was pushed are compared.
//!
//! [`Webhook::router`] is the face; [`payload::parse`] and [`Pushed::relevance`] are the pure parts.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use object::{Key, Object};
use runtime::Cache;
use tokio::sync::Semaphore;

mod paths;
pub mod payload;
mod relevance;
mod signature;
mod url;

pub use payload::{Event, EventKind, PushEvent, Rejection};
pub use relevance::{PATHS_ANNOTATION, Pushed, Relevance, revision_matches};
pub use signature::{Signing, is_signed};
pub use url::RepoMatcher;

/// Name of the Secret that holds `webhook.github.secret`.
pub const SECRET: &str = "argocd-secret";
/// Largest payload, in bytes.
pub const MAX_PAYLOAD: usize = 50 << 20;
/// Longest that a payload may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// Payloads that are read at the same time; more are told to come again.
const AT_ONCE: usize = 16;

/// What can be asked for comparisons.
pub trait Refresh: Send + Sync + 'static {
    /// Asks for a comparison of each Application that `wanted` picks; returns how many.
    fn refresh(&self, wanted: &dyn Fn(&Object) -> bool) -> usize;
}

impl Refresh for controllers::application::Refresher {
    fn refresh(&self, wanted: &dyn Fn(&Object) -> bool) -> usize {
        Self::refresh(self, wanted)
    }
}

type Secret = Arc<dyn Fn() -> Signing + Send + Sync>;

/// The webhook. Cheap to clone.
#[derive(Clone)]
pub struct Webhook {
    refresher: Arc<dyn Refresh>,
    secret: Secret,
    room: Arc<Semaphore>,
}

impl Webhook {
    /// Returns the webhook that wakes `refresher` and holds payloads to what `secret` returns at the time.
    pub fn new(refresher: impl Refresh, secret: impl Fn() -> Signing + Send + Sync + 'static) -> Self {
        Self {
            refresher: Arc::new(refresher),
            secret: Arc::new(secret),
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Returns the webhook that holds payloads to the Secret [`SECRET`] of `namespace`, as `secrets` has it. Until
    /// `secrets` is complete, every payload is refused.
    pub fn with_secrets(refresher: impl Refresh, secrets: Cache, namespace: &str) -> Self {
        let key = Key::new(namespace, SECRET);
        Self::new(refresher, move || {
            if secrets.is_synced() {
                Signing::from_secret(secrets.get(&key).as_deref())
            } else {
                Signing::Unknown
            }
        })
    }

    /// Returns the routes.
    pub fn router(&self) -> Router {
        Router::new().route("/api/webhook", any(handle)).with_state(self.clone())
    }

    async fn receive(&self, request: Request) -> Result<(), Rejection> {
        let (parts, body) = request.into_parts();
        let kind = payload::announced(&parts.method, &parts.headers)?;
        let _room = self.room.try_acquire().map_err(|_| Rejection::NotReady)?;
        let body = read(body).await?;
        self.take(kind, &parts.headers, &body)
    }

    /// Checks the payload and wakes what follows the push.
    fn take(&self, kind: EventKind, headers: &HeaderMap, body: &[u8]) -> Result<(), Rejection> {
        if body.is_empty() {
            return Err(Rejection::Payload);
        }
        match (self.secret)() {
            Signing::Open => {}
            Signing::Unknown | Signing::Unreadable => return Err(Rejection::NotReady),
            Signing::Secret(secret) if is_signed(headers, body, &secret) => {}
            Signing::Secret(_) => return Err(Rejection::Signature),
        }
        let Event::Push(push) = payload::parse(kind, body)? else { return Ok(()) };
        let pushed = Pushed::new(&push);
        let count = self.refresher.refresh(&|application| pushed.relevance(application).refreshes());
        tracing::info!(urls = ?push.urls, revision = ?push.revision, applications = count, "push received");
        Ok(())
    }
}

async fn read(body: Body) -> Result<Bytes, Rejection> {
    let whole = Limited::new(body, MAX_PAYLOAD).collect();
    match tokio::time::timeout(PATIENCE, whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(_)) | Err(_) => Err(Rejection::Payload),
    }
}

async fn handle(State(webhook): State<Webhook>, request: Request) -> Response {
    let method = request.method().clone();
    match webhook.receive(request).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(rejection) => refuse(&method, &rejection),
    }
}

/// Returns the answer; its text never repeats anything of the request.
fn refuse(method: &Method, rejection: &Rejection) -> Response {
    tracing::info!(%method, %rejection, "webhook refused");
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (rejection.status(), headers, format!("{rejection}\n")).into_response()
}
