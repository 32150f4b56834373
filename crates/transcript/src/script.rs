//! What is asked: the literate script files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// One theme: a file of steps that are played in order against one server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Script {
    /// What the file is about, for people.
    pub about: String,
    /// Needs a server that soon forgets what was; see [`History`].
    #[serde(default)]
    pub history: History,
    /// The namespace made before the first step, `${ns}` in the steps; the file's stem.
    #[serde(skip)]
    pub namespace: String,
    /// The requests, in order.
    pub steps: Vec<Step>,
    /// The file's text: literals that occur in it are never normalised.
    #[serde(skip)]
    pub text: String,
}

/// How long the server must remember old states while a script is played.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// All the time.
    #[default]
    Kept,
    /// It forgets them within seconds (compaction), so that old versions and tokens become 410 Gone.
    Forgotten,
}

/// One request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Step {
    /// Unique in its script; later steps refer to the answer by it.
    pub name: String,
    /// Why the step is there, when its name does not say it.
    #[serde(default)]
    pub about: String,
    /// The HTTP method.
    #[serde(default)]
    pub method: Method,
    /// The path, without query.
    pub path: String,
    /// The query parameters, unescaped.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Request headers, lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body as YAML; sent as JSON.
    #[serde(default)]
    pub body: Option<Value>,
    /// The body as literal text, instead of `body`.
    #[serde(default)]
    pub text: Option<String>,
    /// Makes the request a watch.
    #[serde(default)]
    pub watch: Option<Watch>,
    /// Repeats the request until the answer fits.
    #[serde(default)]
    pub eventually: Option<Eventually>,
    /// Lists of the answer cut down to some elements: pointer (`*` matches any element) -> field -> kept values.
    #[serde(default)]
    pub only: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Pointers (`*` matches any element) removed from the answer.
    #[serde(default)]
    pub drop: Vec<String>,
}

/// A watch ends after `events` events, or when the server closes it after `seconds`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Sent as `timeoutSeconds`.
    pub seconds: u32,
    /// Stop reading after so many events; without it, read until the server closes.
    #[serde(default)]
    pub events: Option<usize>,
}

/// What an answer must have before the script goes on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eventually {
    /// The HTTP status.
    pub status: u16,
    /// JSON pointers and the values that must be there.
    #[serde(default)]
    pub has: BTreeMap<String, Value>,
}

/// The HTTP methods of the API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Read, list or watch.
    #[default]
    Get,
    /// Headers only.
    Head,
    /// The allowed methods.
    Options,
    /// Create.
    Post,
    /// Replace.
    Put,
    /// Patch; the content type says which kind.
    Patch,
    /// Delete one or a collection.
    Delete,
}

impl Method {
    /// The method as it is written in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Why a script file is unusable.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not a script.
    #[error("{path}: {message}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// The YAML reader's words.
        message: String,
    },
    /// Two steps share a name, so that references would be ambiguous.
    #[error("{path}: two steps are named {step}")]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The name.
        step: String,
    },
}

impl Script {
    /// Reads a script file.
    ///
    /// **Errors**: the file is unreadable, not a script, or names a step twice.
    pub fn read(path: &Path) -> Result<Self, ScriptError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScriptError::Read { path: path.into(), source })?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self::parse(path, &stem, text)
    }

    /// Reads all `*.yaml` files of a folder, by name.
    ///
    /// **Errors**: as [`Script::read`].
    pub fn read_all(dir: &Path) -> Result<Vec<Self>, ScriptError> {
        let fail = |source| ScriptError::Read { path: dir.into(), source };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn parse(path: &Path, stem: &str, text: String) -> Result<Self, ScriptError> {
        let parsed: Result<Self, _> = serde_saphyr::from_str(&text);
        let mut script =
            parsed.map_err(|error| ScriptError::Parse { path: path.into(), message: error.to_string() })?;
        let mut seen = BTreeSet::new();
        if let Some(step) = script.steps.iter().find(|step| !seen.insert(&step.name)) {
            return Err(ScriptError::Duplicate { path: path.into(), step: step.name.clone() });
        }
        script.namespace = stem.to_owned();
        script.text = text;
        Ok(script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_used_twice_is_refused() {
        let text = "about: x\nsteps:\n- {name: a, path: /}\n- {name: a, path: /}\n".to_owned();
        let error = Script::parse(Path::new("f.yaml"), "f", text).unwrap_err();
        assert_eq!(error.to_string(), "f.yaml: two steps are named a");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = "about: x\nsteps:\n- {name: a, path: /, qeury: {}}\n".to_owned();
        assert!(Script::parse(Path::new("f.yaml"), "f", text).unwrap_err().to_string().contains("qeury"));
    }
}
