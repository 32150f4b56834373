//! One file to objects.

use object::{Object, Value, yaml};
use serde_json::Deserializer;

use super::{ManifestError, ManifestFile};

/// Returns the objects of one file.
pub(super) fn file(file: &ManifestFile) -> Result<Vec<Object>, ManifestError> {
    if std::path::Path::new(&file.path).extension().is_some_and(|extension| extension == "json") {
        return json(file);
    }
    let fail = |document, message| ManifestError { file: file.path.clone(), document, message };
    let objects = yaml::documents(&file.text)
        .map_err(|error| fail(None, format!("error converting YAML to JSON: yaml: {error}")))
        .and_then(|documents| {
            let objects = documents.into_iter().enumerate();
            let objects =
                objects.map(|(at, value)| explode(value).map_err(|message| fail(Some(at), message)));
            objects.collect::<Result<Vec<_>, _>>()
        });
    match objects {
        Ok(objects) => Ok(objects.into_iter().flatten().collect()),
        Err(_) if !looks_like_a_manifest(&file.text) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn json(file: &ManifestFile) -> Result<Vec<Object>, ManifestError> {
    let fail = |document, message| ManifestError { file: file.path.clone(), document, message };
    let mut values = Deserializer::from_str(&file.text).into_iter::<Value>();
    let value = match values.next() {
        Some(Ok(value)) => value,
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
            let items = items.unwrap_or_default().into_iter();
            items.map(|item| Object::parse(item).map_err(|error| error.to_string())).collect()
        }
        Value::Object(map) if named && is_empty_list(&map) => Ok(Vec::new()),
        value => Object::parse(value).map(|object| vec![object]).map_err(|error| error.to_string()),
    }
}

/// True for `items: null` in something that is not a resource with a spec.
fn is_empty_list(map: &object::Map<String, Value>) -> bool {
    map.get("items").is_some_and(Value::is_null) && !map.contains_key("spec") && !map.contains_key("status")
}

fn looks_like_a_manifest(text: &str) -> bool {
    ["apiVersion:", "kind:", "metadata:"].into_iter().all(|word| text.contains(word))
}

/// Returns the error as Argo CD words it.
pub(super) fn text(error: &ManifestError) -> String {
    let ManifestError { file, document: _, message } = error;
    if message == SEVERAL {
        return format!("Found multiple objects in {file:?}. {SEVERAL}");
    }
    format!("Failed to unmarshal {file:?}: failed to unmarshal manifest: {message}")
}
