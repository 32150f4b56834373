//! Structural schemas as data: functions that make the types, [`object`] that joins fields.

use object::{Map, Value, json};

/// An OpenAPI v3 schema as `apiextensions.k8s.io/v1` wants it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Schema(Map<String, Value>);

/// A field of an object: its name, type, what it means, and whether it must be there.
#[derive(Clone, Debug)]
pub(super) struct Field {
    name: &'static str,
    schema: Schema,
    required: bool,
}

/// Returns a field that may be absent.
pub(super) fn field(name: &'static str, schema: Schema, description: &str) -> Field {
    Field { name, schema: schema.with("description", description), required: false }
}

/// Returns a field that says nothing about itself, of an object that is not ours to explain.
pub(super) fn silent(name: &'static str, schema: Schema) -> Field {
    Field { name, schema, required: false }
}

/// Returns a field that must be there.
pub(super) fn required(name: &'static str, schema: Schema, description: &str) -> Field {
    field(name, schema, description).needed()
}

impl Field {
    /// Returns the field as one that must be there.
    pub(super) fn needed(self) -> Self {
        Self { required: true, ..self }
    }
}

impl Schema {
    fn of_type(name: &str) -> Self {
        Self(Map::from_iter([("type".to_owned(), json!(name))]))
    }

    /// Returns the schema with `key` set.
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Returns the schema of an object that keeps fields it does not name.
    pub(super) fn open(self) -> Self {
        self.with("x-kubernetes-preserve-unknown-fields", true)
    }

    /// Returns the schema with every object in it that names fields keeping others too.
    pub(super) fn open_throughout(self) -> Self {
        let Self(fields) = self;
        let mut opened: Map<String, Value> = fields
            .into_iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    let properties = properties.into_iter().map(|(name, child)| (name, opened(child)));
                    (key, Value::Object(properties.collect()))
                }
                ("items" | "additionalProperties", child) => (key, opened(child)),
                (_, value) => (key, value),
            })
            .collect();
        if opened.contains_key("properties") {
            opened.insert("x-kubernetes-preserve-unknown-fields".to_owned(), json!(true));
        }
        Self(opened)
    }

    /// Returns the schema with the value the server fills in when the field is absent.
    pub(super) fn default(self, value: impl Into<Value>) -> Self {
        self.with("default", value)
    }

    /// Returns the schema of an object with more fields.
    pub(super) fn and(mut self, more: &[Field]) -> Self {
        let Schema(more) = object(more);
        for (key, value) in more {
            match (self.0.get_mut(&key), value) {
                (Some(Value::Object(ours)), Value::Object(theirs)) => ours.extend(theirs),
                (Some(Value::Array(ours)), Value::Array(theirs)) => ours.extend(theirs),
                (_, value) => drop(self.0.insert(key, value)),
            }
        }
        self
    }

    /// Returns the schema as JSON.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

fn opened(schema: Value) -> Value {
    match schema {
        Value::Object(fields) => Schema(fields).open_throughout().into_value(),
        other => other,
    }
}

/// A text.
pub(super) fn string() -> Schema {
    Schema::of_type("string")
}

/// An RFC 3339 time.
pub(super) fn time() -> Schema {
    string().with("format", "date-time")
}

/// One of `values`.
pub(super) fn one_of(values: &[&str]) -> Schema {
    string().with("enum", values)
}

/// True or false.
pub(super) fn boolean() -> Schema {
    Schema::of_type("boolean")
}

/// A 32-bit integer.
pub(super) fn int32() -> Schema {
    Schema::of_type("integer").with("format", "int32")
}

/// A 64-bit integer.
pub(super) fn int64() -> Schema {
    Schema::of_type("integer").with("format", "int64")
}

/// An integer or a text.
pub(super) fn int_or_string() -> Schema {
    Schema(Map::new()).with("x-kubernetes-int-or-string", true)
}

/// Any JSON value.
pub(super) fn any_value() -> Schema {
    Schema(Map::new()).open()
}

/// `metadata`: the server knows it and refuses to be told more, even a description.
pub(super) fn metadata() -> Schema {
    Schema::of_type("object")
}

/// An object of any fields.
pub(super) fn anything() -> Schema {
    Schema::of_type("object").open()
}

/// A list.
pub(super) fn list(items: Schema) -> Schema {
    Schema::of_type("array").with("items", items.into_value())
}

/// A map from texts to values of one type.
pub(super) fn map(values: Schema) -> Schema {
    Schema::of_type("object").with("additionalProperties", values.into_value())
}

/// A list of texts.
pub(super) fn strings() -> Schema {
    list(string())
}

/// A list of which server-side apply merges items of the same `keys`. Each key is required or has a default.
pub(super) fn list_by(keys: &[&str], items: Schema) -> Schema {
    list(items).with("x-kubernetes-list-type", "map").with("x-kubernetes-list-map-keys", keys)
}

/// A map of texts.
pub(super) fn labels() -> Schema {
    map(string())
}

/// An object of these fields that keeps others too.
pub(super) fn open(fields: &[Field]) -> Schema {
    object(fields).open()
}

/// An object of these fields; others are pruned.
pub(super) fn object(fields: &[Field]) -> Schema {
    let names: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), field.schema.clone().into_value())).collect();
    let schema = Schema::of_type("object").with("properties", properties);
    if names.is_empty() { schema } else { schema.with("required", names) }
}
