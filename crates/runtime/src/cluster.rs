//! [`Cluster`]: a Kubernetes client that speaks [`Object`].

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use kube::client::Body;
use object::{Key, Object, Value, json};
use thiserror::Error;

use crate::admission::Outcome;
use crate::shards::Pass;
use crate::{Admission, ApiError, Bounds, Clock, Lane, Resource, Tally};

mod connect;
mod options;

pub use connect::Connection;
pub use options::{Deletion, Eviction, FieldValidation, Patch, Propagation, Selection, Subresource};

/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 256 << 20;

/// Why no client could be made.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// The kubeconfig cannot be read.
    #[error("cannot read the kubeconfig {path}: {cause}")]
    Kubeconfig {
        /// Path of the file.
        path: String,
        /// The cause.
        cause: String,
    },
    /// No kubeconfig, and not inside a pod.
    #[error(
        "no cluster to talk to: there is no kubeconfig ({looked}); name one with --kubeconfig or KUBECONFIG, or a server with --server"
    )]
    NoCluster {
        /// Files that were looked for.
        looked: String,
    },
    /// The kubeconfig has no such entry.
    #[error("{what} {name:?} does not exist")]
    Missing {
        /// Sort of entry.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Nothing tells where the API server is.
    #[error("the kubeconfig names no server{}", if context.is_empty() { ": it has no current context".to_owned() } else { format!(" for {context:?}") })]
    NoServer {
        /// Context or cluster.
        context: String,
    },
    /// The client cannot be made of the configuration.
    #[error("cannot connect with this kubeconfig: {0}")]
    Client(String),
}

/// A connection to a Kubernetes API server, real or embedded. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
    clock: Clock,
    limit: Option<Duration>,
    admission: Admission,
    tally: Tally,
    reading: Reading,
}

/// How much of an answer is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    /// All of it.
    #[default]
    Whole,
    /// All but `metadata.managedFields`.
    Lean,
    /// Only whether it worked.
    Outcome,
}

impl Cluster {
    /// Returns a cluster reached through `client`.
    pub fn new(client: kube::Client, clock: Clock) -> Self {
        let (admission, tally, reading) = Default::default();
        Self { client, clock, limit: None, admission, tally, reading }
    }

    /// Returns the same, whose answers come without `metadata.managedFields`: half of an object, and read by few.
    #[must_use]
    pub fn lean(self) -> Self {
        Self { reading: Reading::Lean, ..self }
    }

    /// Returns the same, whose answers are empty when what was asked for worked.
    #[must_use]
    pub(crate) fn unread(self) -> Self {
        Self { reading: Reading::Outcome, ..self }
    }

    /// Returns the same with bounds to the rate of requests.
    #[must_use]
    pub fn bounded(self, bounds: Bounds) -> Self {
        Self { admission: Admission::new(bounds), ..self }
    }

