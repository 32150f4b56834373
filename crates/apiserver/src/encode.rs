//! Answers in the form that `Accept` asks for: objects, tables, or only their metadata.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::kinds::Kind;
use crate::status::{Failure, Outcome};
use crate::table::{self, Include};

/// The form of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Object,
    Table { include: Include, now: object::Time, version: String, started: bool },
    Metadata,
}

impl Form {
    /// Returns the first form in `Accept` that can be given.
    pub fn of(call: &Call) -> Outcome<Self> {
        let accept = call.header(header::ACCEPT);
        let wanted = if accept.is_empty() { "*/*" } else { accept };
        for media in wanted.split(',') {
            let mut parts = media.split(';').map(str::trim);
            if !matches!(parts.next(), Some("application/json" | "*/*" | "application/*")) {
                continue;
            }
            let parameter = |name: &str| {
                let mut all = media.split(';').skip(1).filter_map(|part| part.trim().split_once('='));
                all.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
            };
            let known = matches!(parameter("g"), "" | "meta.k8s.io")
                && matches!(parameter("v"), "" | "v1" | "v1beta1");
            match parameter("as") {
                "" => return Ok(Self::Object),
                "Table" if known => return Self::table(call, parameter("v")),
                "PartialObjectMetadata" | "PartialObjectMetadataList" if known => return Ok(Self::Metadata),
                _ => {}
            }
        }
        let message = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, \
                       application/vnd.kubernetes.protobuf";
        Err(Failure::new(406, "NotAcceptable", message).with("", Value::Null))
    }

    fn table(call: &Call, version: &str) -> Outcome<Self> {
        let include = match call.query.get("includeObject") {
            "" | "Metadata" => Include::Metadata,
            "None" => Include::None,
            "Object" => Include::Object,
            other => {
                let message = format!("unrecognized includeObject value: {other:?}");
                return Err(Failure::bad_request(message));
            }
        };
        let version = format!("meta.k8s.io/{version}");
        Ok(Self::Table { include, now: call.api.clock.now(), version, started: false })
    }

    /// Returns an answer's body in this form.
    fn body(&self, kind: &Kind, body: Value) -> Value {
        if body["kind"] == "Status" && body["apiVersion"] == "v1" {
            return body;
        }
        let list = body["kind"] == kind.list_kind.as_str() && body.get("items").is_some();
        match self {
            Self::Object => body,
            Self::Table { include, now, version, .. } => {
                let mut table = table::of(kind, body, *include, *now);
                table["apiVersion"] = version.clone().into();
                table
            }
            Self::Metadata if list => {
                let items = body["items"].as_array().cloned().unwrap_or_default();
                let items: Vec<Value> = items.iter().map(metadata_of).collect();
                json!({
                    "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                    "metadata": body["metadata"], "items": items,
                })
            }
            Self::Metadata => metadata_of(&body),
        }
    }

    /// Returns an event's object in this form; only a watch's first table says its columns.
    pub fn event(&mut self, kind: &Kind, object: Value) -> Value {
        let mut body = self.body(kind, object);
        if let Self::Table { started, .. } = self {
            if *started {
                body["columnDefinitions"] = Value::Null;
            }
            *started = true;
        }
        body
    }

    /// Returns a bookmark's object in this form.
    pub fn bookmark(&mut self, object: Value) -> Value {
        match self {
            Self::Object => object,
            Self::Metadata => metadata_of(&object),
            Self::Table { version, .. } => json!({
                "kind": "Table", "apiVersion": version, "metadata": {
                    "resourceVersion": object["metadata"]["resourceVersion"],
                }, "columnDefinitions": null, "rows": [{
                    "cells": [], "object": object,
                }],
            }),
        }
    }
}

/// Returns an object's `PartialObjectMetadata`.
pub(crate) fn metadata_of(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
    })
}

/// Returns an answer about objects as the request wants it.
pub(crate) fn reply(call: &Call, reply: Reply) -> Outcome<Response> {
    let form = Form::of(call)?;
    let mut response = json(reply.code, &form.body(call.kind(), reply.body));
    let mut warnings = reply.warnings;
    if call.kind().id() == "/endpoints" {
        let text = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
        warnings.insert(0, text.to_owned());
    }
    for text in warnings {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    Ok(response)
}

/// Returns a JSON answer.
pub(crate) fn json(code: u16, body: &Value) -> Response {
    typed(code, "application/json", body.to_string())
}

/// Returns a plain answer.
pub(crate) fn text(code: u16, body: &'static str) -> Response {
    typed(code, "text/plain; charset=utf-8", body.to_owned())
}

/// Returns an answer of this media type.
pub(crate) fn typed(code: u16, media: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
