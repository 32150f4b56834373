//! [`Object`]: any Kubernetes object, kept whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{Condition, GroupKind, Gvk, Key, ObjectKey, Time};

/// Why a JSON value is not a Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ObjectError {
    /// The document is a list, a string, a number …
    #[error("expected an object, found {found}")]
    NotAMap {
        /// JSON type that was found.
        found: &'static str,
    },
    /// `apiVersion`, `kind` or `metadata` is absent or of the wrong type.
    #[error("field {field} is missing or not {expected}")]
    Field {
        /// Path of the field.
        field: &'static str,
        /// JSON type that was expected.
        expected: &'static str,
    },
}

/// One entry of `metadata.ownerReferences`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference {
    /// `apiVersion` of the owner.
    pub api_version: String,
    /// Kind of the owner.
    pub kind: String,
    /// Name of the owner, in the same namespace or cluster-scoped.
    pub name: String,
    /// Uid of the owner.
    pub uid: String,
    /// True for the one managing controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<bool>,
    /// True when foreground deletion of the owner waits for this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_owner_deletion: Option<bool>,
}

/// A Kubernetes object with all its fields, known or not.
///
/// Accessors never fail: an absent or mistyped field reads as empty, because the API server has validated what it
/// serves. What comes from elsewhere goes through [`Object::parse`] first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object(Map<String, Value>);

