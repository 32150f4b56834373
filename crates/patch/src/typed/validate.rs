//! Whether a value is of its type.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Atom, ListAtom, MapAtom};
use crate::fields::PathElement;
use crate::schema::{Scalar, Schema, TypeRef};
use crate::text::{go_quoted, go_type, go_value};

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    pub path: String,
    pub text: String,
}

/// All problems as one text.
pub fn problems_text(problems: &[Problem]) -> String {
    let line = |problem: &Problem| match problem.path.as_str() {
        "" => problem.text.clone(),
        path => format!("{path}: {}", problem.text),
    };
    match problems {
        [one] => line(one),
        many => {
            let lines: Vec<String> = many.iter().map(|problem| format!("  {}", line(problem))).collect();
            format!("errors:\n{}", lines.join("\n"))
        }
    }
}

/// Whatever in `value` is not as `ty` says; an element that is twice in a set or map list, too.
pub fn validate(schema: &Schema, ty: &TypeRef, value: &Value) -> Vec<Problem> {
    let mut walk = Walk { schema, path: String::new(), problems: Vec::new() };
    walk.value(ty, value);
    walk.problems
}

struct Walk<'a> {
    schema: &'a Schema,
    path: String,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    fn problem(&mut self, text: String) {
        self.problems.push(Problem { path: self.path.clone(), text });
    }

    fn value(&mut self, ty: &TypeRef, value: &Value) {
        match Atom::of(self.schema, ty, value) {
            Atom::Scalar(scalar) => self.scalar(scalar, value),
            Atom::List(list) => self.list(list, value),
            Atom::Map(map) => self.map(map, value),
        }
    }

    fn scalar(&mut self, scalar: Scalar, value: &Value) {
        let fits = match scalar {
            Scalar::String => value.is_string(),
            Scalar::Number => value.is_number(),
            Scalar::Boolean => value.is_boolean(),
            Scalar::Any => !value.is_array() && !value.is_object(),
        };
        if fits || value.is_null() {
            return;
        }
        self.problem(match scalar {
            Scalar::Number => format!("expected numeric (int or float), got {}", go_type(value)),
            Scalar::String => {
                format!("expected string, got &value.valueUnstructured{{Value:{}}}", go_syntax(value))
            }
            Scalar::Boolean => format!("expected boolean, got &{{{}}}", go_value(value)),
            Scalar::Any => format!("expected any scalar, got &{{{}}}", go_value(value)),
        });
    }

    fn below(&mut self, element: &PathElement, ty: &TypeRef, value: &Value) {
        let length = self.path.len();
        self.path.push_str(&element.to_string());
        self.value(ty, value);
        self.path.truncate(length);
    }

    fn list(&mut self, list: ListAtom<'_>, value: &Value) {
        let items = match value {
            Value::Null => return,
            Value::Array(items) => items,
            other => return self.problem(format!("expected list, got &{{{}}}", go_value(other))),
        };
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let element = if list.is_atomic() {
                PathElement::Index(i64::try_from(index).unwrap_or(i64::MAX))
            } else {
                match list.path_element(self.schema, item) {
                    Ok(element) => element,
                    Err(why) => return self.problem(format!("element {index}: {why}")),
                }
            };
            if !seen.insert(element.clone()) {
                self.problem(format!("duplicate entries for key {element}"));
            }
            self.below(&element, list.element, item);
        }
    }

    fn map(&mut self, map: MapAtom<'_>, value: &Value) {
        let entries = match value {
            Value::Null => return,
            Value::Object(entries) => entries,
            other => return self.problem(format!("expected map, got &{{{}}}", go_value(other))),
        };
        for (key, value) in entries {
            let element = PathElement::field(key);
            let Some(ty) = map.declared(key) else {
                let path = format!("{}{element}", self.path);
                self.problems.push(Problem { path, text: "field not declared in schema".to_owned() });
                return;
            };
            self.below(&element, ty, value);
        }
    }
}

/// Go's `%#v` of a decoded JSON value.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::String(text) => go_quoted(text),
        Value::Bool(_) | Value::Number(_) => go_value(value),
        Value::Array(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(go_syntax).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let mut texts: Vec<String> =
                map.iter().map(|(key, value)| format!("{}:{}", go_quoted(key), go_syntax(value))).collect();
            texts.sort();
            format!("map[string]interface {{}}{{{}}}", texts.join(", "))
        }
    }
}
