//! Placeholders for what no two servers have in common, by which equal things stay equal.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

#[expect(clippy::unwrap_used, reason = "the patterns are literals, and each is used by a test")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

static UID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
static TIME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"));
static CLUSTER_IP: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b10\.96\.\d{1,3}\.\d{1,3}\b"));
static VERSION_IN_TEXT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(resource ?version: )\d+(?:, current: \d+| \(\d+\))?"));
static VERSION_IN_JSON_IN_TEXT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"("resourceVersion\\?":\s*\\?")\d+"#));
static PRECONDITION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(ResourceVersion in (?:the precondition|record)) \(\d+\)"));
/// The time that Go spells its layouts with; error texts quote it.
const GO_LAYOUT: &str = "2006-01-02T15:04:05";
/// Table columns that show how long ago something was.
const AGES: [&str; 5] = ["Age", "Last Seen", "First Seen", "Duration", "Last Schedule"];

/// Replaces per script: the same uid is the same placeholder in all its answers. What the script itself says is
/// kept as it is.
pub(crate) struct Normaliser<'a> {
    script: &'a str,
    known: BTreeMap<&'static str, BTreeMap<String, String>>,
    generated: BTreeMap<String, String>,
}

/// What kind of object a `metadata` belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Owner {
    /// One stored object: its version tells whether it was written.
    Single,
    /// A list, table or bookmark: its version is the server's, which other traffic moves.
    Collection,
}

impl<'a> Normaliser<'a> {
    pub(crate) fn new(script: &'a str) -> Self {
        Self { script, known: BTreeMap::new(), generated: BTreeMap::new() }
    }

    /// The value with placeholders and sorted keys.
    pub(crate) fn json(&mut self, value: &Value) -> Value {
        self.learn_names(value);
        self.walk(value)
    }