    /// Returns what lets the requests through.
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Returns what was asked of the cluster so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns the cluster named by the kubeconfig at `path`, or by the environment (`KUBECONFIG`, the home directory,
    /// the service account of the pod) when none is given.
    pub async fn from_kubeconfig(path: Option<&Path>, clock: Clock) -> Result<Self, ClusterError> {
        let connection = Connection { kubeconfig: path.map(Path::to_owned), ..Connection::default() };
        Self::connect(&connection, clock).await
    }

    /// Returns the clock that this cluster's controllers follow.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the library client, for watches.
    pub fn client(&self) -> &kube::Client {
        &self.client
    }

    /// Returns the namespace of the kubeconfig's current context, or `default`.
    pub fn default_namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// Returns the object, `None` when it does not exist.
    pub async fn get(&self, resource: &Resource, key: &Key) -> Result<Option<Object>, ApiError> {
        match self.fetch(&resource.path(&key.namespace, &key.name)).await {
            Ok(value) => Ok(Some(Object::from_value(value))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the selected objects of one namespace or of all, in the server's order (by key).
    pub async fn list(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        selection: &Selection,
    ) -> Result<Vec<Object>, ApiError> {
        let base = resource.path(namespace.unwrap_or_default(), "");
        let (mut objects, mut token) = (Vec::new(), String::new());
        loop {
            let mut query = selection.query();
            query.push(("limit", "500".to_owned()));
            if !token.is_empty() {
                query.push(("continue", token));
            }
            let mut page = self.fetch(&with_query(&base, &query)).await?;
            token = page["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
            if let Value::Array(items) = page["items"].take() {
                objects.extend(items.into_iter().map(|item| typed(item, resource)));
            }
            if token.is_empty() {
                return Ok(objects);
            }
        }
    }

    /// Creates the object in its namespace and returns it as stored.
    pub async fn create(&self, resource: &Resource, object: &Object) -> Result<Object, ApiError> {
        let path = resource.path(object.namespace(), "");
        self.send(http::Method::POST, &path, JSON, object.as_map()).await.map(Object::from_value)
    }

    /// Replaces the object, guarded by its `resourceVersion` when it has one, and returns it as stored.
    pub async fn replace(
        &self,
        resource: &Resource,
        object: &Object,
        subresource: Subresource,
    ) -> Result<Object, ApiError> {
        let path = subresource.path(resource.path(object.namespace(), object.name()));
        self.send(http::Method::PUT, &path, JSON, object.as_map()).await.map(Object::from_value)
    }

    /// Patches the object and returns it as stored.
    pub async fn patch(&self, resource: &Resource, key: &Key, patch: &Patch) -> Result<Object, ApiError> {
        let path = patch.subresource.path(resource.path(&key.namespace, &key.name));
        let path = with_query(&path, &patch.query());
        self.send(http::Method::PATCH, &path, patch.content_type(), &patch.body).await.map(Object::from_value)
    }

    /// Deletes the object; one that does not exist counts as deleted.
    pub async fn delete(&self, resource: &Resource, key: &Key, deletion: &Deletion) -> Result<(), ApiError> {
        let path = resource.path(&key.namespace, &key.name);
        match self.send(http::Method::DELETE, &path, JSON, &deletion.body()).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Asks for the eviction of a pod, honouring disruption budgets.
    pub async fn evict(&self, pod: &Key) -> Result<Eviction, ApiError> {
        let path = Subresource::Eviction.path(crate::resources::PODS.path(&pod.namespace, &pod.name));
        let body = json!({
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace}
        });
        match self.post(&path, &body).await {
            Ok(_) => Ok(Eviction::Evicted),
            Err(error) if error.is_not_found() => Ok(Eviction::Gone),
            Err(error) if error.code == 429 => Ok(Eviction::Refused(error.message)),
            Err(error) => Err(error),
        }
    }

    /// Posts a JSON body and returns the answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.send(http::Method::POST, path, JSON, body).await
    }

    /// Puts a JSON body and returns the answer.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.send(http::Method::PUT, path, JSON, body).await
    }

    /// Gets a path and returns the answer.
    pub async fn fetch(&self, path: &str) -> Result<Value, ApiError> {
        self.answer(&Call { method: http::Method::GET, path, content_type: "", body: Bytes::new() }).await
    }

    async fn send(
        &self,
        method: http::Method,
        path: &str,
        content_type: &'static str,
        body: &(impl serde::Serialize + Sync),
    ) -> Result<Value, ApiError> {
        let body = serde_json::to_vec(body).map_err(ApiError::no_answer)?.into();
        self.answer(&Call { method, path, content_type, body }).await
    }

    /// Makes a request when its turn comes, again when the server says 429 and when to come back.
    async fn answer(&self, call: &Call<'_>) -> Result<Value, ApiError> {
        let lane = Lane::of(&call.method, call.path);
        for _ in 0..RETRIES {
            // on the heap: every command and every pass would carry it otherwise
            let answer = Box::pin(self.attempt(call, lane)).await;
            match &answer {
                Err(error) if error.code == 429 && lane != Lane::Lease && !call.is_eviction() => {
                    let Some(wait) = error.retry_after().filter(|wait| *wait <= PATIENCE) else {
                        return answer;
                    };
                    tracing::debug!(path = call.path, ?wait, "the API server has too much to do");
                    self.clock.sleep(wait).await;
                }
                _ => return answer,
            }
        }
        Box::pin(self.attempt(call, lane)).await
    }

    async fn attempt(&self, call: &Call<'_>, lane: Lane) -> Result<Value, ApiError> {
        let turn = self.admission.admit(lane).await;
        let answer = {
            // what the pass was for may have been given up while the request waited
            let _permit = if call.writes() { Pass::write()? } else { None };
            self.timely(call.request()?).await
        };
        let code = answer.as_ref().map_or_else(|error| error.code, |(code, _)| *code);
        self.tally.request(&call.method, call.path, code);
        turn.done(match &answer {
            Err(error) if error.code == 429 && !call.is_eviction() => {
                Outcome::TooMany(error.retry_after().unwrap_or(Duration::from_secs(1)))
            }
            _ if call.path.contains("limit=") => Outcome::Listed,
            _ => Outcome::Answered,
        });
        answer.map(|(_, value)| value)
    }

    async fn timely(&self, request: http::Request<Body>) -> Result<(u16, Value), ApiError> {
        let Some(limit) = self.limit else { return self.exchange(request).await };
        let late =
            |_| ApiError::no_answer(format!("no answer within {}", object::time::format_duration(limit)));
        tokio::time::timeout(limit, self.exchange(request)).await.map_err(late)?
    }

    async fn exchange(&self, request: http::Request<Body>) -> Result<(u16, Value), ApiError> {
        let response = self.client.send(request).await.map_err(|error| ApiError::no_answer(chain(&error)))?;
        let code = response.status().as_u16();
        let after = response.headers().get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| text.parse::<u64>().ok());
        let limited = http_body_util::Limited::new(response.into_body(), MAX_ANSWER);
        let body = http_body_util::BodyExt::collect(limited).await.map_err(ApiError::no_answer)?.to_bytes();
        if !(200..300).contains(&code) {
            return Err(ApiError::from_body(code, &body).with_retry_after(after));
        }
        let answer = match self.reading {
            Reading::Whole => serde_json::from_slice(&body),
            Reading::Lean => crate::watches::lean(&body),
            Reading::Outcome => Ok(Value::Null),
        };
        Ok((code, answer.map_err(ApiError::no_answer)?))
    }
}

const JSON: &str = "application/json";

/// Attempts after which a 429 is passed on. **Source:** client-go.
const RETRIES: usize = 10;
/// Longest wait that a server may ask for; with more, the caller is told.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request that may be made more than once.
struct Call<'a> {
    method: http::Method,
    path: &'a str,
    content_type: &'static str,
    body: Bytes,
}

impl Call<'_> {
    fn writes(&self) -> bool {
        self.method != http::Method::GET
    }

