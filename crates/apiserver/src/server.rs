//! The server: its state, and from a request to its answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt, Limited};
use runtime::Clock;
use store::Store;

use crate::call::Call;
use crate::config::{Config, Limits};
use crate::crd::Customs;
use crate::query::Query;
use crate::random::Random;
use crate::route::{self, Route};
use crate::status::{Failure, Outcome};
use crate::{depth, discovery, encode, openapi, protobuf, verbs};

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
            let mut headers = parts.headers;
            let body = read(body, &mut headers, &api.config.limits).await?;
            let call = Call { api, target, query, method: parts.method, headers, body };
            verbs::answer(&call).await
        }
    }
}

/// Returns the body of a request as JSON or YAML, and says in the headers which.
async fn read(body: Body, headers: &mut HeaderMap, limits: &Limits) -> Outcome<Bytes> {
    let body = collect(body, limits).await?;
    let media = headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if media == protobuf::MEDIA && !body.is_empty() {
        let object = protobuf::object(&body, limits.depth).map_err(Failure::bad_request)?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        return Ok(object.to_string().into());
    }
    if !media.ends_with("yaml") {
        depth::of_json(&body, limits.depth)?;
    }
    Ok(body)
}

/// Returns the body of a request once all of it has come.
async fn collect(body: Body, limits: &Limits) -> Outcome<Bytes> {
    let whole = tokio::time::timeout(limits.upload, Limited::new(body, limits.body).collect());
    match whole.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let message = format!("Request entity too large: limit is {}", limits.body);
            Err(Failure::new(413, "RequestEntityTooLarge", message))
        }
        Ok(Err(error)) => Err(Failure::bad_request(error.to_string())),
        Err(_) => {
            let message = format!("Timeout: the request's body did not come within {:?}", limits.upload);
            Err(Failure::new(504, "Timeout", message))
        }
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
