//! The YAML dialect of Kubernetes: what `sigs.k8s.io/yaml` reads and writes.
//!
//! Reading goes through one library with fixed options and an explicit budget. Writing is block style, keys sorted,
//! lists not indented, as `kubectl -o yaml` prints.

use std::fmt::Write as _;

use serde_json::Value;
use thiserror::Error;

/// A document that is not YAML, or too large.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct YamlError {
    /// What is wrong and where.
    pub message: String,
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 4_000_000,
            max_nodes: 2_000_000,
            max_depth: 200,
            max_documents: 10_000,
            max_total_scalar_bytes: 64 << 20,
        },
        legacy_octal_numbers: true,
        with_snippet: false,
    }
}

/// Returns the documents of a stream; empty and null ones are left out. JSON is read too.
///
/// Errors: [`YamlError`] with line and column. Limits: 64 MiB of scalars, depth 200, 2,000,000 nodes.
pub fn documents(text: &str) -> Result<Vec<Value>, YamlError> {
    serde_saphyr::from_multiple_with_options::<Value>(text, options())
        .map_err(|error| YamlError { message: error.to_string() })
}

/// Returns the single document of a text, null when it is empty.
///
/// Errors: [`YamlError`] when it cannot be read or holds more than one document.
pub fn document(text: &str) -> Result<Value, YamlError> {
    let mut all = documents(text)?;
    match all.len() {
        0 => Ok(Value::Null),
        1 => Ok(all.remove(0)),
        count => Err(YamlError { message: format!("expected one document, found {count}") }),
    }
}

/// Returns the value as a YAML document that ends with a line feed.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => write_block(&mut out, value, 0),
        Value::Array(list) if !list.is_empty() => write_block(&mut out, value, 0),
        _ => {
            write_inline(&mut out, value, 0);
            out.push('\n');
        }
    }
    out
}

/// Writes a non-empty map or list, each entry on lines of its own, the first without indentation.
fn write_block(out: &mut String, value: &Value, indent: usize) {
    let mut first = true;
    let mut margin = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.extend(std::iter::repeat_n(' ', indent));
        }
    };
    match value {
        Value::Object(map) => {
            for (key, child) in map {
                margin(out);
                write_scalar(out, key, indent);
                out.push(':');
                write_child(out, child, indent);
            }
        }
        Value::Array(list) => {
            for child in list {
                margin(out);
                out.push_str("- ");
                if is_block(child) {
                    write_block(out, child, indent + 2);
                } else {
                    write_inline(out, child, indent + 2);
                    out.push('\n');
                }
            }
        }
        _ => write_inline(out, value, indent),
    }
}

fn write_child(out: &mut String, child: &Value, indent: usize) {
    if !is_block(child) {
        out.push(' ');
        write_inline(out, child, indent + 2);
        out.push('\n');
        return;
    }
    let inner = if child.is_array() { indent } else { indent + 2 };
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', inner));
    write_block(out, child, inner);
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    }
}

fn write_inline(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::String(text) => write_scalar(out, text, indent),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

fn write_scalar(out: &mut String, text: &str, indent: usize) {
    if text.contains('\n') && text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()) {
        write_literal(out, text, indent);
    } else if is_plain(text) {
        out.push_str(text);
    } else if reads_as_other_type(text) || text.chars().any(|c| c.is_control() || c == '\u{feff}') {
        let _ = write!(out, "{}", Value::String(text.to_owned()));
    } else {
        let _ = write!(out, "'{}'", text.replace('\'', "''"));
    }
}

fn write_literal(out: &mut String, text: &str, indent: usize) {
    let indent = indent.max(2);
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    let body = text.trim_end_matches('\n');
    match text.len() - body.len() {
        0 => out.push('-'),
        1 => {}
        _ => out.push('+'),
    }
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
}

fn is_plain(text: &str) -> bool {
    const INDICATORS: &str = "-?:,[]{}#&*!|>'\"%@`";
    let Some(first) = text.chars().next() else { return false };
    let dash_word =
        matches!(first, '-' | '?' | ':') && text.chars().nth(1).is_some_and(|c| !c.is_whitespace());
    !reads_as_other_type(text)
        && (!INDICATORS.contains(first) || dash_word)
        && !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace)
        && !text.contains(": ")
        && !text.ends_with(':')
        && !text.contains(" #")
        && !text.starts_with("---")
        && !text.chars().any(|c| c.is_control() || c == '\u{feff}')
}

/// True for a text that YAML 1.1 would read as null, a boolean, a number or a time.
fn reads_as_other_type(text: &str) -> bool {
    const WORDS: [&str; 16] = [
        "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf", "-.inf",
        "+.inf", "=",
    ];
    let lower = text.to_ascii_lowercase();
    WORDS.contains(&lower.as_str()) || text == "<<" || is_number(text) || is_timestamp(text)
}

fn is_number(text: &str) -> bool {
    let body = text.trim_start_matches(['+', '-']).replace('_', "");
    let radix = |prefix: &str, radix: u32| {
        body.strip_prefix(prefix)
            .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
    };
    let starts = body.starts_with(|c: char| c.is_ascii_digit()) || body.starts_with('.') && body.len() > 1;
    let sexagesimal = body.contains(':')
        && body.split(':').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    starts && body.parse::<f64>().is_ok()
        || radix("0x", 16)
        || radix("0o", 8)
        || radix("0b", 2)
        || sexagesimal
}

fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[5..7].iter().all(u8::is_ascii_digit)
        && bytes[7] == b'-'
        && bytes[8..10].iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn streams_skip_empty_documents() {
        let all = documents("---\na: 1\n---\n# nothing\n---\nb: [x, 010, yes]\n").unwrap();
        assert_eq!(all, vec![json!({"a": 1}), json!({"b": ["x", 8, true]})]);
    }

    #[test]
    fn errors_tell_the_place() {
        let error = documents("a: 1\nb: [1, 2\n").unwrap_err();
        assert!(error.message.contains("line"), "{error}");
    }

    #[test]
    fn depth_is_bounded() {
        assert!(documents(&"[".repeat(5_000)).is_err());
    }

    #[test]
    fn what_is_written_reads_back() {
        let value = json!({
            "a": {"b": [1, {"c": "x", "d": ["y"]}, [2, 3], {}, []]},
            "empty": "", "number": "12", "yes": "yes", "time": "2026-11-21", "colon": "a: b", "hash": "a #b",
            "quote": "it's", "lines": "one\n two\n", "open": "one\ntwo", "many": "a\n\n\n", "star": "*x", "dash": "- x",
            "tab": "a\tb", "null": null, "float": 1.5
        });
        let text = to_string(&value);
        assert_eq!(document(&text).unwrap(), value, "{text}");
    }

    #[test]
    fn style_is_that_of_kubectl() {
        let value =
            json!({"kind": "Pod", "spec": {"list": [{"name": "a", "ports": [{"port": "80"}]}], "none": {}}});
        assert_eq!(
            to_string(&value),
            "kind: Pod\nspec:\n  list:\n  - name: a\n    ports:\n    - port: \"80\"\n  none: {}\n"
        );
    }
}
