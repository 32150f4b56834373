//! `/openapi/v3`: the schemas, for `kubectl explain`, validation and apply.
//!
//! Types of built-in kinds come from the Go types and have no descriptions; custom resources give their own schema.

mod types;

use std::collections::BTreeMap;

use axum::response::Response;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::kinds::Kind;
use crate::route::OpenApiPage;
use crate::server::Api;
use crate::status::{Failure, Outcome};
use crate::{discovery, encode};

/// Returns a document.
pub(crate) fn answer(api: &Api, page: &OpenApiPage, headers: &HeaderMap) -> Outcome<Response> {
    match page {
        OpenApiPage::Index => Ok(encode::json(200, &index(api))),
        OpenApiPage::Version { group, version } => {
            let accept = headers.get(http::header::ACCEPT).and_then(|value| value.to_str().ok());
            let accept = accept.unwrap_or("*/*");
            if !accept.contains("json") && !accept.contains("*/*") {
                return Err(Failure::new(406, "NotAcceptable", "only application/json is served"));
            }
            Ok(encode::json(200, &document(api, group, version)?))
        }
        OpenApiPage::V2 => {
            Err(Failure::new(404, "NotFound", "OpenAPI version 2 is not served; use /openapi/v3"))
        }
    }
}

fn index(api: &Api) -> Value {
    let revision = api.store.get("/").map_or(0, |entry| entry.modified);
    let mut paths = Map::new();
    for kind in discovery::kinds(api) {
        let path = match kind.group.as_str() {
            "" => format!("api/{}", kind.version),
            group => format!("apis/{group}/{}", kind.version),
        };
        let hash = kind.custom.as_ref().map_or(revision, |custom| fingerprint(custom.schema()));
        let url = json!({ "serverRelativeURL": format!("/openapi/v3/{path}?hash={hash:016X}") });
        paths.entry(path).or_insert(url);
    }
    json!({ "paths": paths })
}

fn fingerprint(schema: &Value) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    schema.to_string().bytes().fold(0xCBF2_9CE4_8422_2325, step)
}

fn document(api: &Api, group: &str, version: &str) -> Outcome<Value> {
    let all = discovery::kinds(api);
    let kinds: Vec<_> = all.iter().filter(|kind| kind.group == group && kind.version == version).collect();
    if kinds.is_empty() {
        return Err(Failure::new(404, "NotFound", "the server could not find the requested resource"));
    }
    let mut schemas = BTreeMap::new();
    let mut paths = Map::new();
    for kind in kinds {
        let name = types::of_kind(kind, &mut schemas);
        self::paths(kind, &name, &mut paths);
    }
    Ok(json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": api.config.version["gitVersion"]},
        "paths": paths, "components": {"schemas": schemas},
    }))
}

fn paths(kind: &Kind, schema: &str, paths: &mut Map<String, Value>) {
    let base = match kind.group.as_str() {
        "" => format!("/api/{}", kind.version),
        group => format!("/apis/{group}/{}", kind.version),
    };
    let scope = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
    let collection = format!("{base}{scope}/{}", kind.plural);
    let object = format!("{collection}/{{name}}");
    let operation = |action: &str| operation(kind, schema, action);
    let mut one = json!({});
    let mut many = json!({});
    for (verb, method, action) in [
        ("get", "get", "get"),
        ("update", "put", "put"),
        ("patch", "patch", "patch"),
        ("delete", "delete", "delete"),
    ] {
        if kind.allows(verb) {
            one[method] = operation(action);
        }
    }
    for (verb, method, action) in [("list", "get", "list"), ("create", "post", "post")] {
        if kind.allows(verb) {
            many[method] = operation(action);
        }
    }
    paths.insert(collection, many);
    if one.as_object().is_some_and(|map| !map.is_empty()) {
        paths.insert(object, one);
    }
}

const APPLY: &str = "application/apply-patch+yaml";

fn operation(kind: &Kind, schema: &str, action: &str) -> Value {
    let reference = json!({ "$ref": format!("#/components/schemas/{schema}") });
    let query =
        |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    let names: &[&str] = match action {
        "post" | "put" => &["dryRun", "fieldManager", "fieldValidation"],
        "patch" => &["dryRun", "fieldManager", "fieldValidation", "force"],
        "delete" => &["dryRun", "gracePeriodSeconds", "propagationPolicy"],
        _ => &[],
    };
    let parameters: Vec<Value> = names.iter().map(|name| query(name)).collect();
    let mut operation = json!({
        "parameters": parameters, "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": reference}}}},
    });
    match action {
        "post" | "put" => {
            operation["requestBody"] = json!({"content": {"*/*": {"schema": reference}}, "required": true});
        }
        "patch" => {
            let any = json!({ "schema": {"type": "object"} });
            operation["requestBody"] = json!({"required": true, "content": {
                APPLY: any, "application/json-patch+json": any, "application/merge-patch+json": any,
            }});
            // From this kubectl tells which patch to send; custom resources take no strategic one.
            if kind.custom.is_none() {
                operation["requestBody"]["content"]["application/strategic-merge-patch+json"] = any;
            }
        }
        _ => {}
    }
    operation
}
