//! What was answered: the recording files.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The answers to one script, normalised, in the order of its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// The version of the server that answered.
    pub server: String,
    /// One answer a step.
    pub answers: Vec<Answer>,
}

/// The answer to one step, normalised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The step's name.
    pub step: String,
    /// Method and unresolved path, for people who read the recording.
    pub request: String,
    /// The HTTP status.
    pub status: u16,
    /// The content type, empty where there is none.
    #[serde(rename = "contentType")]
    pub content_type: String,
    /// The `Warning` headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The body of anything but a watch, where it is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The body where it is not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The events of a watch, each `{type, object}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Value>>,
}

impl Recording {
    /// Reads a recording.
    ///
    /// **Errors**: the file is unreadable, or is not a recording (`InvalidData`).
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    }

    /// Writes the recording, indented and with sorted keys.
    ///
    /// **Errors**: the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        std::fs::write(path, text)
    }
}
