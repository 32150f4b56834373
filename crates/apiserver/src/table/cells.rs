//! The cells of one object.
//!
//! **Source:** `pkg/printers/internalversion/printers.go`; the server always prints the wide form.

mod core;
mod pod;
mod services;
mod workloads;

use object::{LabelSelector, Object, Time, time};
use serde_json::{Value, json};

use crate::kinds::{Column, Kind};

/// What one row is made from.
pub(super) struct Row<'a> {
    pub object: &'a Object,
    pub now: Time,
}

/// Returns a row without its object.
pub(super) fn row(kind: &Kind, object: &Value, now: Time) -> Value {
    let object = Object::from_value(object.clone());
    let row = Row { object: &object, now };
    let cells = match kind.custom {
        Some(_) => kind.columns.iter().map(|column| custom(column, &row)).collect(),
        None => builtin(kind, &row),
    };
    let mut made = json!({ "cells": cells });
    if kind.id() == "/pods" {
        pod::conditions(&object, &mut made);
    }
    made
}

impl Row<'_> {
    pub fn text(&self, path: &[&str]) -> Value {
        self.object.str(path).into()
    }

    /// The text at `path`, or `missing` where there is none.
    pub fn text_or(&self, path: &[&str], missing: &str) -> Value {
        match self.object.str(path) {
            "" => missing.into(),
            text => text.into(),
        }
    }

    pub fn int(&self, path: &[&str]) -> i64 {
        self.object.int(path).unwrap_or_default()
    }

    /// How long ago the object was created.
    pub fn age(&self) -> Value {
        self.since(&["metadata", "creationTimestamp"]).into()
    }

    /// How long ago the time at `path` was.
    pub fn since(&self, path: &[&str]) -> String {
        age(self.object.time(path), self.now)
    }

    pub fn name(&self) -> Value {
        self.object.name().into()
    }

    /// The names and the images of the containers at `path`.
    pub fn containers(&self, path: &[&str]) -> [Value; 2] {
        let join = |key: &str| {
            let texts = self.object.items(path).iter().map(|one| one[key].as_str().unwrap_or_default());
            Value::from(texts.collect::<Vec<_>>().join(","))
        };
        [join("name"), join("image")]
    }

    /// The label selector at `path`.
    pub fn selector(&self, path: &[&str]) -> Value {
        let missing = || Value::from("<none>");
        let Some(selector) = self.object.get(path) else { return missing() };
        match LabelSelector::from_json(selector) {
            Ok(selector) if selector.is_empty() => missing(),
            Ok(selector) => selector.to_string().into(),
            Err(_) => "<error>".into(),
        }
    }

    /// The map at `path`, as labels are printed.
    pub fn labels(&self, path: &[&str]) -> Value {
        let Some(map) = self.object.get(path).and_then(Value::as_object).filter(|map| !map.is_empty()) else {
            return "<none>".into();
        };
        let pairs: Vec<String> =
            map.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
        pairs.join(",").into()
    }
}

/// How long ago a time was, as people read it.
pub(super) fn age(since: Option<Time>, now: Time) -> String {
    since.map_or("<unknown>".to_owned(), |since| time::human_duration(now.since(since)))
}

/// The first three, and how many more.
pub(super) fn some(list: &[String]) -> String {
    match list {
        [] => "<unset>".to_owned(),
        [_] | [_, _] | [_, _, _] => list.join(","),
        _ => format!("{} + {} more...", list[..3].join(","), list.len() - 3),
    }
}

fn builtin(kind: &Kind, row: &Row<'_>) -> Vec<Value> {
    match kind.id().as_str() {
        "/pods" => pod::cells(row),
        "apps/deployments" => workloads::deployment(row),
        "apps/replicasets" | "/replicationcontrollers" => workloads::replica_set(row),
        "apps/statefulsets" => workloads::stateful_set(row),
        "apps/daemonsets" => workloads::daemon_set(row),
        "apps/controllerrevisions" => workloads::revision(row),
        "batch/jobs" => workloads::job(row),
        "batch/cronjobs" => workloads::cron_job(row),
        "policy/poddisruptionbudgets" => workloads::budget(row),
        "autoscaling/horizontalpodautoscalers" => workloads::autoscaler(row),
        "/services" => services::service(row),
        "/endpoints" => services::endpoints(row),
        "discovery.k8s.io/endpointslices" => services::slice(row),
        "networking.k8s.io/ingresses" => services::ingress(row),
        "networking.k8s.io/ingressclasses" => services::ingress_class(row),
        "networking.k8s.io/networkpolicies" => {
            vec![row.name(), row.selector(&["spec", "podSelector"]), row.age()]
        }
        _ => core::cells(kind, row)
            .unwrap_or_else(|| kind.columns.iter().map(|column| plain(column, row)).collect()),
    }
}

/// A cell that every kind's column of that name has.
fn plain(column: &Column, row: &Row<'_>) -> Value {
    match column.definition["name"].as_str() {
        Some("Name") => row.name(),
        Some("Age") => row.age(),
        Some("Created At") => row.text(&["metadata", "creationTimestamp"]),
        _ => Value::Null,
    }
}

/// **Source:** `k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor`.
fn custom(column: &Column, row: &Row<'_>) -> Value {
    let definition = &column.definition;
    let Some(path) = &column.path else { return plain(column, row) };
    let root = row.object.to_value();
    let Some(found) = path.find(&root).first().copied().cloned() else { return Value::Null };
    match (definition["type"].as_str(), &found) {
        (Some("date"), Value::String(text)) => {
            Time::parse(text).map_or(json!("<invalid>"), |time| age(Some(time), row.now).into())
        }
        (Some("string"), Value::String(_))
        | (Some("boolean"), Value::Bool(_))
        | (Some("integer" | "number"), Value::Number(_)) => found,
        (Some("string"), Value::Null) => Value::Null,
        (Some("string"), other) => other.to_string().into(),
        _ => Value::Null,
    }
}
