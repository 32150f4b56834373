//! Custom resources: kinds that come from CustomResourceDefinitions in the store.

mod definition;
mod prune;
mod validate;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use patch::schema::Schema;
use serde_json::Value;
use store::{Entry, Store};

use crate::field::FieldError;
use crate::go::{self, Decoded};
use crate::kinds::Kind;

pub(crate) use definition::{before_write, establish, validate as validate_definition};

/// One version of a custom resource.
#[derive(Debug)]
pub(crate) struct Custom {
    /// The structural schema; null where none was given.
    schema: Value,
    merging: Schema,
    selectable: Vec<String>,
    /// Paths of the scale subresource, e.g. `.spec.replicas`.
    pub scale: Option<Scale>,
}

/// Where a custom resource keeps what its scale subresource shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    pub spec: String,
    pub status: String,
    pub selector: String,
}

/// The kinds of the definitions in the store, read once for each of their versions.
#[derive(Default)]
pub(crate) struct Customs(Mutex<BTreeMap<String, Known>>);

struct Known {
    modified: u64,
    kinds: Vec<Arc<Kind>>,
}

const PREFIX: &str = "/apiextensions.k8s.io/customresourcedefinitions/";

impl Customs {
    /// Returns the served kind of this group, version and resource.
    pub fn find(&self, store: &Store, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        let entry = store.get(&format!("{PREFIX}{plural}.{group}"))?;
        self.kinds(&entry).into_iter().find(|kind| kind.version == version && kind.group == group)
    }

    /// Returns all served kinds, by the names of their definitions.
    pub fn all(&self, store: &Store) -> Vec<Arc<Kind>> {
        let page = store.range(PREFIX, None, None, None);
        page.map(|page| page.entries.iter().flat_map(|entry| self.kinds(entry)).collect()).unwrap_or_default()
    }

    fn kinds(&self, entry: &Entry) -> Vec<Arc<Kind>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&*entry.key).filter(|found| found.modified == entry.modified) {
            return found.kinds.clone();
        }
        let object: Value = serde_json::from_slice(&entry.value).unwrap_or_default();
        let kinds: Vec<Arc<Kind>> = definition::kinds(&object).into_iter().map(Arc::new).collect();
        known.insert(entry.key.to_string(), Known { modified: entry.modified, kinds: kinds.clone() });
        kinds
    }
}

impl Custom {
    /// Returns how objects merge.
    pub fn merging(&self) -> &Schema {
        &self.merging
    }

    pub fn schema(&self) -> &Value {
        &self.schema
    }

    pub fn selectable(&self, path: &str) -> bool {
        self.selectable.iter().any(|known| known.trim_start_matches('.') == path)
    }

    /// Reads an object: metadata as Go does, unknown fields dropped, defaults filled in.
    ///
    /// **Errors:** the text of Go's decoder, for metadata.
    pub fn decode(&self, _kind: &Kind, value: Value) -> Result<Decoded, String> {
        let meta = go::decode(
            "meta.v1.PartialObjectMetadata",
            &serde_json::json!({ "metadata": value["metadata"] }),
        )
        .map_err(|why| why.replace("PartialObjectMetadata.", ""))?;
        let mut unknown = meta.unknown;
        let mut value = value;
        value["metadata"] = meta.value["metadata"].clone();
        prune::unknown(&self.schema, &mut value, &mut unknown);
        prune::defaults(&self.schema, &mut value);
        Ok(Decoded { value, unknown })
    }

    /// Fills in defaults of what was stored before they were defined.
    pub fn complete(&self, value: &mut Value) {
        prune::defaults(&self.schema, value);
    }

    /// Returns what is wrong with an object by the schema.
    pub fn validate(&self, value: &Value) -> Vec<FieldError> {
        let mut errors = validate::object(&self.schema, value);
        if let Some(scale) = &self.scale {
            errors.extend(replicas(&scale.spec, value));
        }
        errors
    }
}

/// Returns what is wrong with the count that the scale subresource shows.
fn replicas(path: &str, value: &Value) -> Option<FieldError> {
    let found = path.split('.').filter(|key| !key.is_empty()).fold(value, |value, key| &value[key]);
    match found {
        Value::Null => None,
        Value::Number(number) if number.as_i64().is_some_and(|number| number >= 0) => None,
        Value::Number(_) => Some(FieldError::invalid(path, found, "should be a non-negative integer")),
        other => {
            let (shown, name) = match other {
                Value::String(text) => (text.clone(), "string"),
                Value::Bool(flag) => (flag.to_string(), "bool"),
                other => (other.to_string(), "object"),
            };
            let why = format!("{path} accessor error: {shown} is of the type {name}, expected int64");
            Some(FieldError::invalid(path, &Value::from(0), why))
        }
    }
}
