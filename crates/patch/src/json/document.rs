//! Where in a document an operation works.

use std::fmt;

use serde_json::Value;

/// Why a container did not do as told; its text is the library's.
#[derive(Debug)]
pub enum Failure {
    NoSuchKey(String),
    Index(i64),
    NotAnIndex(String),
    NotAnIndexToAdd(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchKey(key) => write!(f, "Unable to remove nonexistent key: {key}: missing value"),
            Self::Index(index) => {
                write!(f, "Unable to access invalid index: {index}: invalid index referenced")
            }
            Self::NotAnIndex(key) => write!(f, "strconv.Atoi: parsing \"{key}\": invalid syntax"),
            Self::NotAnIndexToAdd(key) => {
                write!(f, "value was not a proper array index: '{key}': strconv.Atoi: ")?;
                write!(f, "parsing \"{key}\": invalid syntax")
            }
        }
    }
}

/// A key in an object or list that exists.
pub struct Place {
    parents: Vec<String>,
    key: String,
}

impl Place {
    /// The place a pointer names, if the container it lies in exists. What stands before the first slash is
    /// not looked at, as upstream.
    pub fn find(doc: &Value, path: &str) -> Option<Self> {
        let mut parts = path.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
        let mut parents: Vec<String> = parts.by_ref().collect();
        let place = Self { key: parents.pop()?, parents };
        place.container(doc)?;
        Some(place)
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    fn container<'a>(&self, doc: &'a Value) -> Option<&'a Value> {
        let mut at = doc;
        for part in &self.parents {
            at = match at {
                Value::Object(map) => map.get(part)?,
                Value::Array(items) => items.get(existing(part, items.len()).ok()?)?,
                _ => return None,
            };
        }
        (at.is_object() || at.is_array()).then_some(at)
    }

    fn container_mut<'a>(&self, doc: &'a mut Value) -> Option<&'a mut Value> {
        let mut at = doc;
        for part in &self.parents {
            at = match at {
                Value::Object(map) => map.get_mut(part)?,
                Value::Array(items) => {
                    let index = existing(part, items.len()).ok()?;
                    items.get_mut(index)?
                }
                _ => return None,
            };
        }
        Some(at)
    }

    /// The value here; a missing key of an object is no failure.
    pub fn get<'a>(&self, doc: &'a Value) -> Result<Option<&'a Value>, Failure> {
        match self.container(doc) {
            Some(Value::Array(items)) => Ok(items.get(existing(&self.key, items.len())?)),
            Some(Value::Object(map)) => Ok(map.get(&self.key)),
            _ => Ok(None),
        }
    }

    pub fn set(&self, doc: &mut Value, value: Value) -> Result<(), Failure> {
        match self.container_mut(doc) {
            Some(Value::Array(items)) => {
                let index = existing(&self.key, items.len())?;
                items[index] = value;
            }
            Some(Value::Object(map)) => {
                map.insert(self.key.clone(), value);
            }
            _ => {}
        }
        Ok(())
    }

    pub fn add(&self, doc: &mut Value, value: Value) -> Result<(), Failure> {
        match self.container_mut(doc) {
            Some(Value::Array(items)) if self.key == "-" => items.push(value),
            Some(Value::Array(items)) => {
                let index = existing(&self.key, items.len() + 1).map_err(|failure| match failure {
                    Failure::NotAnIndex(key) => Failure::NotAnIndexToAdd(key),
                    other => other,
                })?;
                items.insert(index, value);
            }
            Some(Value::Object(map)) => {
                map.insert(self.key.clone(), value);
            }
            _ => {}
        }
        Ok(())
    }

    pub fn remove(&self, doc: &mut Value) -> Result<(), Failure> {
        match self.container_mut(doc) {
            Some(Value::Array(items)) => {
                items.remove(existing(&self.key, items.len())?);
            }
            Some(Value::Object(map)) => {
                map.remove(&self.key).ok_or_else(|| Failure::NoSuchKey(self.key.clone()))?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// The index below `len` that a key names; from the end when negative.
fn existing(key: &str, len: usize) -> Result<usize, Failure> {
    let index: i64 = key.parse().map_err(|_| Failure::NotAnIndex(key.to_owned()))?;
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let at = if index < 0 { index + len } else { index };
    usize::try_from(at).ok().filter(|_| at < len).ok_or(Failure::Index(index))
}
