//! One file to objects.

use object::{Object, Value, yaml};
use serde_json::Deserializer;

use super::{ManifestError, ManifestFile, Skipped, check, strict::Strict};

/// What one file holds.
pub(super) enum Content {
    /// Objects, none if it is a file of something else.
    Objects(Vec<Object>),
    /// It cannot be read, and nothing in it looks like a manifest.
    Broken(Skipped),
}

/// What a file begins with whose content is kept elsewhere.
const LARGE_FILE: &str = "version https://git-lfs.github.com/spec/";

/// Returns what a file holds.
pub(super) fn file(file: &ManifestFile) -> Result<Content, ManifestError> {
    if file.text.starts_with(LARGE_FILE) {
        let message = "its content is in Git LFS, which is not supported yet".to_owned();
        return Err(ManifestError { file: file.path.clone(), document: None, message });
    }
    if std::path::Path::new(&file.path).extension().is_some_and(|extension| extension == "json") {
        return json(file).map(Content::Objects);
    }
    let fail = |document, message| ManifestError { file: file.path.clone(), document, message };
    let documents = match yaml::documents(&file.text) {
        Ok(documents) => documents,
        Err(error) if mentions_a_manifest(&file.text) => {
            return Err(fail(None, format!("error converting YAML to JSON: yaml: {error}")));
        }
        Err(error) => {
            let reason = format!("it is broken and does not look like a manifest: {error}");
            return Ok(Content::Broken(Skipped { file: file.path.clone(), reason }));
        }
    };
    let strangers = !documents.iter().any(looks_like_a_manifest) && !mentions_all(&file.text);
    if strangers {
        return Ok(Content::Objects(Vec::new()));
    }
    let objects = documents.into_iter().enumerate();
    let objects = objects.map(|(at, value)| explode(value).map_err(|message| fail(Some(at), message)));
    let objects: Vec<Vec<Object>> = objects.collect::<Result<_, _>>()?;
    Ok(Content::Objects(objects.into_iter().flatten().collect()))
}

fn json(file: &ManifestFile) -> Result<Vec<Object>, ManifestError> {
    let fail = |document, message| ManifestError { file: file.path.clone(), document, message };
    let mut values = Deserializer::from_str(&file.text).into_iter::<Strict>();
    let value = match values.next() {
        Some(Ok(Strict(value))) => value,
        Some(Err(error)) => return Err(fail(None, error.to_string())),
        None => return Err(fail(None, "the file is empty".to_owned())),
    };
    if values.next().is_some() {
        return Err(fail(Some(1), SEVERAL.to_owned()));
    }
    explode(value).map_err(|message| fail(Some(0), message))
}

/// Marks the one error of JSON files that has a sentence of its own.
const SEVERAL: &str = "Only single objects are allowed in JSON files.";

/// Returns the object, or those of a list's `items`.
fn explode(value: Value) -> Result<Vec<Object>, String> {
    let named = value.get("kind").and_then(Value::as_str).is_some_and(|kind| !kind.is_empty());
    match value {
        Value::Object(mut map) if named && map.get("items").is_some_and(Value::is_array) => {
            let items = map.remove("items").map(|items| match items {
                Value::Array(items) => items,
                _ => Vec::new(),
            });
            let items = items.unwrap_or_default().into_iter().enumerate();
            items.map(|(at, item)| object(item).map_err(|error| format!("items[{at}]: {error}"))).collect()
        }
        Value::Object(map) if named && is_empty_list(&map) => Ok(Vec::new()),
        value => object(value).map(|object| vec![object]),
    }
}

fn object(value: Value) -> Result<Object, String> {
    let object = Object::parse(value).map_err(|error| error.to_string())?;
    check::metadata(&object)?;
    Ok(object)
}

/// True for `items: null` in something that is not a resource with a spec.
fn is_empty_list(map: &object::Map<String, Value>) -> bool {
    map.get("items").is_some_and(Value::is_null) && !map.contains_key("spec") && !map.contains_key("status")
}

/// The fields that every manifest has.
const FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// True for a document that has one of the fields: one that lacks the others is a manifest with a mistake in it.
fn looks_like_a_manifest(document: &Value) -> bool {
    document.as_object().is_some_and(|map| FIELDS.iter().any(|field| map.contains_key(*field)))
}

/// True for a text with all of the fields, wherever they stand.
fn mentions_all(text: &str) -> bool {
    FIELDS.iter().all(|field| mentions(text, field))
}

/// True for a text with one of the fields, wherever it stands.
fn mentions_a_manifest(text: &str) -> bool {
    FIELDS.iter().any(|field| mentions(text, field))
}

fn mentions(text: &str, field: &str) -> bool {
    text.match_indices(field).any(|(at, _)| {
        let rest = text[at + field.len()..].trim_start_matches(['"', '\'']);
        rest.trim_start_matches([' ', '\t']).starts_with(':')
    })
}

/// Returns the error as Argo CD words it.
pub(super) fn text(error: &ManifestError) -> String {
    let ManifestError { file, document: _, message } = error;
    if message == SEVERAL {
        return format!("Found multiple objects in {file:?}. {SEVERAL}");
    }
    format!("Failed to unmarshal {file:?}: failed to unmarshal manifest: {message}")
}
