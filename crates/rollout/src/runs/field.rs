//! Fields of a Rollout that arguments name.

use object::{Object, Value};

/// Returns the text at `path`: `metadata.…` as the downward API reads it, else a dotted path with `[i]`.
///
/// Errors: the field is not there.
pub(super) fn value(rollout: &Object, path: &str) -> Result<String, String> {
    if path.starts_with("metadata") {
        return metadata_field(rollout, path).ok_or_else(|| format!("unsupported fieldPath: {path}"));
    }
    let mut current = rollout.to_value();
    for part in path.split('.') {
        let (name, indices) = part.split_once('[').map_or((part, ""), |(name, rest)| (name, rest));
        current = current.get(name).cloned().ok_or_else(|| format!("invalid path {path} in rollout"))?;
        for index in indices.split('[').filter(|index| !index.is_empty()) {
            let index: usize =
                index.trim_end_matches(']').parse().map_err(|_| format!("invalid path {path} in rollout"))?;
            current = current.get(index).cloned().ok_or_else(|| format!("invalid path {path} in rollout"))?;
        }
    }
    Ok(match current {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// Returns the text of a metadata field that the downward API knows: name, namespace, uid, labels and annotations, whole
/// (`key="value"` lines) or one (`metadata.labels['key']`); `None` for any other. An absent key is empty.
pub(crate) fn metadata_field(object: &Object, path: &str) -> Option<String> {
    match path {
        "metadata.name" => return Some(object.name().to_owned()),
        "metadata.namespace" => return Some(object.namespace().to_owned()),
        "metadata.uid" => return Some(object.uid().to_owned()),
        _ => {}
    }
    for (prefix, map) in
        [("metadata.labels", object.labels()), ("metadata.annotations", object.annotations())]
    {
        let Some(rest) = path.strip_prefix(prefix) else { continue };
        if rest.is_empty() {
            let lines: Vec<String> = map.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
            return Some(lines.join("\n"));
        }
        let key = rest.strip_prefix("['")?.strip_suffix("']")?;
        return Some(map.get(key).cloned().unwrap_or_default());
    }
    None
}
