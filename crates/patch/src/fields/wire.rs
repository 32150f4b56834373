//! `fieldsV1`.

use serde_json::{Map, Value};

use super::{PathElement, Set};

impl Set {
    /// The set as `fieldsV1`.
    #[must_use]
    pub fn to_fields_v1(&self) -> Value {
        let mut out = Map::new();
        for element in &self.members {
            let mut below = Map::new();
            if let Some(child) = self.children.get(element) {
                below.insert(".".to_owned(), Value::Object(Map::new()));
                below.extend(object(child.to_fields_v1()));
            }
            out.insert(element.to_wire(), Value::Object(below));
        }
        for (element, child) in self.children.iter().filter(|(element, _)| !self.members.contains(*element)) {
            out.insert(element.to_wire(), child.to_fields_v1());
        }
        Value::Object(out)
    }

    /// Reads `fieldsV1`; elements of an unknown kind are left out.
    ///
    /// # Errors
    /// A text for what is not of the format.
    pub fn from_fields_v1(fields: &Value) -> Result<Self, String> {
        read(fields).map(|(set, _)| set)
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The set below a node, and whether the node itself is in the set: it is when it says so or has nothing below.
fn read(node: &Value) -> Result<(Set, bool), String> {
    let entries = node.as_object().ok_or_else(|| format!("expected an object of fields, got {node}"))?;
    let mut set = Set::new();
    let mut is_member = false;
    for (key, below) in entries {
        if key == "." {
            is_member = true;
            continue;
        }
        let Some(element) = PathElement::from_wire(key)? else { continue };
        let (child, child_is_member) = read(below)?;
        if child_is_member {
            set.members.insert(element.clone());
        }
        if child != Set::new() {
            set.children.insert(element, child);
        }
    }
    let bare = set == Set::new();
    Ok((set, is_member || bare))
}

impl PathElement {
    /// The element's key in `fieldsV1`.
    #[must_use]
    pub fn to_wire(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => {
                let texts: Vec<String> = keys
                    .iter()
                    .map(|(name, value)| {
                        format!("{}:{}", go_json(&Value::from(name.as_str())), go_json(value))
                    })
                    .collect();
                format!("k:{{{}}}", texts.join(","))
            }
            Self::Value(value) => format!("v:{}", go_json(value)),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// Reads an element; `None` for a kind of element that is not known.
    fn from_wire(text: &str) -> Result<Option<Self>, String> {
        let json = |text: &str| {
            serde_json::from_str::<Value>(text)
                .map_err(|error| format!("parsing {text:?} as path element: {error}"))
        };
        match text.split_at_checked(2) {
            Some(("f:", name)) => Ok(Some(Self::field(name))),
            Some(("v:", value)) => Ok(Some(Self::Value(json(value)?))),
            Some(("i:", index)) => {
                let index =
                    index.parse().map_err(|error| format!("parsing {text:?} as path element: {error}"))?;
                Ok(Some(Self::Index(index)))
            }
            Some(("k:", keys)) => {
                let mut keys: Vec<(String, Value)> = object(json(keys)?).into_iter().collect();
                keys.sort_by(|a, b| a.0.cmp(&b.0));
                Ok(Some(Self::Key(keys)))
            }
            Some((kind, _)) if kind.ends_with(':') => Ok(None),
            _ => Err(format!("missing colon: {text}")),
        }
    }
}

/// JSON as Go's `encoding/json` writes it: `<`, `>`, `&` and the two line separators are escaped.
pub(crate) fn go_json(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
