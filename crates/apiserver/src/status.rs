//! What is answered when a request cannot be served: `metav1.Status`.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Map, Value, json};
use store::StoreError;

use crate::field::FieldError;
use crate::kinds::Kind;

/// A refusal, as kube-apiserver words it.
///
/// **Source:** `k8s.io/apimachinery/pkg/api/errors`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub details: Option<Map<String, Value>>,
    /// `metadata.continue` of an expired list.
    pub next: Option<String>,
}

pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, next: None }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let failure = Self::new(500, "InternalError", format!("Internal error occurred: {cause}"));
        failure.with("causes", json!([{ "message": cause.to_string() }]))
    }

    pub fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", kind.qualified())).about(kind, name)
    }

    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.qualified());
        Self::new(409, "AlreadyExists", message).about(kind, name)
    }

    pub fn conflict(kind: &Kind, name: &str, why: impl std::fmt::Display) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.qualified());
        Self::new(409, "Conflict", message).about(kind, name)
    }

    pub fn forbidden(kind: &Kind, name: &str, why: impl std::fmt::Display) -> Self {
        let message = match name {
            "" => format!("{} is forbidden: {why}", kind.qualified()),
            _ => format!("{} \"{name}\" is forbidden: {why}", kind.qualified()),
        };
        Self::new(403, "Forbidden", message).about(kind, name)
    }

    pub fn modified(kind: &Kind, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    pub fn no_method() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).with("", Value::Null)
    }

    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// `details.kind` is the object's kind and the message names `Kind.group`.
    pub fn invalid(kind: &Kind, name: &str, errors: &[FieldError]) -> Self {
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let mut unique: Vec<&str> = Vec::new();
        texts.iter().for_each(|text| {
            if !unique.contains(&text.as_str()) {
                unique.push(text);
            }
        });
        let list = match unique.as_slice() {
            [one] => (*one).to_owned(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{} \"{name}\" is invalid: {list}", kind.qualified_kind());
        let causes: Vec<Value> = errors.iter().map(FieldError::cause).collect();
        let mut failure = Self::new(422, "Invalid", message).about(kind, name).with("causes", causes);
        failure = failure.with("kind", kind.kind.clone());
        failure
    }

    /// Says which object the failure is about.
    pub fn about(mut self, kind: &Kind, name: &str) -> Self {
        let details = self.details.get_or_insert_default();
        for (key, value) in [("name", name), ("group", kind.group.as_str()), ("kind", kind.plural.as_str())] {
            if !value.is_empty() {
                details.insert(key.into(), value.into());
            }
        }
        self
    }

    /// Adds a detail; an empty key only makes `details` present.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        let details = self.details.get_or_insert_default();
        if !key.is_empty() {
            details.insert(key.into(), value.into());
        }
        self
    }

    /// Returns the `Status` object.
    pub fn body(&self) -> Value {
        let mut metadata = Map::new();
        if let Some(next) = &self.next {
            metadata.insert("continue".into(), next.clone().into());
        }
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            body["reason"] = self.reason.into();
        }
        if let Some(details) = &self.details {
            body["details"] = details.clone().into();
        }
        body
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooLarge { .. } => {
                Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: {error}"))
            }
            StoreError::Compacted { .. } => {
                Self::expired("The resourceVersion for the provided watch is too old.")
            }
            StoreError::Future { requested, current } => {
                let message = format!("Timeout: Too large resource version: {requested}, current: {current}");
                let cause =
                    json!([{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }]);
                Self::new(504, "Timeout", message).with("causes", cause).with("retryAfterSeconds", 1)
            }
            other => Self::internal(other),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body().to_string()));
        *response.status_mut() = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = http::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        let wait = self.details.as_ref().and_then(|details| details.get("retryAfterSeconds"));
        if let Some(seconds) = wait.and_then(Value::as_u64) {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
