//! Names, as Kubernetes writes them.

use std::collections::BTreeMap;

use object::json;

use super::Check;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const VARIABLE: &str = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";

/// Returns true for a text of these characters that begins and ends with a letter or a digit.
fn framed(text: &str, lower: bool, inner: &str) -> bool {
    let plain = |c: char| {
        if lower { c.is_ascii_lowercase() || c.is_ascii_digit() } else { c.is_ascii_alphanumeric() }
    };
    text.starts_with(plain) && text.ends_with(plain) && text.chars().all(|c| plain(c) || inner.contains(c))
}

fn longer(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} characters"))
}

/// Adds what is wrong with a DNS label.
pub(super) fn label(check: &mut Check, path: &str, name: &str) {
    let is_label = framed(name, true, "-");
    let dots = !is_label && is_subdomain(name);
    let words = if dots { "must not contain dots" } else { LABEL };
    let wrong = (!is_label).then(|| words.to_owned());
    longer(name, 63).into_iter().chain(wrong).for_each(|why| check.invalid(path, &json!(name), &why));
}

fn is_subdomain(name: &str) -> bool {
    name.split('.').all(|part| framed(part, true, "-"))
}

/// Adds what is wrong with a DNS subdomain.
pub(super) fn subdomain(check: &mut Check, path: &str, name: &str) {
    let wrong = (!is_subdomain(name)).then(|| SUBDOMAIN.to_owned());
    longer(name, 253).into_iter().chain(wrong).for_each(|why| check.invalid(path, &json!(name), &why));
}

/// Returns what is wrong with the key of a label.
fn qualified(key: &str) -> Vec<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let mut wrong = Vec::new();
    match prefix {
        Some("") => wrong.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => {
            wrong.extend(longer(prefix, 253).map(|why| format!("prefix part {why}")));
            wrong.extend((!is_subdomain(prefix)).then(|| format!("prefix part {SUBDOMAIN}")));
        }
        None => {}
    }
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    }
    wrong.extend(longer(name, 63).map(|why| format!("name part {why}")));
    wrong.extend((!framed(name, false, "-_.")).then(|| format!("name part {QUALIFIED}")));
    wrong
}

/// Adds what is wrong with the key of a label or of a taint.
pub(super) fn key(check: &mut Check, path: &str, key: &str) {
    qualified(key).iter().for_each(|why| check.invalid(path, &json!(key), why));
}

/// Adds what is wrong with labels.
pub(super) fn labels(check: &mut Check, path: &str, labels: &BTreeMap<String, String>) {
    for (name, value) in labels {
        key(check, path, name);
        let wrong = (!value.is_empty() && !framed(value, false, "-_.")).then(|| VALUE.to_owned());
        longer(value, 63).into_iter().chain(wrong).for_each(|why| check.invalid(path, &json!(value), &why));
    }
}

/// Adds what is wrong with annotations; the case of their keys does not matter.
pub(super) fn annotations(check: &mut Check, path: &str, annotations: &BTreeMap<String, String>) {
    for name in annotations.keys() {
        qualified(&name.to_lowercase()).iter().for_each(|why| check.invalid(path, &json!(name), why));
    }
}

/// Adds what is wrong with the name of an environment variable.
pub(super) fn variable(check: &mut Check, path: &str, name: &str) {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(inner) {
        check.invalid(path, &json!(name), VARIABLE);
    }
}

/// Returns what is wrong with the name of a port.
pub(super) fn port(name: &str) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    if name.len() > 15 {
        wrong.push("must be no more than 15 characters");
    }
    if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        wrong.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    }
    if !name.contains(|c: char| c.is_ascii_lowercase()) {
        wrong.push("must contain at least one letter (a-z)");
    }
    if name.contains("--") {
        wrong.push("must not contain consecutive hyphens");
    }
    if name.starts_with('-') || name.ends_with('-') {
        wrong.push("must not begin or end with a hyphen");
    }
    wrong
}
