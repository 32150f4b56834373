//! Label and field selectors.

use std::collections::BTreeMap;

use object::LabelSelector;
use serde_json::Value;

use crate::call::Call;
use crate::kinds::Kind;
use crate::status::{Failure, Outcome};

/// What a list or watch selects.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    labels: LabelSelector,
    fields: Vec<Requirement>,
    /// `fieldSelector=metadata.name` of a request that names one object.
    name: String,
}

#[derive(Clone, Debug)]
struct Requirement {
    path: String,
    value: String,
    equal: bool,
}

/// The fields that can be selected, besides `metadata.name` and `metadata.namespace`, by `group/plural`.
///
/// **Source:** the `AddFieldLabelConversionsFor…` functions of `pkg/apis/*/v1/conversion.go`.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "/pods",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
    ),
    ("/nodes", &["spec.unschedulable"]),
    ("/namespaces", &["status.phase"]),
    ("/secrets", &["type"]),
    ("/services", &["spec.clusterIP", "spec.type"]),
    ("/replicationcontrollers", &["status.replicas"]),
    ("apps/replicasets", &["status.replicas"]),
    ("batch/jobs", &["status.successful"]),
    (
        "/events",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
    (
        "events.k8s.io/events",
        &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingController",
            "type",
        ],
    ),
];

impl Selection {
    /// Returns the selection of the query.
    pub fn of(call: &Call) -> Outcome<Self> {
        let unreadable =
            |error: String| Failure::bad_request(format!("unable to parse requirement: {error}"));
        let labels = LabelSelector::parse(call.query.get("labelSelector"))
            .map_err(|error| unreadable(error.to_string()))?;
        let fields = parse(call.query.get("fieldSelector"))?;
        for field in &fields {
            check(call.kind(), &field.path)?;
        }
        Ok(Self { labels, fields, name: call.target.name.clone() })
    }

    pub fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty() && self.name.is_empty()
    }

    pub fn matches(&self, object: &Value) -> bool {
        if !self.name.is_empty() && object["metadata"]["name"] != self.name.as_str() {
            return false;
        }
        let fields =
            self.fields.iter().all(|field| (read(object, &field.path) == field.value) == field.equal);
        fields && (self.labels.is_empty() || self.labels.matches(&labels(object)))
    }
}

fn labels(object: &Value) -> BTreeMap<String, String> {
    let map = object["metadata"]["labels"].as_object().into_iter().flatten();
    map.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn parse(text: &str) -> Outcome<Vec<Requirement>> {
    let mut fields = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let split = part
            .split_once("!=")
            .map(|pair| (pair, false))
            .or_else(|| part.split_once("==").map(|pair| (pair, true)))
            .or_else(|| part.split_once('=').map(|pair| (pair, true)));
        let Some(((path, value), equal)) = split else {
            return Err(Failure::bad_request(format!(
                "invalid selector: '{text}'; can't understand '{part}'"
            )));
        };
        fields.push(Requirement { path: path.to_owned(), value: value.to_owned(), equal });
    }
    Ok(fields)
}

fn check(kind: &Kind, path: &str) -> Outcome<()> {
    let id = kind.id();
    let listed =
        FIELDS.iter().find(|(known, _)| *known == id).is_some_and(|(_, fields)| fields.contains(&path));
    let everywhere = path == "metadata.name" || (path == "metadata.namespace" && kind.namespaced);
    let custom = kind.custom.as_ref().is_some_and(|custom| custom.selectable(path));
    if listed || everywhere || custom {
        return Ok(());
    }
    let message = if kind.custom.is_some() || FIELDS.iter().any(|(known, _)| *known == id) {
        format!("field label not supported: {path}")
    } else {
        format!("{path:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    };
    Err(Failure::bad_request(message))
}

fn read(object: &Value, path: &str) -> String {
    let (place, fallback) = match path {
        "source" => ("source.component", "reportingComponent"),
        "status.successful" => ("status.succeeded", ""),
        _ => (path, ""),
    };
    let found = place.split('.').fold(object, |value, key| &value[key]);
    match found {
        Value::Null if !fallback.is_empty() => read(object, fallback),
        Value::Null if matches!(path, "spec.unschedulable" | "spec.hostNetwork") => "false".to_owned(),
        Value::Null if path.ends_with("replicas") || path.ends_with("successful") => "0".to_owned(),
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