    /// Returns true where 429 says that a disruption budget does not allow it.
    fn is_eviction(&self) -> bool {
        self.path.ends_with("/eviction")
    }

    fn request(&self) -> Result<http::Request<Body>, ApiError> {
        let builder = http::Request::builder().method(self.method.clone()).uri(self.path);
        let mut builder = builder.header(http::header::ACCEPT, JSON);
        if !self.content_type.is_empty() {
            builder = builder.header(http::header::CONTENT_TYPE, self.content_type);
        }
        builder.body(Body::from(self.body.to_vec())).map_err(ApiError::no_answer)
    }
}

/// Returns the error with its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string().replace("ServiceError: ", "cannot reach the API server: ");
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

fn typed(item: Value, resource: &Resource) -> Object {
    let mut object = Object::from_value(item);
    if object.kind().is_empty() {
        object.set(&["apiVersion"], resource.api_version());
        object.set(&["kind"], resource.kind.as_ref());
    }
    object
}

fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let mut out = path.to_owned();
    for (index, (name, value)) in query.iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
                other => {
                    use std::fmt::Write as _;
                    let _ = write!(out, "%{other:02X}");
                }
            }
        }
    }
    out
}

/// Makes ring the process-wide TLS provider; later calls change nothing.
pub(crate) fn rustls_provider() -> Result<(), std::sync::Arc<rustls::crypto::CryptoProvider>> {
    rustls::crypto::ring::default_provider().install_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped() {
        let query = [("labelSelector", "a in (b,c)".to_owned()), ("limit", "5".to_owned())];
        assert_eq!(with_query("/x", &query), "/x?labelSelector=a%20in%20%28b%2Cc%29&limit=5");
    }
}
