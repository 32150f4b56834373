//! Errors of the Kubernetes API.

use std::time::Duration;

use object::Value;
use thiserror::Error;

/// An answer other than success, or no answer.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{message}")]
pub struct ApiError {
    /// HTTP status, 0 when no answer came.
    pub code: u16,
    /// Machine-readable reason, e.g. `NotFound`, `Conflict`, `AlreadyExists`, `Invalid`.
    pub reason: String,
    /// Sentence for people, naming the object and the field.
    pub message: String,
    /// `details` of the Status object, null when absent.
    pub details: Value,
}

impl ApiError {
    /// Returns the error for a request that got no answer.
    pub fn no_answer(message: impl std::fmt::Display) -> Self {
        Self { code: 0, reason: String::new(), message: message.to_string(), details: Value::Null }
    }

    /// Returns the error in a `Status` body, or one made of the raw text when it is not one.
    pub fn from_body(code: u16, body: &[u8]) -> Self {
        let status: Value = serde_json::from_slice(body).unwrap_or_default();
        let message = status["message"].as_str().map_or_else(
            || {
                format!(
                    "the server answered {code}: {}",
                    String::from_utf8_lossy(&body[..body.len().min(500)])
                )
            },
            str::to_owned,
        );
        Self {
            code,
            reason: status["reason"].as_str().unwrap_or_default().to_owned(),
            message,
            details: status["details"].clone(),
        }
    }

    /// Returns the same, with the wait in seconds that the server asked for in a header, unless its body says one.
    #[must_use]
    pub(crate) fn with_retry_after(mut self, seconds: Option<u64>) -> Self {
        if let Some(seconds) = seconds.filter(|_| self.retry_after().is_none()) {
            if !self.details.is_object() {
                self.details = object::json!({});
            }
            self.details["retryAfterSeconds"] = seconds.into();
        }
        self
    }

    /// Returns true when the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code == 404
    }

    /// Returns true when the object was changed meanwhile, or an apply met another owner.
    pub fn is_conflict(&self) -> bool {
        self.code == 409 && self.reason != "AlreadyExists"
    }

    /// Returns true when the object exists already.
    pub fn is_already_exists(&self) -> bool {
        self.code == 409 && self.reason == "AlreadyExists"
    }

    /// Returns true when the object is not acceptable as it is.
    pub fn is_invalid(&self) -> bool {
        matches!(self.code, 400 | 422)
    }

    /// Returns true when the caller may not do this.
    pub fn is_forbidden(&self) -> bool {
        matches!(self.code, 401 | 403)
    }

    /// Returns true when the same request may succeed later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.code, 0 | 429 | 500 | 502..=504)
    }

    /// Returns how long the server asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.details["retryAfterSeconds"].as_u64().map(Duration::from_secs)
    }
}
