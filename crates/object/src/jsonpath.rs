//! JSONPath as Kubernetes reads it: printer columns, `kubectl -o jsonpath` and web metrics.
//!
//! Source: `k8s.io/client-go/util/jsonpath`. A template is text with `{expressions}`; an expression is a path such as
//! `$.status`, `.items[*].metadata.name`, `.conditions[?(@.type=="Ready")].status`, `..name`, `['a.b']`, `[1:3]`.

use serde_json::Value;
use thiserror::Error;

/// A path that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("invalid JSONPath {path:?}: {problem}")]
pub struct PathError {
    /// The path as it was given.
    pub path: String,
    /// What is wrong.
    pub problem: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Segment {
    Field(String),
    Index(i64),
    Slice(Option<i64>, Option<i64>, i64),
    Wildcard,
    Descend,
    Union(Vec<Segment>),
    Filter(Vec<Segment>, Option<(Comparison, Operand)>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Literal(Value),
    Path(Vec<Segment>),
}

/// A parsed path: one expression.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath(Vec<Segment>);

impl JsonPath {
    /// Returns the path in `text`, with or without its braces and its `$`.
    ///
    /// Errors: [`PathError`] telling what cannot be read.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let trimmed = text.trim();
        let inner = trimmed.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(trimmed);
        let mut parser = Parser { rest: inner.trim() };
        let parsed = parser.path().and_then(|segments| match parser.rest.trim() {
            "" => Ok(segments),
            rest => Err(format!("cannot read {rest:?}")),
        });
        parsed.map(Self).map_err(|problem| PathError { path: text.to_owned(), problem })
    }

    /// Returns the values that the path finds below `root`, in order; none when a field is missing.
    pub fn find<'a>(&self, root: &'a Value) -> Vec<&'a Value> {
        walk(&self.0, vec![root])
    }
}

fn walk<'a>(segments: &[Segment], start: Vec<&'a Value>) -> Vec<&'a Value> {
    segments.iter().fold(start, |values, segment| {
        let mut found = Vec::new();
        values.into_iter().for_each(|value| step(segment, value, &mut found));
        found
    })
}

fn step<'a>(segment: &Segment, value: &'a Value, found: &mut Vec<&'a Value>) {
    match segment {
        Segment::Field(name) => found.extend(value.get(name)),
        Segment::Index(index) => found.extend(at(value, *index)),
        Segment::Slice(from, to, stride) => found.extend(slice(value, *from, *to, *stride)),
        Segment::Wildcard => found.extend(children(value)),
        Segment::Descend => descend(value, found),
        Segment::Union(parts) => parts.iter().for_each(|part| step(part, value, found)),
        Segment::Filter(path, test) => {
            found.extend(children(value).into_iter().filter(|child| passes(path, test.as_ref(), child)));
        }
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

fn descend<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    found.push(value);
    children(value).into_iter().for_each(|child| descend(child, found));
}

fn at(value: &Value, index: i64) -> Option<&Value> {
    let list = value.as_array()?;
    let index = if index < 0 { index + i64::try_from(list.len()).ok()? } else { index };
    list.get(usize::try_from(index).ok()?)
}

fn slice(value: &Value, from: Option<i64>, to: Option<i64>, stride: i64) -> Vec<&Value> {
    let Value::Array(list) = value else { return Vec::new() };
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    let bound = |bound: i64| (if bound < 0 { bound + length } else { bound }).clamp(0, length);
    let (from, to) = (bound(from.unwrap_or(0)), bound(to.unwrap_or(length)));
    let stride = usize::try_from(stride.max(1)).unwrap_or(1);
    (from..to).step_by(stride).filter_map(|index| list.get(usize::try_from(index).ok()?)).collect()
}

fn passes(path: &[Segment], test: Option<&(Comparison, Operand)>, child: &Value) -> bool {
    let Some(left) = walk(path, vec![child]).first().copied() else { return false };
    let Some((comparison, operand)) = test else { return true };
    let right = match operand {
        Operand::Literal(value) => Some(value),
        Operand::Path(path) => walk(path, vec![child]).first().copied(),
    };
    right.is_some_and(|right| compare(left, *comparison, right))
}

