//! The cells of one object.

use object::{Object, Time, time};
use serde_json::{Value, json};

use crate::kinds::{Column, Kind};

/// Returns a row without its object.
pub(super) fn row(kind: &Kind, object: &Value, now: Time) -> Value {
    let object = Object::from_value(object.clone());
    let cells: Vec<Value> = match kind.custom {
        Some(_) => kind.columns.iter().map(|column| custom(column, &object, now)).collect(),
        None => kind.columns.iter().map(|column| fallback(column, &object, now)).collect(),
    };
    json!({ "cells": cells })
}

/// How long ago a time was, as people read it.
pub(super) fn age(since: Option<Time>, now: Time) -> String {
    since.map_or("<unknown>".to_owned(), |since| time::human_duration(now.since(since)))
}

fn custom(column: &Column, object: &Object, now: Time) -> Value {
    let definition = &column.definition;
    let Some(path) = &column.path else {
        return match definition["name"].as_str() {
            Some("Name") => object.name().into(),
            _ => age(object.creation_time(), now).into(),
        };
    };
    let root = object.to_value();
    let Some(found) = path.find(&root).first().copied().cloned() else { return Value::Null };
    match (definition["type"].as_str(), &found) {
        (Some("date"), Value::String(text)) => {
            Time::parse(text).map_or(json!("<invalid>"), |time| age(Some(time), now).into())
        }
        (Some("string"), Value::String(_)) | (Some("boolean"), Value::Bool(_)) => found,
        (Some("integer" | "number"), Value::Number(_)) => found,
        (Some("string"), Value::Null) => Value::Null,
        (Some("string"), other) => other.to_string().into(),
        _ => Value::Null,
    }
}

fn fallback(column: &Column, object: &Object, now: Time) -> Value {
    match column.definition["name"].as_str() {
        Some("Name") => object.name().into(),
        Some("Age") => age(object.creation_time(), now).into(),
        Some("Created At") => object.creation_time().map_or(Value::Null, |time| time.to_string().into()),
        _ => Value::Null,
    }
}
