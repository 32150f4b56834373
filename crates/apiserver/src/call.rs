//! One request about objects.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::kinds::Kind;
use crate::query::Query;
use crate::server::Api;
use crate::status::{Failure, Outcome};

/// What a path names.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub kind: Arc<Kind>,
    /// Empty for cluster-scoped kinds and for all namespaces.
    pub namespace: String,
    /// Empty for the collection.
    pub name: String,
    /// Empty for the object itself.
    pub subresource: String,
}

/// A request about objects.
pub(crate) struct Call {
    pub api: Api,
    pub target: Target,
    pub query: Query,
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// An answer that is one object or a list.
#[derive(Debug)]
pub(crate) struct Reply {
    pub code: u16,
    pub body: Value,
    pub warnings: Vec<String>,
}

impl Reply {
    pub fn new(code: u16, body: Value) -> Self {
        Self { code, body, warnings: Vec::new() }
    }

    pub fn warning(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }
}

impl Call {
    pub fn kind(&self) -> &Arc<Kind> {
        &self.target.kind
    }

    pub fn key(&self) -> String {
        self.target.kind.key(&self.target.namespace, &self.target.name)
    }

    pub fn header(&self, name: http::header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn not_found(&self) -> Failure {
        Failure::not_found(self.kind(), &self.target.name)
    }

    /// Returns the object as it is, with the revision that wrote it.
    pub fn load(&self) -> Outcome<(Value, u64)> {
        let entry = self.api.store.get(&self.key()).ok_or_else(|| self.not_found())?;
        Ok((crate::stored::read(self.kind(), &entry), entry.modified))
    }

    /// Returns the time as objects carry it.
    pub fn now(&self) -> String {
        self.api.clock.now().to_string()
    }
}
