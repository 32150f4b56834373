//! The server: its state, and from a request to its answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use runtime::Clock;
use store::Store;

use crate::call::Call;
use crate::config::Config;
use crate::crd::Customs;
use crate::query::Query;
use crate::random::Random;
use crate::route::{self, Route};
use crate::status::{Failure, Outcome};
use crate::{discovery, encode, openapi, verbs};

/// A Kubernetes API server over a [`Store`]. Clones are handles of the same server.
#[derive(Clone)]
pub struct ApiServer {
    api: Api,
}

/// What every request needs.
pub(crate) type Api = Arc<Inner>;

pub(crate) struct Inner {
    pub store: Store,
    pub clock: Clock,
    pub config: Config,
    pub random: Random,
    pub customs: Customs,
}

impl ApiServer {
    /// Returns a server of what is in `store`. [`bootstrap`](Self::bootstrap) has to be called before it is used.
    pub fn new(store: Store, clock: Clock, config: Config) -> Self {
        let random = Random::new(config.seed);
        Self { api: Arc::new(Inner { store, clock, config, random, customs: Customs::default() }) }
    }

    /// Makes what every cluster has, where it is missing: the namespaces `default`, `kube-system`, `kube-public` and
    /// `kube-node-lease`, and the Service `kubernetes`.
    ///
    /// **Errors:** the message of the first write that failed.
    pub async fn bootstrap(&self) -> Result<(), crate::BootstrapError> {
        crate::bootstrap::run(&self.api).await
    }

    /// Returns the server as a service. It asks for no token: for use in process, or behind [`serve`](crate::serve).
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.api.clone())
    }

    /// Returns the settings.
    pub fn config(&self) -> &Config {
        &self.api.config
    }
}

async fn answer(State(api): State<Api>, request: Request) -> Response {
    match dispatch(api, request).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

async fn dispatch(api: Api, request: Request) -> Outcome<Response> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let Some(route) = route::find(&api, &path) else { return Ok(nothing_there(&path)) };
    let query = Query::of(&parts.uri)?;
    match route {
        Route::Health => Ok(encode::text(200, "ok")),
        Route::Version => Ok(encode::json(200, &api.config.version)),
        Route::Discovery(page) => discovery::answer(&api, &page, &parts.headers),
        Route::OpenApi(page) => openapi::answer(&api, &page, &parts.headers),
        Route::Resource(target) => {
            let body = collect(body, api.config.limits.body).await?;
            let call = Call { api, target, query, method: parts.method, headers: parts.headers, body };
            verbs::answer(&call).await
        }
    }
}

async fn collect(body: Body, limit: usize) -> Outcome<Bytes> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let message = format!("Request entity too large: limit is {limit}");
            Err(Failure::new(413, "RequestEntityTooLarge", message))
        }
        Err(error) => Err(Failure::bad_request(error.to_string())),
    }
}

fn nothing_there(path: &str) -> Response {
    let mut parts = path.trim_start_matches('/').split('/');
    let known = match (parts.next(), parts.next(), parts.next()) {
        (Some("apis"), Some(group), Some(_)) => {
            crate::kinds::builtin().iter().any(|kind| kind.group == group)
        }
        (Some("api"), Some("v1"), Some(_)) => true,
        _ => false,
    };
    if !known {
        return encode::text(404, "404 page not found\n");
    }
    let message = "the server could not find the requested resource";
    Failure::new(404, "NotFound", message).with("", serde_json::Value::Null).into_response()
}
