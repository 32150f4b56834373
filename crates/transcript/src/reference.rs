//! `${…}` in scripts: values of earlier answers.

use std::collections::BTreeMap;

use serde_json::Value;

/// The raw answers so far, by step.
pub(crate) struct Scope<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) answers: BTreeMap<String, Value>,
}

impl Scope<'_> {
    /// The text with each `${ns}`, `${pad:N}` and `${step.path.to.value}` replaced.
    ///
    /// **Errors**: the reference that names nothing.
    pub(crate) fn text(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| rest.to_owned())?;
            out.push_str(before);
            out.push_str(&self.value(name).ok_or_else(|| name.to_owned())?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The value with the references in all its strings and keys replaced.
    ///
    /// **Errors**: the reference that names nothing.
    pub(crate) fn json(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => Value::String(self.text(text)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => {
                let mut out = serde_json::Map::new();
                for (key, item) in map {
                    out.insert(self.text(key)?, self.json(item)?);
                }
                Value::Object(out)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    fn value(&self, name: &str) -> Option<String> {
        if name == "ns" {
            return Some(self.namespace.to_owned());
        }
        if let Some(length) = name.strip_prefix("pad:") {
            return Some("x".repeat(length.parse().ok()?));
        }
        let (step, path) = name.split_once('.')?;
        let found = path.split('.').try_fold(self.answers.get(step)?, |at, key| match at {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?),
            other => other.get(key),
        })?;
        Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_reach_into_earlier_answers() {
        let answers = BTreeMap::from([("list".to_owned(), json!({"items": [{"n": 7, "s": "x"}]}))]);
        let scope = Scope { namespace: "here", answers };
        assert_eq!(scope.text("${ns}/${list.items.0.s}-${list.items.0.n}").unwrap(), "here/x-7");
        assert_eq!(scope.text("${pad:3}").unwrap(), "xxx");
        assert_eq!(scope.text("${list.items.1.s}").unwrap_err(), "list.items.1.s");
        assert_eq!(scope.json(&json!({"a": ["${ns}", 1]})).unwrap(), json!({"a": ["here", 1]}));
    }
}
