//! Checks of metadata: names, labels, annotations.
//!
//! **Source:** `k8s.io/apimachinery/pkg/api/validation` and `pkg/util/validation`.

use serde_json::{Value, json};

use crate::field::FieldError;
use crate::kinds::Kind;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
/// All annotations together may not have more bytes.
const ANNOTATION_LIMIT: usize = 256 * 1024;

/// How names of a kind are to be.
#[derive(Clone, Copy, PartialEq)]
enum Rule {
    Subdomain,
    Label,
    Path,
}

fn rule(kind: &Kind) -> Rule {
    match kind.id().as_str() {
        "/namespaces" | "/services" => Rule::Label,
        id if id.starts_with("rbac.authorization.k8s.io/") => Rule::Path,
        _ => Rule::Subdomain,
    }
}

/// Returns what is wrong with an object's metadata.
pub(super) fn metadata(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let metadata = &object["metadata"];
    let mut errors = Vec::new();
    if let Some(base) = metadata["generateName"].as_str().filter(|base| !base.is_empty()) {
        let probe = base.strip_suffix('-').map_or(base.to_owned(), |rest| format!("{rest}a"));
        for why in problems(rule(kind), &probe) {
            errors.push(FieldError::invalid("metadata.generateName", &json!(base), why));
        }
    }
    match metadata["name"].as_str().unwrap_or_default() {
        "" => errors.push(FieldError::required("metadata.name", "name or generateName is required")),
        name => errors.extend(
            problems(rule(kind), name)
                .into_iter()
                .map(|why| FieldError::invalid("metadata.name", &json!(name), why)),
        ),
    }
    labels(&metadata["labels"], "metadata.labels", &mut errors);
    annotations(&metadata["annotations"], &mut errors);
    finalizers(kind, &metadata["finalizers"], &mut errors);
    owners(&metadata["ownerReferences"], &mut errors);
    errors
}

/// Only built-in kinds insist on a domain; for custom ones any qualified name will do.
fn finalizers(kind: &Kind, list: &Value, errors: &mut Vec<FieldError>) {
    for (index, finalizer) in list.as_array().into_iter().flatten().enumerate() {
        let (path, name) = (format!("metadata.finalizers[{index}]"), finalizer.as_str().unwrap_or_default());
        let standard =
            kind.custom.is_some() || ["orphan", "foregroundDeletion", "kubernetes"].contains(&name);
        if !name.contains('/') && !standard {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(path, finalizer, why));
            continue;
        }
        for why in qualified(name) {
            errors.push(FieldError::invalid(path.clone(), finalizer, why));
        }
    }
}

fn owners(list: &Value, errors: &mut Vec<FieldError>) {
    let mut controllers: Vec<String> = Vec::new();
    for owner in list.as_array().into_iter().flatten() {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        for field in ["apiVersion", "kind", "name", "uid"] {
            if text(field).is_empty() {
                let path = format!("metadata.ownerReferences.{field}");
                errors.push(FieldError::invalid(path, &json!(""), "must not be empty"));
            }
        }
        if owner["controller"] == true {
            controllers.push(format!("{}/{}", text("kind"), text("name")));
        }
    }
    if let [first, second, ..] = controllers.as_slice() {
        let why = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {second}"
        );
        errors.push(FieldError::invalid("metadata.ownerReferences", list, why));
    }
}

fn problems(rule: Rule, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (limit, words, fits) = match rule {
        Rule::Path => {
            if matches!(name, "." | "..") {
                found.push(format!("may not be '{name}'"));
            }
            for bad in ["/", "%"].iter().filter(|bad| name.contains(**bad)) {
                found.push(format!("may not contain '{bad}'"));
            }
            return found;
        }
        Rule::Subdomain => (253, SUBDOMAIN, name.split('.').all(is_label)),
        Rule::Label => (63, LABEL, is_label(name)),
    };
    if name.len() > limit {
        found.push(format!("must be no more than {limit} characters"));
    }
    if rule == Rule::Label && name.contains('.') {
        found.push("must not contain dots".to_owned());
    } else if !fits {
        found.push(words.to_owned());
    }
    found
}

/// Returns what is wrong with a DNS label, such as a container's name.
pub(super) fn dns_label(name: &str) -> Vec<String> {
    problems(Rule::Label, name)
}

fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = |c: char| c.is_ascii_alphanumeric();
    !text.is_empty() && text.chars().all(inner) && text.starts_with(end) && text.ends_with(end)
}

fn qualified(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split('/').collect();
    let (prefix, name) = match parts.as_slice() {
        [name] => (None, *name),
        [prefix, name] => (Some(*prefix), *name),
        _ => {
            return vec![format!(
                "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    let mut found = Vec::new();
    match prefix {
        Some("") => found.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => {
            found.extend(problems(Rule::Subdomain, prefix).iter().map(|why| format!("prefix part {why}")));
        }
        None => {}
    }
    if name.is_empty() {
        found.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        found.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_name(name) {
        found.push(QUALIFIED.to_owned());
    }
    found
}

/// Adds what is wrong with labels.
pub(super) fn labels(labels: &Value, path: &str, errors: &mut Vec<FieldError>) {
    for (key, value) in labels.as_object().into_iter().flatten() {
        for why in qualified(key) {
            errors.push(FieldError::invalid(path, &json!(key), why));
        }
        let text = value.as_str().unwrap_or_default();
        if text.len() > 63 {
            let error = FieldError::invalid(path, value, "must be no more than 63 bytes");
            errors.push(error);
        }
        if !text.is_empty() && !is_name(text) {
            errors.push(FieldError::invalid(path, value, LABEL_VALUE));
        }
    }
}

fn annotations(annotations: &Value, errors: &mut Vec<FieldError>) {
    let mut size = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        for why in qualified(&key.to_lowercase()) {
            errors.push(FieldError::invalid("metadata.annotations", &json!(key), why));
        }
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > ANNOTATION_LIMIT {
        errors.push(FieldError::too_long("metadata.annotations", ANNOTATION_LIMIT));
    }
}