    /// The text with placeholders.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let text = UID.replace_all(text, |found: &Captures<'_>| self.placeholder("uid", &found[0]));
        let text = TIME.replace_all(&text, |found: &Captures<'_>| self.time(found)).into_owned();
        let text =
            CLUSTER_IP.replace_all(&text, |found: &Captures<'_>| self.placeholder("cluster-ip", &found[0]));
        let text = VERSION_IN_TEXT.replace_all(&text, "${1}<rv>");
        let text = VERSION_IN_JSON_IN_TEXT.replace_all(&text, "${1}<rv>");
        let text = PRECONDITION.replace_all(&text, "${1} (<rv>)").into_owned();
        self.generated.iter().fold(text, |text, (name, placeholder)| text.replace(name, placeholder))
    }

    fn time(&self, found: &Captures<'_>) -> String {
        if self.script.contains(&found[0]) || found[0].starts_with(GO_LAYOUT) {
            return found[0].to_owned();
        }
        if found.get(1).is_some() { "<microtime>" } else { "<time>" }.to_owned()
    }

    fn placeholder(&mut self, kind: &'static str, raw: &str) -> String {
        if self.script.contains(raw) {
            return raw.to_owned();
        }
        let known = self.known.entry(kind).or_default();
        let next = known.len() + 1;
        known.entry(raw.to_owned()).or_insert_with(|| format!("<{kind}-{next}>")).clone()
    }

    /// Takes a name as made from a prefix, if it can be.
    pub(crate) fn learn_name(&mut self, prefix: &str, name: &str) {
        if name.starts_with(prefix) && name.len() > prefix.len() && !self.script.contains(name) {
            let next = self.generated.len() + 1;
            let placeholder = || format!("{prefix}<generated-{next}>");
            self.generated.entry(name.to_owned()).or_insert_with(placeholder);
        }
    }

    fn learn_names(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.learn_names(item)),
            Value::Object(map) => {
                let field = |name: &str| map.get(name).and_then(Value::as_str);
                if let (Some(prefix), Some(name)) = (field("generateName"), field("name")) {
                    self.learn_name(prefix, name);
                }
                sorted(map).for_each(|(_, item)| self.learn_names(item));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn walk(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.walk(item)).collect()),
            Value::Object(map) => self.object(map),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn object(&mut self, map: &Map<String, Value>) -> Value {
        let owner = owner(map);
        let ages = age_columns(map);
        let mut out = Map::new();
        for (key, value) in sorted(map) {
            let normal = match (key.as_str(), value) {
                ("metadata", Value::Object(metadata)) => self.metadata(metadata, owner),
                ("causes", Value::Array(causes)) => self.causes(causes),
                ("rows", Value::Array(rows)) if !ages.is_empty() => {
                    Value::Array(rows.iter().map(|row| self.row(row, &ages)).collect())
                }
                ("nodePort" | "healthCheckNodePort", Value::Number(port)) => self.port(port.as_u64(), value),
                _ => self.walk(value),
            };
            out.insert(self.text(key), normal);
        }
        Value::Object(out)
    }

    fn port(&mut self, port: Option<u64>, value: &Value) -> Value {
        match port {
            Some(30_000..=32_767) if !self.script.contains(&value.to_string()) => {
                Value::String(self.placeholder("node-port", &value.to_string()))
            }
            _ => value.clone(),
        }
    }

    fn metadata(&mut self, map: &Map<String, Value>, owner: Owner) -> Value {
        let mut out = Map::new();
        for (key, value) in sorted(map) {
            let normal = match (key.as_str(), value) {
                ("resourceVersion", Value::String(raw)) if raw.is_empty() || raw == "0" => value.clone(),
                ("resourceVersion", Value::String(_)) if owner == Owner::Collection => "<rv>".into(),
                ("resourceVersion", Value::String(raw)) => self.placeholder_always("rv", raw).into(),
                ("managedFields", Value::Array(entries)) => self.managed_fields(entries),
                ("continue", Value::String(raw)) if !raw.is_empty() => "<continue>".into(),
                _ => self.walk(value),
            };
            out.insert(self.text(key), normal);
        }
        Value::Object(out)
    }

    /// Checks of custom resources run in an order that is chance.
    fn causes(&mut self, causes: &[Value]) -> Value {
        let mut causes: Vec<_> = causes.iter().map(|cause| self.walk(cause)).collect();
        causes.sort_by_key(|cause| {
            ["field", "message", "reason"]
                .map(|name| cause.get(name).and_then(Value::as_str).map(str::to_owned))
        });
        Value::Array(causes)
    }

    /// Servers sort the entries by time, to the second: whether two are in one second is chance.
    fn managed_fields(&mut self, entries: &[Value]) -> Value {
        let key = |entry: &Value| {
            let field = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            ["operation", "manager", "apiVersion", "subresource"].map(field)
        };
        let mut entries: Vec<_> = entries.iter().collect();
        entries.sort_by_key(|entry| key(entry));
        Value::Array(entries.into_iter().map(|entry| self.walk(entry)).collect())
    }

    /// Versions are short numbers that occur in any script by chance.
    fn placeholder_always(&mut self, kind: &'static str, raw: &str) -> String {
        let script = std::mem::take(&mut self.script);
        let placeholder = self.placeholder(kind, raw);
        self.script = script;
        placeholder
    }

    fn row(&mut self, row: &Value, ages: &[usize]) -> Value {
        let mut row = self.walk(row);
        if let Some(cells) = row.get_mut("cells").and_then(Value::as_array_mut) {
            for at in ages {
                if let Some(cell) = cells.get_mut(*at).filter(|cell| is_age(cell)) {
                    *cell = "<age>".into();
                }
            }
        }
        row
    }
}

fn sorted(map: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.iter().collect::<BTreeMap<_, _>>().into_iter()
}

fn owner(map: &Map<String, Value>) -> Owner {
    let bookmark =
        map.get("metadata").and_then(|metadata| metadata.get("creationTimestamp")).is_none_or(Value::is_null);
    if bookmark || map.contains_key("items") || map.contains_key("rows") {
        Owner::Collection
    } else {
        Owner::Single
    }
}

fn age_columns(map: &Map<String, Value>) -> Vec<usize> {
    let columns = map.get("columnDefinitions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let name = |column: &Value| column.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    columns
        .iter()
        .enumerate()
        .filter(|(_, column)| AGES.contains(&name(column).as_str()))
        .map(|(at, _)| at)
        .collect()
}

/// An age as tables print it: `5s`, `2m10s`, `3d`.
fn is_age(cell: &Value) -> bool {
    let text = cell.as_str().unwrap_or_default();
    text.starts_with(|first: char| first.is_ascii_digit()) && text.ends_with(['s', 'm', 'h', 'd', 'y'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const A: &str = "0fd1b0a2-57f5-4a36-8a54-6a2d0fd1b0a2";

    #[test]
    fn equal_things_stay_equal() {
        let mut normaliser = Normaliser::new("");
        let object = json!({"metadata": {
            "uid": A, "resourceVersion": "12", "creationTimestamp": "2026-01-02T03:04:05Z",
            "name": "web-x2x4z", "generateName": "web-",
        }});
        let first = normaliser.json(&object);
        assert_eq!(
            first,
            json!({"metadata": {
                "uid": "<uid-1>", "resourceVersion": "<rv-1>", "creationTimestamp": "<time>",
                "name": "web-<generated-1>", "generateName": "web-",
            }})
        );
        assert_eq!(normaliser.json(&object), first);
        assert_eq!(normaliser.text(&format!("{A} of web-x2x4z")), "<uid-1> of web-<generated-1>");
    }

    #[test]
    fn what_the_script_says_is_kept() {
        let mut normaliser = Normaliser::new("clusterIP: 10.96.0.77, at 2020-01-01T00:00:00Z");
        let value =
            json!({"a": "10.96.0.77", "b": "10.96.0.78", "c": "2020-01-01T00:00:00Z", "nodePort": 30001});
        let normal = json!({"a": "10.96.0.77", "b": "<cluster-ip-1>", "c": "2020-01-01T00:00:00Z",
            "nodePort": "<node-port-1>"});
        assert_eq!(normaliser.json(&value), normal);
    }

    #[test]
    fn a_lists_version_and_token_have_no_identity() {
        let value = json!({"items": [], "metadata": {"resourceVersion": "7", "continue": "abc"}});
        let normal = json!({"items": [], "metadata": {"resourceVersion": "<rv>", "continue": "<continue>"}});
        assert_eq!(Normaliser::new("").json(&value), normal);
    }

    #[test]
    fn ages_in_tables_are_hidden() {
        let value = json!({"columnDefinitions": [{"name": "Name"}, {"name": "Age"}], "rows": [{"cells": ["3s", "3s"]}]});
        assert_eq!(Normaliser::new("").json(&value)["rows"][0]["cells"], json!(["3s", "<age>"]));
    }

    #[test]
    fn versions_in_messages_are_hidden() {
        assert_eq!(
            Normaliser::new("").text("too old resource version: 1 (345)"),
            "too old resource version: <rv>"
        );
    }
}
