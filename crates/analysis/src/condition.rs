//! Success and failure conditions: expr programs over `result`.
//!
//! Source: `argo-rollouts/utils/evaluate`. The language is expr-lang; the environment adds `result`, `asInt`,
//! `asFloat`, `isNaN`, `isInf`, `isNil` and `default`.

use api::analysis::AnalysisPhase as Phase;
use expr::{Context, Environment, Value as Expr};
use object::{Time, Value};
use thiserror::Error;

/// Longest program that is read, in bytes.
const MAX_PROGRAM: usize = 16 << 10;

/// Why a condition gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConditionError {
    /// The program is too long to be read.
    #[error("the condition is longer than {MAX_PROGRAM} bytes")]
    TooLong,
    /// The program cannot be compiled or run with this result.
    #[error("{0}")]
    Program(String),
    /// The program gave something else than true or false.
    #[error("expected bool, but got {0}")]
    NotBool(&'static str),
    /// The program gave something else than a time.
    #[error("expected time, but got {0}")]
    NotTime(&'static str),
    /// The program failed and the provider had returned nothing.
    #[error("{0}: metric result is nil or empty: no data returned from the metric provider")]
    NoData(String),
}

/// What a provider measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// A JSON value.
    Json(Value),
    /// A number, which JSON cannot hold when it is NaN or infinite.
    Number(f64),
    /// A list of such numbers.
    Numbers(Vec<f64>),
}

impl Sample {
    /// Returns the value that has the sample's type and size; the numbers in it stand for any.
    fn shape(&self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Number(_) => Value::from(0.0),
            Self::Numbers(list) => list.iter().map(|_| Value::from(0.0)).collect(),
        }
    }

    fn to_expr(&self) -> Expr {
        match self {
            Self::Json(value) => to_expr(value),
            Self::Number(number) => Expr::Float(*number),
            Self::Numbers(list) => Expr::Array(list.iter().copied().map(Expr::Float).collect()),
        }
    }
}

/// Returns the verdict on one result by the truth table of the two conditions; an empty condition counts as absent.
///
/// No condition: successful. Success only: failed when false. Failure only: successful when false. Both: failure wins,
/// neither holds: inconclusive.
pub fn judge(result: &Sample, success: &str, failure: &str, now: Time) -> Result<Phase, ConditionError> {
    let holds = |program: &str| match program {
        "" => Ok(None),
        program => evaluate(program, result, now).map(Some),
    };
    Ok(match (holds(success)?, holds(failure)?) {
        (_, Some(true)) | (Some(false), None) => Phase::Failed,
        (Some(false), Some(false)) => Phase::Inconclusive,
        (Some(true) | None, Some(false) | None) => Phase::Successful,
    })
}

/// Returns whether the program holds for `result`; `now` is what its `now()` returns.
pub fn evaluate(program: &str, result: &Sample, now: Time) -> Result<bool, ConditionError> {
    if program.len() > MAX_PROGRAM {
        return Err(ConditionError::TooLong);
    }
    let shape = result.shape();
    let outcome = mismatch(program, &shape).map_or_else(|| run(program, result.to_expr(), now), Err);
    match outcome {
        Ok(Expr::Bool(holds)) => Ok(holds),
        Ok(other) => Err(ConditionError::NotBool(type_name(&other))),
        Err(message) if is_empty(&shape) => Err(ConditionError::NoData(message)),
        Err(message) => Err(ConditionError::Program(message)),
    }
}

/// Returns the time that a program gives, e.g. `now() - duration("1h")`.
///
/// Errors: the program cannot be run, or gives something else.
pub fn time(program: &str, now: Time) -> Result<Time, ConditionError> {
    if program.len() > MAX_PROGRAM {
        return Err(ConditionError::TooLong);
    }
    let outcome = run(program, Expr::Nil, now).map_err(ConditionError::Program)?;
    match outcome.as_datetime() {
        Some(time) => Ok(Time::from_unix(time.timestamp())),
        None => Err(ConditionError::NotTime(type_name(&outcome))),
    }
}

