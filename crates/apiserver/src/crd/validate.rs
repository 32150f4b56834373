//! Whether an object fits a structural schema.
//!
//! **Source:** `k8s.io/kube-openapi/pkg/validation/validate` and `apiserver/validation` of apiextensions, also for the
//! texts.

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::field::{FieldError, Problem};

/// How deep objects are followed.
const MAX_DEPTH: usize = 100;

/// Returns what is wrong with a custom resource.
pub(super) fn object(schema: &Value, value: &Value) -> Vec<FieldError> {
    let mut checker = Checker { errors: Vec::new() };
    if schema.is_object() {
        checker.check(schema, value, "", 0);
    }
    checker.errors
}

struct Checker {
    errors: Vec<FieldError>,
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The kind of a value, as JSON schema names it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_of(value: &Value, wanted: &str) -> bool {
    match (wanted, value) {
        ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => number.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => kind(value) == wanted,
    }
}

impl Checker {
    fn invalid(&mut self, path: &str, value: &Value, why: &str) {
        let named = if path.is_empty() { "<nil>" } else { path };
        self.errors.push(FieldError::invalid(named, value, format!("{path} in body {why}")));
    }

    fn check(&mut self, schema: &Value, value: &Value, path: &str, depth: usize) {
        if depth > MAX_DEPTH || (value.is_null() && schema["nullable"] == true) {
            return;
        }
        if !self.type_fits(schema, value, path) {
            return;
        }
        self.choice(schema, value, path);
        match value {
            Value::String(text) => self.string(schema, text, path),
            Value::Number(_) => self.number(schema, value, path),
            Value::Array(items) => self.list(schema, items, path, depth),
            Value::Object(map) => self.map(schema, map, path, depth),
            _ => {}
        }
        self.combinations(schema, value, path, depth);
    }

    fn type_fits(&mut self, schema: &Value, value: &Value, path: &str) -> bool {
        let either = schema["x-kubernetes-int-or-string"] == true;
        let wanted = if either { "integer,string" } else { schema["type"].as_str().unwrap_or_default() };
        if wanted.is_empty() || wanted.split(',').any(|wanted| is_of(value, wanted)) {
            return true;
        }
        let found = kind(value);
        let detail = format!("{path} in body must be of type {wanted}: {found:?}");
        let value = Some(format!("{found:?}"));
        self.errors.push(FieldError { path: path.to_owned(), problem: Problem::TypeInvalid, value, detail });
        false
    }

    fn choice(&mut self, schema: &Value, value: &Value, path: &str) {
        let Some(allowed) = schema["enum"].as_array() else { return };
        if allowed.contains(value) {
            return;
        }
        let quoted: Vec<String> = allowed.iter().map(crate::field::printed).collect();
        let detail = format!("supported values: {}", quoted.join(", "));
        let value = Some(crate::field::printed(value));
        self.errors.push(FieldError { path: path.to_owned(), problem: Problem::NotSupported, value, detail });
    }

