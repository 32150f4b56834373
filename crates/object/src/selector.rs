//! Label selectors: the JSON form (`matchLabels`, `matchExpressions`) and the query form (`a=b,c in (d)`).

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

/// A selector that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("invalid label selector {text:?}: {problem}")]
pub struct SelectorError {
    /// The text or field as it was given.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    DoesNotExist(String),
}

/// A conjunction of requirements over labels. An empty selector matches everything.
///
/// Source: `k8s.io/apimachinery/pkg/labels`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

impl LabelSelector {
    /// Returns the selector in a `LabelSelector` JSON value; null or `{}` matches everything.
    pub fn from_json(value: &Value) -> Result<Self, SelectorError> {
        let fail = |problem: String| SelectorError { text: value.to_string(), problem };
        let mut requirements = Vec::new();
        if let Some(labels) = value["matchLabels"].as_object() {
            for (key, label) in labels {
                let label =
                    label.as_str().ok_or_else(|| fail(format!("matchLabels[{key}] is not a string")))?;
                requirements.push(Requirement::In(key.clone(), vec![label.to_owned()]));
            }
        }
        for expression in value["matchExpressions"].as_array().into_iter().flatten() {
            let key = expression["key"].as_str().unwrap_or_default().to_owned();
            let values: Vec<String> = expression["values"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|value| value.as_str().map(str::to_owned))
                .collect();
            let operator = expression["operator"].as_str().unwrap_or_default();
            requirements.push(match operator {
                "In" => Requirement::In(key, values),
                "NotIn" => Requirement::NotIn(key, values),
                "Exists" => Requirement::Exists(key),
                "DoesNotExist" => Requirement::DoesNotExist(key),
                other => return Err(fail(format!("{other:?} is not a valid label selector operator"))),
            });
        }
        Ok(Self(requirements))
    }

    /// Returns the selector that wants exactly these labels, as in a Service's `spec.selector`.
    pub fn from_map(labels: &BTreeMap<String, String>) -> Self {
        Self(labels.iter().map(|(key, value)| Requirement::In(key.clone(), vec![value.clone()])).collect())
    }

    /// Returns the selector in its query form, e.g. `app=x,tier!=db,env in (a,b),!gone`.
    ///
    /// Errors: [`SelectorError`] with the part that cannot be read.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        split_outside_parentheses(text)
            .into_iter()
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                parse_requirement(part).ok_or_else(|| SelectorError {
                    text: text.to_owned(),
                    problem: format!("cannot read {part:?}"),
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns true when the selector has no requirement.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true when all requirements hold for `labels`.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::DoesNotExist(key) => !labels.contains_key(key),
        })
    }
}

impl std::fmt::Display for LabelSelector {
    /// Writes the query form as `metav1.FormatLabelSelector` does.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts: Vec<String> = self
            .0
            .iter()
            .map(|requirement| match requirement {
                Requirement::In(key, values) if values.len() == 1 => format!("{key}={}", values[0]),
                Requirement::In(key, values) => format!("{key} in ({})", sorted(values).join(",")),
                Requirement::NotIn(key, values) => format!("{key} notin ({})", sorted(values).join(",")),
                Requirement::Exists(key) => key.clone(),
                Requirement::DoesNotExist(key) => format!("!{key}"),
            })
            .collect();
        parts.sort();
        f.write_str(&parts.join(","))
    }
}

fn sorted(values: &[String]) -> Vec<&str> {
    let mut values: Vec<&str> = values.iter().map(String::as_str).collect();
    values.sort_unstable();
    values
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn parse_requirement(part: &str) -> Option<Requirement> {
    if let Some(key) = part.strip_prefix('!') {
        return name(key).map(Requirement::DoesNotExist);
    }
    if let Some(requirement) = parse_set(part) {
        return Some(requirement);
    }
    for (operator, negated) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = part.split_once(operator) {
            let (key, values) = (name(key)?, vec![value.trim().to_owned()]);
            return Some(if negated {
                Requirement::NotIn(key, values)
            } else {
                Requirement::In(key, values)
            });
        }
    }
    name(part).map(Requirement::Exists)
}

fn parse_set(part: &str) -> Option<Requirement> {
    let (head, list) = part.strip_suffix(')')?.split_once('(')?;
    let (key, operator) = head.trim().rsplit_once(char::is_whitespace)?;
    let values = list.split(',').map(|value| value.trim().to_owned()).collect();
    match operator {
        "in" => Some(Requirement::In(name(key)?, values)),
        "notin" => Some(Requirement::NotIn(name(key)?, values)),
        _ => None,
    }
}

fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    (!text.is_empty() && text.chars().all(legal)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn query_form() {
        let pod = labels(&[("app", "x"), ("env", "a")]);
        for (text, expected) in [
            ("app=x", true),
            ("app==x,env!=b", true),
            ("env in (a, b)", true),
            ("env notin (a,b)", false),
            ("!gone,app", true),
            ("gone", false),
            ("", true),
        ] {
            assert_eq!(LabelSelector::parse(text).unwrap().matches(&pod), expected, "{text}");
        }
        assert!(LabelSelector::parse("a b").is_err());
    }

    #[test]
    fn json_form_prints_as_query() {
        let selector = LabelSelector::from_json(&json!({
            "matchLabels": {"app": "x"},
            "matchExpressions": [{"key": "env", "operator": "In", "values": ["b", "a"]}]
        }))
        .unwrap();
        assert_eq!(selector.to_string(), "app=x,env in (a,b)");
        assert!(
            LabelSelector::from_json(&json!({"matchExpressions": [{"key": "a", "operator": "Like"}]}))
                .is_err()
        );
    }
}
