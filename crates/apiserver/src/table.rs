//! Objects as rows: what `kubectl get` prints.

mod cells;

use object::Time;
use serde_json::{Value, json};

use crate::encode::metadata_of;
use crate::kinds::Kind;

/// What of each object a row carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    None,
    Metadata,
    Object,
}

/// Returns the table of an object or a list.
pub(crate) fn of(kind: &Kind, body: Value, include: Include, now: Time) -> Value {
    let list = body.get("items").is_some_and(Value::is_array);
    let mut metadata = json!({ "resourceVersion": body["metadata"]["resourceVersion"] });
    for field in ["continue", "remainingItemCount"] {
        if let Some(value) = body["metadata"].get(field).filter(|value| list && **value != "") {
            metadata[field] = value.clone();
        }
    }
    let columns: Vec<&Value> = kind.columns.iter().map(|column| &column.definition).collect();
    let mut table = json!({ "kind": "Table", "metadata": metadata, "columnDefinitions": columns });
    let objects = if list { body["items"].as_array().cloned().unwrap_or_default() } else { vec![body] };
    table["rows"] = objects.into_iter().map(|object| row(kind, object, include, now)).collect();
    table
}

fn row(kind: &Kind, mut object: Value, include: Include, now: Time) -> Value {
    object["apiVersion"] = kind.api_version().into();
    object["kind"] = kind.kind.clone().into();
    let mut row = cells::row(kind, &object, now);
    row["object"] = match include {
        Include::None => Value::Null,
        Include::Metadata => metadata_of(&object),
        Include::Object => object,
    };
    row
}