    fn string(&mut self, schema: &Value, text: &str, path: &str) {
        let value = json!(text);
        let length = text.chars().count() as u64;
        if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
            let limit = usize::try_from(most).unwrap_or(usize::MAX);
            self.errors.push(FieldError::too_long(path, limit));
        }
        if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
            self.invalid(path, &value, &format!("should be at least {least} chars long"));
        }
        if let Some(pattern) = schema["pattern"].as_str() {
            let fits = Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text));
            if !fits {
                self.invalid(path, &value, &format!("should match '{pattern}'"));
            }
        }
        if let Some(format) = schema["format"].as_str().filter(|format| !has_format(format, text)) {
            self.invalid(path, &value, &format!("must be of type {format}: {text:?}"));
        }
    }

    fn number(&mut self, schema: &Value, value: &Value, path: &str) {
        let Some(number) = value.as_f64() else { return };
        let bound = |name: &str| schema[name].as_f64().map(|bound| (bound, schema[name].to_string()));
        if let Some((least, text)) = bound("minimum") {
            let exclusive = schema["exclusiveMinimum"] == true;
            if number < least || (exclusive && number <= least) {
                let or = if exclusive { "" } else { " or equal to" };
                let word = if exclusive { "than " } else { "than" };
                self.invalid(
                    path,
                    value,
                    format!("should be greater {word}{or} {text}").replace("  ", " ").as_str(),
                );
            }
        }
        if let Some((most, text)) = bound("maximum") {
            let exclusive = schema["exclusiveMaximum"] == true;
            if number > most || (exclusive && number >= most) {
                let or = if exclusive { "" } else { " or equal to" };
                self.invalid(path, value, &format!("should be less than{or} {text}"));
            }
        }
        if let Some((factor, text)) = bound("multipleOf") {
            let quotient = number / factor;
            if (quotient - quotient.round()).abs() > 1e-9 {
                self.invalid(path, value, &format!("should be a multiple of {text}"));
            }
        }
    }

    fn list(&mut self, schema: &Value, items: &[Value], path: &str, depth: usize) {
        let value = json!(items);
        self.at_most(schema, "maxItems", items.len(), path);
        if let Some(least) = schema["minItems"].as_u64().filter(|least| (items.len() as u64) < *least) {
            self.invalid(path, &value, &format!("should have at least {least} items"));
        }
        for (index, item) in items.iter().enumerate().filter(|_| schema["items"].is_object()) {
            self.check(&schema["items"], item, &format!("{path}[{index}]"), depth + 1);
        }
        self.unique(schema, items, path);
    }

    fn at_most(&mut self, schema: &Value, name: &str, found: usize, path: &str) {
        if let Some(most) = schema[name].as_u64().filter(|most| found as u64 > *most) {
            let (value, detail) = (Some(found.to_string()), format!("must have at most {most} items"));
            self.errors.push(FieldError { path: path.to_owned(), problem: Problem::TooMany, value, detail });
        }
    }

    /// Elements of sets and maps may not be there twice.
    fn unique(&mut self, schema: &Value, items: &[Value], path: &str) {
        let list_type = schema["x-kubernetes-list-type"].as_str();
        let keys = schema["x-kubernetes-list-map-keys"].as_array();
        let identity = |item: &Value| match list_type {
            Some("set") => Some(item.clone()),
            Some("map") => {
                let names = keys.into_iter().flatten().filter_map(Value::as_str);
                Some(names.filter_map(|key| Some((key.to_owned(), item.get(key)?.clone()))).collect())
            }
            _ => None,
        };
        let mut seen: Vec<Value> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Some(own) = identity(item) else { return };
            if seen.contains(&own) {
                self.errors.push(FieldError::duplicate(format!("{path}[{index}]"), &own));
            }
            seen.push(own);
        }
    }

    fn map(&mut self, schema: &Value, map: &Map<String, Value>, path: &str, depth: usize) {
        self.at_most(schema, "maxProperties", map.len(), path);
        if let Some(least) = schema["minProperties"].as_u64().filter(|least| (map.len() as u64) < *least) {
            self.invalid(path, &json!(map), &format!("should have at least {least} properties"));
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !map.contains_key(name) {
                self.errors.push(FieldError::required(join(path, name), ""));
            }
        }
        for (key, value) in map {
            let child = schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]);
            if child.is_object() {
                self.check(child, value, &join(path, key), depth + 1);
            }
        }
    }

    fn combinations(&mut self, schema: &Value, value: &Value, path: &str, depth: usize) {
        let fits = |schema: &Value| {
            let mut checker = Self { errors: Vec::new() };
            checker.check(schema, value, path, depth + 1);
            checker.errors.is_empty()
        };
        let list = |name: &str| schema[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let (all, any, one) = (list("allOf"), list("anyOf"), list("oneOf"));
        if !any.is_empty() && !any.iter().any(fits) {
            self.invalid(path, value, "must validate at least one schema (anyOf)");
        }
        let fitting = one.iter().filter(|schema| fits(schema)).count();
        if !one.is_empty() && fitting != 1 {
            let found = if fitting == 0 {
                "Found none valid".into()
            } else {
                format!("Found {fitting} valid alternatives")
            };
            self.invalid(path, value, &format!("must validate one and only one schema (oneOf). {found}"));
        }
        if !all.iter().all(fits) {
            self.invalid(path, value, "must validate all the schemas (allOf)");
        }
        if schema["not"].is_object() && fits(&schema["not"]) {
            self.invalid(path, value, "must not validate the schema (not)");
        }
    }
}

fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" => object::Time::parse(text).is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok(),
        "duration" => object::time::parse_duration(text).is_ok(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        _ => true,
    }
}
