//! [`Item`]: an object of a list or a watch, as it is read.

use std::borrow::Cow;
use std::fmt;

use kube::api::{ApiResource, ObjectMeta};
use object::{Map, Object, Value};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::Resource;

/// Whether a cache holds `metadata.managedFields`: half of an object, and read by few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// With it.
    Whole,
    /// Without it.
    Lean,
}

/// An object whose fields are read once, into the tree that the caches keep; `WHOLE` says whether `managedFields` are
/// among them.
#[derive(Clone, Debug)]
pub(super) struct Item<const WHOLE: bool> {
    /// Of this, only the version is there: it is all that the library looks at.
    meta: ObjectMeta,
    map: Map<String, Value>,
}

impl<const WHOLE: bool> Item<WHOLE> {
    /// Returns the object; in lists it has no type of its own.
    pub fn into_object(mut self, resource: &Resource) -> Object {
        self.map.insert("apiVersion".into(), resource.api_version().into());
        self.map.insert("kind".into(), resource.kind.as_ref().into());
        Object::from_value(Value::Object(self.map))
    }
}

impl<'de, const WHOLE: bool> Deserialize<'de> for Item<WHOLE> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = deserializer.deserialize_map(Top::<WHOLE>)?;
        let version = map.get("metadata").and_then(|metadata| metadata["resourceVersion"].as_str());
        let meta = ObjectMeta { resource_version: version.map(str::to_owned), ..ObjectMeta::default() };
        Ok(Self { meta, map })
    }
}

/// Returns the object in `text` without its `managedFields`.
///
/// Errors: the text is no JSON map.
pub(crate) fn lean(text: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice::<Item<false>>(text).map(|item| Value::Object(item.map))
}

/// Reads the fields of an object.
struct Top<const WHOLE: bool>;

impl<'de, const WHOLE: bool> Visitor<'de> for Top<WHOLE> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some(field) = access.next_key::<String>()? {
            let value = if !WHOLE && field == "metadata" {
                access.next_value_seed(Metadata)?
            } else {
                access.next_value()?
            };
            map.insert(field, value);
        }
        Ok(map)
    }
}

/// Reads `metadata` but its `managedFields`.
struct Metadata;

impl<'de> DeserializeSeed<'de> for Metadata {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metadata {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the metadata of an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(field) = access.next_key::<String>()? {
            if field == "managedFields" {
                access.next_value::<IgnoredAny>()?;
            } else {
                map.insert(field, access.next_value()?);
            }
        }
        Ok(Value::Object(map))
    }
}

impl<const WHOLE: bool> kube::Resource for Item<WHOLE> {
    type DynamicType = ApiResource;
    type Scope = kube::core::DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn api_version(resource: &ApiResource) -> Cow<'_, str> {
        resource.api_version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"apiVersion": "v1", "metadata": {"name": "a", "resourceVersion": "7", "managedFields":
        [{"manager": "m"}], "ns\u0070": 1}, "spec": {"metadata": {"managedFields": []}}}"#;

    #[test]
    fn what_is_lean_has_all_but_its_managed_fields() {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let whole: Item<true> = serde_json::from_str(TEXT).unwrap();
        assert_eq!(Value::Object(whole.map.clone()), read(TEXT));
        let lean: Item<false> = serde_json::from_str(TEXT).unwrap();
        assert_eq!(lean.meta.resource_version.as_deref(), Some("7"));
        let mut expected = read(TEXT);
        expected["metadata"].as_object_mut().unwrap().remove("managedFields");
        assert_eq!(Value::Object(lean.map), expected);
    }

    #[test]
    fn metadata_of_another_type_is_an_error() {
        assert!(serde_json::from_str::<Item<false>>(r#"{"metadata": 1}"#).is_err());
    }
}