fn run(program: &str, result: Expr, now: Time) -> Result<Expr, String> {
    let mut context = Context::default();
    context.insert("result", result.clone());
    environment(result, now).eval(&with_bounds(program), &context).map_err(|error| error.to_string())
}

fn environment(result: Expr, now: Time) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.add_function("asInt", |call| match call.args.first() {
        Some(Expr::Integer(number)) => Ok(Expr::Integer(*number)),
        #[expect(clippy::cast_possible_truncation, reason = "Go's int64(float64) truncates too")]
        Some(Expr::Float(number)) => Ok(Expr::Integer(*number as i64)),
        Some(Expr::String(text)) => text
            .parse()
            .map(Expr::Integer)
            .map_err(|_| format!("strconv.ParseInt: parsing {text:?}: invalid syntax").into()),
        other => Err(format!("asInt() not supported on type {}", other.map_or("nil", type_name)).into()),
    });
    environment.add_function("asFloat", |call| {
        float(call.args.first()).map(Expr::Float).ok_or_else(|| {
            let name = call.args.first().map_or("nil", type_name);
            format!("asFloat() not supported on type {name}").into()
        })
    });
    environment
        .add_function("isNaN", |call| Ok(Expr::Bool(float(call.args.first()).is_some_and(f64::is_nan))));
    environment
        .add_function("isInf", |call| Ok(Expr::Bool(float(call.args.first()).is_some_and(f64::is_infinite))));
    environment.add_function("fromJSON", |call| match call.args.first() {
        Some(Expr::String(text)) => {
            serde_json::from_str(text).map(|value| to_expr(&value)).map_err(|e| e.to_string().into())
        }
        other => Err(format!("fromJSON() not supported on type {}", other.map_or("nil", type_name)).into()),
    });
    environment.add_function("toJSON", |call| {
        let json = from_expr(call.args.first().unwrap_or(&Expr::Nil));
        Ok(Expr::String(serde_json::to_string_pretty(&json).unwrap_or_default()))
    });
    let list = result.clone();
    environment.add_function(ELEMENT, move |call| element(&list, call.args.first()).map_err(Into::into));
    let nil = result.is_nil();
    environment.add_function("isNil", move |_| Ok(Expr::Bool(nil)));
    let kept = result;
    environment.add_function("default", move |call| {
        let fallback = call.args.get(1).cloned().unwrap_or(Expr::Nil);
        Ok(if kept.is_nil() { fallback } else { kept.clone() })
    });
    environment.add_function("now", move |_| {
        let time = chrono::DateTime::from_timestamp(now.unix(), 0).unwrap_or_default();
        Ok(Expr::DateTime(expr::DateTimeValue::fixed(time.fixed_offset())))
    });
    environment
}

fn float(value: Option<&Expr>) -> Option<f64> {
    match value? {
        #[expect(clippy::cast_precision_loss, reason = "Go's float64(int64) loses the same")]
        Expr::Integer(number) => Some(*number as f64),
        Expr::Float(number) => Some(*number),
        Expr::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// JSON numbers are float64 in Go, whatever they look like.
fn to_expr(value: &Value) -> Expr {
    match value {
        Value::Null => Expr::Nil,
        Value::Bool(flag) => Expr::Bool(*flag),
        Value::Number(number) => Expr::Float(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Expr::String(text.clone()),
        Value::Array(list) => Expr::Array(list.iter().map(to_expr).collect()),
        Value::Object(map) => {
            Expr::Map(map.iter().map(|(key, value)| (key.clone(), to_expr(value))).collect())
        }
    }
}

fn from_expr(value: &Expr) -> Value {
    match value {
        Expr::Bool(flag) => Value::Bool(*flag),
        Expr::Integer(number) => Value::from(*number),
        Expr::Float(number) => Value::from(*number),
        Expr::String(text) => Value::from(text.as_str()),
        Expr::Array(list) => list.iter().map(from_expr).collect(),
        Expr::Map(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), from_expr(value))).collect())
        }
        _ => Value::Null,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn type_name(value: &Expr) -> &'static str {
    match value {
        Expr::Integer(_) => "int",
        Expr::Bool(_) => "bool",
        Expr::Float(_) => "float64",
        Expr::Nil => "nil",
        Expr::String(_) => "string",
        Expr::Array(_) => "[]interface {}",
        Expr::Map(_) | Expr::KeyedMap(_) => "map[string]interface {}",
        _ => "unknown",
    }
}