fn compare(left: &Value, comparison: Comparison, right: &Value) -> bool {
    let order = match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64().zip(right.as_f64()).and_then(|(left, right)| left.partial_cmp(&right))
        }
        (left, right) => (left == right).then_some(std::cmp::Ordering::Equal),
    };
    match comparison {
        Comparison::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
        Comparison::NotEqual => order.is_none_or(std::cmp::Ordering::is_ne),
        Comparison::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Comparison::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Comparison::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn path(&mut self) -> Result<Vec<Segment>, String> {
        let mut segments = Vec::new();
        if self.eat("$") || self.eat("@") {
        } else if self.rest.starts_with(|c: char| is_name(c)) {
            segments.push(Segment::Field(self.name()?));
        }
        loop {
            if self.eat("..") {
                segments.push(Segment::Descend);
                if !self.rest.starts_with('[') {
                    segments.push(self.field()?);
                }
            } else if self.eat(".") {
                if self.rest.is_empty() && segments.is_empty() {
                    return Ok(segments);
                }
                if !self.rest.starts_with('[') {
                    segments.push(self.field()?);
                }
            } else if self.eat("[") {
                segments.push(self.bracket()?);
            } else {
                return Ok(segments);
            }
        }
    }

    fn field(&mut self) -> Result<Segment, String> {
        if self.eat("*") { Ok(Segment::Wildcard) } else { self.name().map(Segment::Field) }
    }

    fn name(&mut self) -> Result<String, String> {
        let (mut name, mut escaped, mut end) = (String::new(), false, self.rest.len());
        for (index, c) in self.rest.char_indices() {
            match c {
                '\\' if !escaped => escaped = true,
                c if escaped || is_name(c) => {
                    name.push(c);
                    escaped = false;
                }
                _ => {
                    end = index;
                    break;
                }
            }
        }
        if name.is_empty() {
            return Err(format!("a field name is missing before {:?}", self.rest));
        }
        self.rest = &self.rest[end..];
        Ok(name)
    }

    fn bracket(&mut self) -> Result<Segment, String> {
        if self.eat("?(") {
            let path = self.path()?;
            let test = self.test()?;
            self.expect(")")?;
            self.expect("]")?;
            return Ok(Segment::Filter(path, test));
        }
        let mut parts = Vec::new();
        loop {
            parts.push(self.element()?);
            if self.eat("]") {
                break;
            }
            self.expect(",")?;
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Segment::Union(parts) })
    }

    fn element(&mut self) -> Result<Segment, String> {
        self.spaces();
        if self.eat("*") {
            return Ok(Segment::Wildcard);
        }
        if let Some(text) = self.quoted()? {
            return Ok(Segment::Field(text));
        }
        let from = self.integer();
        if !self.eat(":") {
            return from
                .map(Segment::Index)
                .ok_or_else(|| format!("an index is missing before {:?}", self.rest));
        }
        let to = self.integer();
        let stride = if self.eat(":") { self.integer().unwrap_or(1) } else { 1 };
        Ok(Segment::Slice(from, to, stride))
    }

    fn test(&mut self) -> Result<Option<(Comparison, Operand)>, String> {
        const COMPARISONS: [(&str, Comparison); 6] = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        self.spaces();
        let Some((_, comparison)) = COMPARISONS.into_iter().find(|(text, _)| self.eat(text)) else {
            return Ok(None);
        };
        self.spaces();
        let operand = self.operand()?;
        self.spaces();
        Ok(Some((comparison, operand)))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        if let Some(text) = self.quoted()? {
            return Ok(Operand::Literal(Value::String(text)));
        }
        if self.rest.starts_with('@') {
            return self.path().map(Operand::Path);
        }
        let end = self.rest.find([')', ' ']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let value = serde_json::from_str(word).map_err(|_| format!("cannot read {word:?} in a filter"))?;
        self.rest = rest;
        Ok(Operand::Literal(value))
    }

    fn quoted(&mut self) -> Result<Option<String>, String> {
        let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            return Ok(None);
        };
        let body = &self.rest[1..];
        let end = body.find(quote).ok_or_else(|| format!("no closing {quote}"))?;
        self.rest = &body[end + 1..];
        Ok(Some(body[..end].to_owned()))
    }

    fn integer(&mut self) -> Option<i64> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(self.rest.len());
        let number = self.rest[..end].parse().ok()?;
        self.rest = &self.rest[end..];
        Some(number)
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest: Option<&'a str> = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        self.spaces();
        if self.eat(text) { Ok(()) } else { Err(format!("{text:?} is missing before {:?}", self.rest)) }
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn find(path: &str) -> Vec<Value> {
        let root = json!({
            "status": "ok", "items": [{"name": "a", "n": 1}, {"name": "b", "n": 2}, {"name": "c", "n": 3}],
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}],
            "labels": {"a.b/c": "x"}
        });
        JsonPath::parse(path).unwrap().find(&root).into_iter().cloned().collect()
    }

    #[test]
    fn paths() {
        for (path, expected) in [
            ("{$.status}", json!(["ok"])),
            ("{.status}", json!(["ok"])),
            (".status", json!(["ok"])),
            ("status", json!(["ok"])),
            ("{.items[*].name}", json!(["a", "b", "c"])),
            ("{.items[-1].name}", json!(["c"])),
            ("{.items[0:2].n}", json!([1, 2])),
            ("{.items[0,2].n}", json!([1, 3])),
            ("{..name}", json!(["a", "b", "c"])),
            (r#"{.conditions[?(@.type=="Ready")].status}"#, json!(["True"])),
            ("{.items[?(@.n>1)].name}", json!(["b", "c"])),
            ("{.items[?(@.n != 2)].name}", json!(["a", "c"])),
            ("{.labels['a.b/c']}", json!(["x"])),
            (r"{.labels.a\.b/c}", json!(["x"])),
            ("{.missing.field}", json!([])),
        ] {
            assert_eq!(Value::Array(find(path)), expected, "{path}");
        }
        assert_eq!(find("{$}").len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for path in ["{.a[}", "{.a[?(@.b==)]}", "{.a['x}", "{.a b}", "{.}x"] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }
}