impl Object {
    /// Returns the object in `value`; `apiVersion` and `kind` must be non-empty strings, `metadata` a map if present.
    ///
    /// Errors: [`ObjectError`] naming the first offending field.
    pub fn parse(value: Value) -> Result<Self, ObjectError> {
        let Value::Object(map) = value else { return Err(ObjectError::NotAMap { found: type_name(&value) }) };
        for field in ["apiVersion", "kind"] {
            if map.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(ObjectError::Field { field, expected: "a non-empty string" });
            }
        }
        if map.get("metadata").is_some_and(|metadata| !metadata.is_object()) {
            return Err(ObjectError::Field { field: "metadata", expected: "a map" });
        }
        Ok(Self(map))
    }

    /// Returns `value` as an object, an empty one when it is not a map. For values our own code built.
    pub fn from_value(value: Value) -> Self {
        match value {
            Value::Object(map) => Self(map),
            _ => Self::default(),
        }
    }

    /// Returns an object with only its type, namespace (empty = cluster-scoped) and name set.
    pub fn new(gvk: &Gvk, key: &Key) -> Self {
        let mut object = Self::default();
        object.0.insert("apiVersion".into(), gvk.api_version().into());
        object.0.insert("kind".into(), gvk.kind.clone().into());
        let metadata = object.metadata_mut();
        metadata.insert("name".into(), key.name.clone().into());
        if !key.namespace.is_empty() {
            metadata.insert("namespace".into(), key.namespace.clone().into());
        }
        object
    }

    /// Returns the JSON value of the object.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// Returns a copy as a JSON value.
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// Returns the top-level map.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Returns the top-level map for changing.
    pub fn as_map_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// Returns `apiVersion`, empty when absent.
    pub fn api_version(&self) -> &str {
        self.0.get("apiVersion").and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns `kind`, empty when absent.
    pub fn kind(&self) -> &str {
        self.0.get("kind").and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk::from_api_version(self.api_version(), self.kind())
    }

    /// Returns group and kind.
    pub fn group_kind(&self) -> GroupKind {
        self.gvk().group_kind()
    }

    /// Returns the value at `path`, a sequence of map keys.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, key| value.get(key))
    }

    /// Returns the string at `path`, empty when absent or not a string.
    pub fn str(&self, path: &[&str]) -> &str {
        self.get(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the integer at `path`.
    pub fn int(&self, path: &[&str]) -> Option<i64> {
        self.get(path).and_then(Value::as_i64)
    }

    /// Returns the boolean at `path`, false when absent.
    pub fn flag(&self, path: &[&str]) -> bool {
        self.get(path).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns the elements of the list at `path`, empty when absent.
    pub fn items(&self, path: &[&str]) -> &[Value] {
        self.get(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// Sets the value at `path`, making the maps on the way; whatever else stood on the way is replaced.
    pub fn set(&mut self, path: &[&str], value: impl Into<Value>) {
        crate::pointer::set(&mut self.0, path, value.into());
    }

    /// Removes and returns the value at `path`; maps left empty stay.
    pub fn remove(&mut self, path: &[&str]) -> Option<Value> {
        crate::pointer::remove(&mut self.0, path)
    }

    /// Returns `metadata.name`.
    pub fn name(&self) -> &str {
        self.str(&["metadata", "name"])
    }

    /// Returns `metadata.namespace`, empty when cluster-scoped.
    pub fn namespace(&self) -> &str {
        self.str(&["metadata", "namespace"])
    }

    /// Returns namespace and name.
    pub fn key(&self) -> Key {
        Key::new(self.namespace(), self.name())
    }

    /// Returns group, kind, namespace and name.
    pub fn object_key(&self) -> ObjectKey {
        ObjectKey { group_kind: self.group_kind(), key: self.key() }
    }

    /// Returns `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.str(&["metadata", "uid"])
    }

    /// Returns `metadata.resourceVersion`, opaque.
    pub fn resource_version(&self) -> &str {
        self.str(&["metadata", "resourceVersion"])
    }

    /// Returns `metadata.generation`, 0 when absent.
    pub fn generation(&self) -> i64 {
        self.int(&["metadata", "generation"]).unwrap_or_default()
    }

    /// Returns `metadata.creationTimestamp`.
    pub fn creation_time(&self) -> Option<Time> {
        self.time(&["metadata", "creationTimestamp"])
    }

    /// Returns `metadata.deletionTimestamp`: set while the object waits for its finalizers or its grace period.
    pub fn deletion_time(&self) -> Option<Time> {
        self.time(&["metadata", "deletionTimestamp"])
    }

    /// Returns true when the object is being deleted.
    pub fn is_deleting(&self) -> bool {
        self.get(&["metadata", "deletionTimestamp"]).is_some_and(|time| !time.is_null())
    }

    /// Returns the RFC 3339 time at `path`.
    pub fn time(&self, path: &[&str]) -> Option<Time> {
        Time::parse(self.get(path)?.as_str()?).ok()
    }

    /// Returns the labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.string_map(&["metadata", "labels"])
    }

    /// Returns the annotations.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        self.string_map(&["metadata", "annotations"])
    }

    /// Returns the label `key`.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.get(&["metadata", "labels", key])?.as_str()
    }

    /// Returns the annotation `key`.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.get(&["metadata", "annotations", key])?.as_str()
    }

    /// Sets the label `key`.
    pub fn set_label(&mut self, key: &str, value: &str) {
        self.set(&["metadata", "labels", key], value);
    }

    /// Sets the annotation `key`.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        self.set(&["metadata", "annotations", key], value);
    }

    /// Returns the finalizers in order.
    pub fn finalizers(&self) -> Vec<&str> {
        self.items(&["metadata", "finalizers"]).iter().filter_map(Value::as_str).collect()
    }

    /// Returns the owner references; entries that are not well formed are left out.
    pub fn owners(&self) -> Vec<OwnerReference> {
        self.items(&["metadata", "ownerReferences"])
            .iter()
            .filter_map(|value| OwnerReference::deserialize(value).ok())
            .collect()
    }

    /// Returns the owner reference of the managing controller.
    pub fn controller(&self) -> Option<OwnerReference> {
        self.owners().into_iter().find(|owner| owner.controller == Some(true))
    }

    /// Returns the uid of the managing controller without copying the references.
    pub fn controller_uid(&self) -> Option<&str> {
        self.items(&["metadata", "ownerReferences"])
            .iter()
            .find(|owner| owner["controller"] == Value::Bool(true))
            .and_then(|owner| owner["uid"].as_str())
    }

    /// Returns a reference that makes `self` the managing controller of another object.
    pub fn controller_reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: self.api_version().into(),
            kind: self.kind().into(),
            name: self.name().into(),
            uid: self.uid().into(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }
    }

    /// Returns `status.conditions`; entries that are not well formed are left out.
    pub fn conditions(&self) -> Vec<Condition> {
        self.items(&["status", "conditions"])
            .iter()
            .filter_map(|value| Condition::deserialize(value).ok())
            .collect()
    }

    /// Returns the condition of type `kind`.
    pub fn condition(&self, kind: &str) -> Option<Condition> {
        self.conditions().into_iter().find(|condition| condition.kind == kind)
    }

    fn metadata_mut(&mut self) -> &mut Map<String, Value> {
        let metadata = self.0.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        if !metadata.is_object() {
            *metadata = Value::Object(Map::new());
        }
        match metadata {
            Value::Object(map) => map,
            _ => unreachable!("made a map above"),
        }
    }

    fn string_map(&self, path: &[&str]) -> BTreeMap<String, String> {
        let Some(Value::Object(map)) = self.get(path) else { return BTreeMap::new() };
        map.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_fields_survive() {
        let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "x": 1}, "y": [2]});
        let object = Object::parse(value.clone()).unwrap();
        assert_eq!(object.into_value(), value);
    }

    #[test]
    fn maps_are_sorted() {
        // A dependency that switches serde_json to insertion order would change hashes, patches and outputs.
        let text =
            Object::parse(json!({"kind": "Pod", "apiVersion": "v1"})).unwrap().into_value().to_string();
        assert_eq!(text, r#"{"apiVersion":"v1","kind":"Pod"}"#);
    }

    #[test]
    fn parse_names_the_field() {
        let error = Object::parse(json!({"kind": "Pod"})).unwrap_err();
        assert_eq!(error.to_string(), "field apiVersion is missing or not a non-empty string");
        let error = Object::parse(json!([1])).unwrap_err();
        assert_eq!(error.to_string(), "expected an object, found a list");
    }

    #[test]
    fn set_makes_the_maps_on_the_way() {
        let mut object = Object::new(&Gvk::new("", "v1", "Pod"), &Key::new("ns", "p"));
        object.set(&["spec", "replicas"], 3);
        object.set_label("app", "x");
        assert_eq!(object.int(&["spec", "replicas"]), Some(3));
        assert_eq!(object.label("app"), Some("x"));
        assert_eq!(object.remove(&["spec", "replicas"]), Some(json!(3)));
        assert_eq!(object.get(&["spec"]), Some(&json!({})));
    }
}