/// Name of the function that stands for `result[<number>]`; no program can contain it by chance.
const ELEMENT: &str = "elementOfResult";

/// Returns the program in which `result[0]` fails beyond the end of the list, as in Go, where the library gives nil.
fn with_bounds(program: &str) -> String {
    let words = words(program);
    let (mut text, mut done) = (String::with_capacity(program.len()), 0);
    let mut index = 0;
    while let Some(window) = words.get(index..index + 4) {
        let [(start, name), (_, open), (_, number), (end, close)] = window else { break };
        let is_field = index > 0 && matches!(words[index - 1].1, "." | "?.");
        let is_whole = number.bytes().all(|byte| byte.is_ascii_digit());
        if *name == "result" && *open == "[" && *close == "]" && is_whole && !is_field {
            text.push_str(&program[done..*start]);
            text.push_str(&format!("{ELEMENT}({number})"));
            (done, index) = (end + 1, index + 4);
        } else {
            index += 1;
        }
    }
    text.push_str(&program[done..]);
    text
}

fn element(result: &Expr, index: Option<&Expr>) -> Result<Expr, String> {
    let Some(Expr::Integer(index)) = index else { return Err("an index is a number".to_owned()) };
    let Expr::Array(list) = result else {
        return Err(format!("cannot index {} with a number", type_name(result)));
    };
    let found = usize::try_from(*index).ok().and_then(|index| list.get(index));
    found.cloned().ok_or_else(|| format!("index out of range: {index} (array length is {})", list.len()))
}

/// Returns the message of the compile error that Go's type checker gives when a scalar `result` is compared with a
/// literal of another type. The library has no type checker: this is the part of it that clients meet.
fn mismatch(program: &str, result: &Value) -> Option<String> {
    let found = match result {
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    let words: Vec<&str> = words(program).into_iter().map(|(_, word)| word).collect();
    words.windows(3).enumerate().find_map(|(index, window)| {
        let [left, operator, right] = window else { return None };
        if !matches!(*operator, "==" | "!=" | "<" | "<=" | ">" | ">=") {
            return None;
        }
        let isolated = |edge: Option<&&str>| edge.is_none_or(|word| !matches!(*word, "." | "?." | "[" | "("));
        let after = words.get(index + 3);
        let (first, second) = match (*left, *right) {
            ("result", literal) => (found, literal_type(literal)?),
            (literal, "result") if isolated(after) => (literal_type(literal)?, found),
            _ => return None,
        };
        let number = |name: &str| name == "float64" || name == "int";
        (first != second && !(number(first) && number(second)))
            .then(|| format!("invalid operation: {operator} (mismatched types {first} and {second})"))
    })
}

fn literal_type(word: &str) -> Option<&'static str> {
    match word {
        "true" | "false" => Some("bool"),
        _ if word.starts_with(['"', '\'', '`']) => Some("string"),
        _ if word.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(if word.contains('.') { "float64" } else { "int" })
        }
        _ => None,
    }
}

/// Splits a program into strings, words and operators, each with the byte where it begins.
fn words(program: &str) -> Vec<(usize, &str)> {
    let (mut words, mut rest) = (Vec::new(), program.trim_start());
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        let length = if matches!(first, '"' | '\'' | '`') {
            rest[1..].find(first).map_or(rest.len(), |end| end + 2)
        } else if first.is_ascii_digit() {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if first.is_alphabetic() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if ["==", "!=", "<=", ">=", "?.", "&&", "||"].iter().any(|operator| rest.starts_with(operator))
        {
            2
        } else {
            first.len_utf8()
        };
        words.push((program.len() - rest.len(), &rest[..length]));
        rest = rest[length..].trim_start();
    }
    words
}

#[cfg(test)]
mod tests;
